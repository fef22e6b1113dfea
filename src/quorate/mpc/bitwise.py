"""The bits of secret words, and words of secret bits: for sorting, hashing, masks of fields."""

from quorate.mpc import expression
from quorate.mpc.decomposition import COUNTS
from quorate.mpc.expression import FromBits, ToBits
from quorate.mpc.secret import SecretArray

WORD_BITS = 64


def bits(x: SecretArray, count: int = WORD_BITS) -> SecretArray:
    """Return the lowest `count` bits, along a new first axis, lowest first.

    Numbers are words in two's complement: of a limit below 2^(count-1) all is there.
    """
    if x.node.is_bits:
        raise TypeError("these are bits already")
    if count not in COUNTS:
        raise ValueError(f"bits come {', '.join(map(str, COUNTS))} at once, not {count}")
    return SecretArray(x.engine, expression.bits(ToBits(count), [x.node], (count, *x.shape)))


def composed(x: SecretArray, *, signed: bool = False) -> SecretArray:
    """Return the integers whose bits lie along the first axis, lowest first.

    `signed`: the last bit counts as negative. Raises `OutOfRange` for integers of 64 bits.
    """
    if not x.node.is_bits:
        raise TypeError("integers are composed of bits: the results of comparisons or of `bits`")
    if not len(x):
        raise ValueError("no bits to compose integers of")
    largest = 1 << (len(x) - 1) if signed else (1 << len(x)) - 1
    return SecretArray(x.engine, expression.node(FromBits(signed), [x.node], x.shape[1:], largest))
