"""The exponential function in integers: no float decides a probability or a guarantee."""

from fractions import Fraction

GUARD = 64


def exp_minus(x: Fraction, bits: int) -> int:
    """Return e^-x 2^bits for x >= 0, off by less than one unit.

    x is halved until it is below 1/2; the series of its exponential is then squared as often.
    At 64 bits more than asked for, all roundings together stay under a unit.
    """
    if x >= bits:
        return 0
    halvings = int(x).bit_length() + 1
    precision = bits + GUARD + 2 * halvings
    small = (x.numerator << precision) // (x.denominator << halvings)
    term = total = 1 << precision
    place = 1
    while term:
        term = (term * small >> precision) // place
        total += -term if place % 2 else term
        place += 1
    for _ in range(halvings):
        total = total * total >> precision
    return total >> (precision - bits)


def exp_below(x: Fraction, bits: int) -> int:
    """Return an integer at most e^x 2^bits, short of it by under 2 units; x >= 0."""
    precision = bits + GUARD + 2 * int(2 * x + 1)
    return (1 << (bits + precision)) // (exp_minus(x, precision) + 1)


def exp_above(x: Fraction, bits: int) -> int:
    """Return an integer above e^x 2^bits, by under 3 units; x >= 0."""
    return exp_below(x, bits) + 2
