"""Noise in shares: n members each add a little, and what the honest ones add is enough.

Who holds what: member i draws X_i, the difference of two negative binomial numbers with 1/(n-t)
(`dp.tables`), and adds it to its own vector before the secure sum, so nobody else sees it.
The sum of n-t such numbers is exactly discrete Laplace. So t colluding members, who
know their own X_i and everything that is revealed, still face a whole discrete Laplace noise;
the surplus of a full turn-out, n/(n-t) times the variance, is the price. A member that
adds no noise at all is one of the t.

Adversary: as in `mpc.additive`, active, but at most t of the n. A colluder may add whatever it
likes, as it may with its data: that makes the result wrong, and takes nothing from the others'
noise. Nothing is revealed before all n vectors are there, and a member that drops out before ends
the run: fewer shares of noise than planned are never opened. The next run draws afresh.

Source: the division of geometric noise is from [GX17], its family of distributions from [HM25].
Unreviewed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from quorate import wire
from quorate.algebra.ring import from_signed, to_signed
from quorate.dp import tables
from quorate.dp.tables import Integers, Table
from quorate.errors import Refused
from quorate.mpc.additive import Total, secure_sum
from quorate.mpc.agreement import Claim, Randomness
from quorate.transport.session import Session

NARROWEST = 16
"""The variance of one share of Gaussian noise, at least."""


@dataclass(frozen=True, slots=True)
class SharedLaplace:
    """How `members` members make noise, of whom `colluders` may tell each other theirs."""

    scale: Fraction
    members: int
    colluders: int

    def __post_init__(self) -> None:
        _check(self.members, self.colluders)

    @property
    def honest(self) -> int:
        """How many members' shares are the whole noise."""
        return self.members - self.colluders

    @property
    def inflation(self) -> Fraction:
        """By what the variance of all shares exceeds that of the honest ones'."""
        return Fraction(self.members, self.honest)

    @property
    def distance(self) -> Fraction:
        """How far the honest members' noise is from its distribution, in total variation."""
        return 2 * self.honest * tables.most_distance(self.scale, is_squared=False)

    def draw(self, count: int, randomness: Randomness) -> Integers:
        """Return one member's share for each of `count` numbers."""
        table = self.table()
        return table.draw(count, randomness) - table.draw(count, randomness)

    def table(self) -> Table:
        """Return what shares are drawn from; the first time it is made, and kept."""
        return tables.negative_binomial(self.scale, self.honest)


@dataclass(frozen=True, slots=True)
class SharedGaussian:
    """The same with Gaussian noise: each share has variance / (members - colluders).

    A sum of discrete Gaussians is not quite one: each probability is off by a factor of at most
    1 + 2 T, T = 10 sum of e^(-2 pi^2 s^2 k / (k + 1)), k < m, s^2 being a share's variance [KLS21].
    From s = 4 on that is under m 2^-220.
    """

    variance: Fraction
    members: int
    colluders: int

    def __post_init__(self) -> None:
        _check(self.members, self.colluders)
        if self.variance < NARROWEST * self.honest:
            raise Refused(
                "shares of Gaussian noise this narrow do not add up to Gaussian noise",
                hint="take a finer grid",
            )

    @property
    def honest(self) -> int:
        return self.members - self.colluders

    @property
    def inflation(self) -> Fraction:
        return Fraction(self.members, self.honest)

    @property
    def distance(self) -> Fraction:
        """How far the honest members' noise is from its distribution, in total variation."""
        one = tables.most_distance(self.variance / self.honest, is_squared=True)
        return self.honest * (one + Fraction(1, 1 << 220))

    def draw(self, count: int, randomness: Randomness) -> Integers:
        """Return one member's share for each of `count` numbers."""
        return self.table().draw(count, randomness)

    def table(self) -> Table:
        """Return what shares are drawn from; the first time it is made, and kept."""
        return tables.gaussian(self.variance / self.honest)


SharedNoise = SharedLaplace | SharedGaussian


@dataclass(frozen=True, slots=True)
class Part:
    """The noise on so many numbers, as members agree on it."""

    kind: str
    width: str
    colluders: int
    cells: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What members agree on before they add up."""

    context: bytes
    parts: tuple[Part, ...]


def default_colluders(members: int) -> int:
    """Return the largest minority."""
    return (members - 1) // 2


async def noisy_sum(
    session: Session,
    mine: Sequence[Integers],
    noises: Sequence[SharedNoise],
    *,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Integers, ...]:
    """Return what `noisy_total` adds up, cut into vectors as they were given.

    Cost, direct: 5 rounds, (n - 1) * (8 * m + 227) bytes a party
    """
    total = await noisy_total(
        session,
        mine,
        noises,
        context=context,
        claim=claim,
        randomness=randomness,
        progress=progress,
    )
    ends = np.cumsum([vector.size for vector in mine])
    return tuple(np.split(to_signed(total.words), ends[:-1]))


async def noisy_total(
    session: Session,
    mine: Sequence[Integers],
    noises: Sequence[SharedNoise | None],
    *,
    context: bytes,
    claim: Claim,
    randomness: Randomness,
    progress: Callable[[str], None] = lambda _: None,
) -> Total:
    """Add up everyone's vectors, m integers in all, each with noise of its own kind, or none.

    Members that assume other noise share no session. Raises `Abort` where anybody is missing;
    the next run draws new noise. `progress` is told "opening" just before what this
    member sends could reveal the total: that is when its ledger says so.

    Cost, direct: 5 rounds, (n - 1) * (8 * m + 227) bytes a party
    """
    for noise in noises:
        if noise is not None and noise.members != session.n:
            raise Refused(f"noise for {noise.members} members in a session of {session.n}")
    pairs = list(zip(mine, noises, strict=True))
    terms = Terms(context, tuple(_part(noise, vector.size) for vector, noise in pairs))
    noisy = [
        vector if noise is None else vector + noise.draw(vector.size, randomness)
        for vector, noise in pairs
    ]
    return await secure_sum(
        session,
        from_signed(np.concatenate(noisy)),
        context=wire.digest("noisy sum", terms),
        claim=claim,
        randomness=randomness,
        progress=progress,
    )


def _part(noise: SharedNoise | None, cells: int) -> Part:
    match noise:
        case None:
            return Part("none", "0", 0, cells)
        case SharedLaplace(scale=width):
            kind = "Laplace"
        case SharedGaussian(variance=width):
            kind = "Gaussian"
    return Part(kind, str(width), noise.colluders, cells)


def _check(members: int, colluders: int) -> None:
    if not 0 <= colluders < members:
        raise Refused(
            f"noise of {members} members cannot hold against {colluders} of them",
            hint=f"assume at most {members - 1}",
        )
