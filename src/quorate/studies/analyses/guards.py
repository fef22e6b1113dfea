"""May a result be shown? Decided on shares, so that nobody learns why it is not."""

from quorate.mpc.secret import SecretArray, promised


def is_large_or_none(counts: SecretArray, least: int) -> SecretArray:
    """Return a bit for each count: it is 0, or at least `least`."""
    flat = counts.reshape(-1)
    return (flat < 1) | (flat >= least)


def all_of(bits: SecretArray) -> SecretArray:
    """Return 1 where every bit is set, else 0; a number, in as many rounds as log2 of them."""
    while (width := bits.shape[0]) > 1:
        half = -(-width // 2)
        bits = bits[:half] & bits[width - half :]
    return bits[0] + 0


def shown(words: SecretArray, bit: SecretArray) -> SecretArray:
    """Return the words, or 0 where the bit, a number, is 0."""
    return promised(words * bit, words.node.limit)
