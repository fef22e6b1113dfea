"""`quorate demo noise`: the textbook's noise for what it is, and then noise that protects.

Five users, and the patients of three hospitals, add numbers between -2 and 2 to their ages,
and the average is the same again: by luck, and protecting nobody. Then three real nodes release
the hospitals' average with noise of a known guarantee, in each way that there is.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from quorate.cli import demo_noise_real, stage
from quorate.cli.demo_noise_real import NAMES
from quorate.cli.output import say
from quorate.cli.pictures import save
from quorate.dp import illustration
from quorate.dp.draws import uniform_words
from quorate.dp.illustration import HALF_WIDTH, HOSPITALS, USERS, Uniform
from quorate.pictures.drawing import fields

REPEATED = 1000
NEAR = 0.05
"""Within so many years an average is as good as the same."""

BAR = 40

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Means of one example, noised again and again."""

    name: str
    true: float
    means: Floats


def noise(
    picture: Annotated[
        Path | None, typer.Option(help="Draw the repetitions too, .svg or .png: extra `plots`.")
    ] = None,
    keep: stage.Keep = None,
) -> None:
    """Show noise that protects nobody, and the same average with noise that does."""
    began = time.monotonic()
    uniform = Uniform(HALF_WIDTH)
    examples = [_users(uniform), _hospitals(uniform)]
    _recovered(uniform)
    stage.step("what such noise is worth")
    say(f"  {illustration.statement(uniform)}")
    if picture is not None:
        _draw(examples, picture)
    with stage.workplace(keep) as folder:
        demo_noise_real.among_nodes(folder)
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _users(uniform: Uniform) -> Repeated:
    stage.step("five users add a number between -2 and 2 to their age before they tell it")
    ages = np.array(USERS, np.float64)
    noisy = ages + _uniform(uniform, (ages.size,))
    say(f"  true  {_listed(ages)}: the average is {ages.mean():.4g}")
    say(f"  told  {_listed(noisy)}: the average is {noisy.mean():.4g}")
    return _again("five users", ages, uniform)


def _hospitals(uniform: Uniform) -> Repeated:
    stage.step("three hospitals do the same with their patients' ages, and a server averages")
    for name, own in zip(NAMES, HOSPITALS, strict=True):
        ages = np.array(own, np.float64)
        told = ages + _uniform(uniform, (ages.size,))
        say(f"  {name} has {_listed(ages)} and tells {_listed(told)}")
    everybody = np.array([age for own in HOSPITALS for age in own], np.float64)
    return _again("three hospitals", everybody, uniform)


def _again(name: str, ages: Floats, uniform: Uniform) -> Repeated:
    """Repeat an example many times, and show what comes out as bars."""
    means = (ages + _uniform(uniform, (REPEATED, ages.size))).mean(axis=1)
    found = Repeated(name, float(ages.mean()), means)
    off, near = uniform.mean_error(ages.size), np.abs(means - found.true) < NEAR
    say(f"  {REPEATED:,} times over: {found.true:.4g}, give or take {off:.3f}:")
    counts, edges = np.histogram(means, bins=11, range=(found.true - 1.1, found.true + 1.1))
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        say(
            f"  {low:6.2f} .. {high:6.2f}  {'#' * round(BAR * count / counts.max()):<{BAR}} {count}"
        )
    chance = float(uniform.within(ages.size, Fraction(1, 20)))
    say(
        f"  the same to within {NEAR}: {near.sum()} times, where {100 * chance:.1f} of 100 are "
        "due: that it comes out the same is luck"
    )
    return found


def _recovered(uniform: Uniform) -> None:
    stage.step("a patient of 40 is asked five times, and the age is what fits all answers")
    age, tries = 40, 0
    while True:
        tries += 1
        told = age + _uniform(uniform, (5,))
        if len(_fitting(told)) == 1:
            break
    for i in range(1, 6):
        say(f"  {told[i - 1]:6.2f}  leaves {', '.join(map(str, _fitting(told[:i])))}")
    every = age + _uniform(uniform, (REPEATED, 5))
    found = sum(len(_fitting(answers)) == 1 for answers in every)
    say(
        f"  that took {tries} patients; of {REPEATED:,} such patients {found} are known exactly, "
        f"where {100 * float(uniform.recovered(5)):.0f} of 100 are due"
    )


def _fitting(told: Floats) -> list[int]:
    """Return the whole ages that could have given all these answers."""
    width = float(HALF_WIDTH)
    return list(range(int(np.ceil(told.max() - width)), int(np.floor(told.min() + width)) + 1))


def _uniform(uniform: Uniform, shape: tuple[int, ...]) -> Floats:
    """Return numbers between the ends of the noise, as good as floats are."""
    words = uniform_words(int(np.prod(shape)), os.urandom).reshape(shape)
    return (words / 2.0**63 - 1.0) * float(uniform.half_width)


def _listed(values: Sequence[float] | Floats) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _draw(examples: Sequence[Repeated], path: Path) -> None:
    """Draw how often which average came out."""
    figure, axes = fields(len(examples))
    for field, one in zip(axes, examples, strict=True):
        field.hist(one.means, bins=40)
        field.axvline(one.true, color="black")
        field.set(title=f"{one.name}, {REPEATED:,} times over", xlabel="average age, years")
    save(figure, path)
