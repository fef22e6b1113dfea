"""Networks put the places asked for in their places, whatever the numbers: the 0-1 principle."""

from itertools import product

import pytest

from quorate.poisoning.networks import Layer, selecting, sorting


def applied(layers: tuple[Layer, ...], numbers: list[int]) -> list[int]:
    for layer in layers:
        for i, j in layer:
            numbers[i], numbers[j] = sorted((numbers[i], numbers[j]))
    return numbers


@pytest.mark.parametrize("n", range(1, 11))
def test_every_rank_of_all_zeros_and_ones(n: int) -> None:
    """A network that sorts all zeros and ones sorts everything [Knu98]."""
    for places in [(n // 2,), (0,), (n - 1,), tuple(range(n))]:
        layers = selecting(n, places)
        for numbers in product((0, 1), repeat=n):
            found = applied(layers, list(numbers))
            assert [found[r] for r in places] == [sorted(numbers)[r] for r in places]


def test_a_pair_left_out_is_noticed() -> None:
    layers = selecting(5, (2,))
    for at in range(sum(map(len, layers))):
        pairs = [(pair,) for layer in layers for pair in layer]
        del pairs[at]
        wrong = [
            numbers
            for numbers in product((0, 1), repeat=5)
            if applied(tuple(pairs), list(numbers))[2] != sorted(numbers)[2]
        ]
        assert wrong


@pytest.mark.parametrize(
    ("n", "all_", "some", "deep"), [(3, 3, 3, 3), (5, 9, 7, 5), (10, 32, 26, 9)]
)
def test_how_many_comparisons(n: int, all_: int, some: int, deep: int) -> None:
    middle = (n // 2,) if n % 2 else (n // 2 - 1, n // 2)
    layers = selecting(n, middle)
    assert (len(sorting(n)), sum(map(len, layers)), len(layers)) == (all_, some, deep)
    for layer in layers:
        touched = [place for pair in layer for place in pair]
        assert len(touched) == len(set(touched))
