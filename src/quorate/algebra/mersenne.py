"""The field of P = 2^127 - 1 elements: sets of numbers told by their power sums, and found again.

n numbers are the roots of the polynomial whose coefficients Newton's identities
give from the sums of their 1st to n-th powers. So a group that adds up power
sums, each member's hidden in a mask, learns the set and no member's number
[RMK17]. The roots are found by Cantor and Zassenhaus' method [CZ81]. Products of
polynomials are products of two long integers, a coefficient in every 264 bits,
which Python multiplies fast: 100 roots take a fraction of a second.

Elements are plain integers 0 <= x < P. Time depends on the numbers: all that is
computed from here on is public, but for a member's powers of its own number.
"""

import hashlib
from collections.abc import Sequence

from quorate.errors import MalformedMessage, OutOfRange

P = (1 << 127) - 1
HALF = (P + 1) // 2
ELEMENT_BYTES = 16
MOST = 256
"""The most numbers of one set."""

_SLOT = 33
"""Bytes between coefficients in a long integer: the sum of 2^10 products fits."""

_TRIES = 64
_SUSPICIOUS = 2
"""A product of three roots resists the first three shifts once in 64 times."""

Polynomial = list[int]
"""Coefficients, the constant first, none of the last zero: the zero polynomial is empty."""


def encode(elements: Sequence[int]) -> bytes:
    """Return 16 bytes an element, little-endian."""
    return b"".join(x.to_bytes(ELEMENT_BYTES, "little") for x in elements)


def decode(data: bytes) -> list[int]:
    """Return the elements of `data`. Raises `MalformedMessage` for a number outside the field."""
    size = ELEMENT_BYTES
    found = [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]
    if len(data) % size or any(x >= P for x in found):
        raise MalformedMessage("not numbers of the field of 2^127 - 1 elements")
    return found


def powers(x: int, n: int) -> list[int]:
    """Return x^1 ... x^n."""
    found = [x % P]
    while len(found) < n:
        found.append(found[-1] * x % P)
    return found


def distinct_roots(power_sums: Sequence[int]) -> list[int] | None:
    """Return the n numbers, ascending, whose k-th powers add up to `power_sums[k - 1]`.

    None where these are not the sums of n distinct numbers of the field.
    """
    n = len(power_sums)
    if n > MOST:
        raise OutOfRange(f"{n} power sums; {MOST} are the most")
    found = sorted(set(_split(_from_power_sums(power_sums))))
    columns = zip(*(powers(x, n) for x in found), strict=True)
    is_right = len(found) == n and [sum(c) % P for c in columns] == [s % P for s in power_sums]
    return found if is_right else None


def _from_power_sums(sums: Sequence[int]) -> Polynomial:
    """Return the monic polynomial by Newton's identities.

    k e_k = sum over i = 1..k of (-1)^(i-1) e_(k-i) p_i; its coefficients are (-1)^k e_k.
    """
    e = [1]
    for k in range(1, len(sums) + 1):
        total = sum((-1) ** (i - 1) * e[k - i] * sums[i - 1] for i in range(1, k + 1))
        e.append(total * pow(k, -1, P) % P)
    return [(-1) ** k * e[k] % P for k in range(len(sums), -1, -1)]


def _split(f: Polynomial) -> list[int]:
    """Return the roots of a monic product of distinct x - root.

    Of another polynomial none, or what are not its roots: the caller compares.
    """
    if len(f) == 2:
        return [-f[0] % P]
    if len(f) == 3:
        return _quadratic(f)
    modulus = _Modulus(f)
    for attempt, shift in enumerate(_shifts(f)):
        # A root r of f is one of the half-power minus 1 where r + shift is a square.
        half = _all_ones([shift, 1], 126, modulus)
        common = _gcd(f, _trimmed(_sub(half, [1])))
        if 1 < len(common) < len(f):
            first = _split(common)
            return first and first + _split(_divmod(f, common)[0])
        if attempt == _SUSPICIOUS and _all_ones([0, 1], 127, modulus) != [0, 1]:
            return []  # x^P = x modulo f only where f is such a product
    return []  # of three roots or more, no 64 shifts leave all on one side: chance 2^-128


def _quadratic(f: Polynomial) -> list[int]:
    """Return the two roots of x^2 + bx + c: P is 3 modulo 4, so d^((P + 1) / 4) is a root of d."""
    root = pow(f[1] * f[1] - 4 * f[0], (P + 1) // 4, P)
    return [(-f[1] + sign * root) * HALF % P for sign in (1, -1)]


def _shifts(f: Polynomial) -> list[int]:
    """Return shifts that nobody chooses, equal wherever the polynomial is."""
    seed = hashlib.sha256(b"quorate/v1/roots\0" + encode(f)).digest()
    numbers = (hashlib.sha256(seed + bytes([i])).digest() for i in range(_TRIES))
    return [int.from_bytes(number, "little") % P for number in numbers]


def _all_ones(a: Polynomial, bits: int, modulus: "_Modulus") -> Polynomial:
    """Return a^(2^bits - 1) modulo a polynomial: P and (P - 1) / 2 are such exponents.

    With a^(2^k - 1) known, k squarings and one product give a^(2^(2k) - 1).
    """
    base = power = _packed(a)
    ones = 1
    for bit in bin(bits)[3:]:
        shifted = power
        for _ in range(ones):
            shifted = modulus.reduced(shifted * shifted)
        power, ones = modulus.reduced(shifted * power), 2 * ones
        if bit == "1":
            power = modulus.reduced(power * power)
            power, ones = modulus.reduced(power * base), ones + 1
    return _trimmed(_unpacked(power, modulus.degree))


class _Modulus:
    """A monic polynomial f of degree d >= 2; polynomials below it are long integers here."""

    def __init__(self, f: Polynomial) -> None:
        self.degree = d = len(f) - 1
        row = [-x % P for x in f[:-1]]
        self.rows: list[int] = []
        """x^d, x^(d+1), ... modulo f: what the upper coefficients of a product stand for."""
        while len(self.rows) < d - 1:
            self.rows.append(_packed(row))
            top = row[-1]
            row = [(below - top * x) % P for below, x in zip([0, *row[:-1]], f[:-1], strict=True)]

    def reduced(self, product: int) -> int:
        """Return a product of two polynomials modulo f."""
        cut = 8 * _SLOT * self.degree
        upper, total = product >> cut, product & ((1 << cut) - 1)
        for x, row in zip(_unpacked(upper, self.degree - 1), self.rows, strict=True):
            total += x * row
        return _packed(_unpacked(total, self.degree))


def _packed(a: Polynomial) -> int:
    return int.from_bytes(b"".join(x.to_bytes(_SLOT, "little") for x in a), "little")


def _unpacked(a: int, count: int) -> Polynomial:
    data = a.to_bytes(count * _SLOT, "little")
    return [
        int.from_bytes(data[at : at + _SLOT], "little") % P for at in range(0, len(data), _SLOT)
    ]


def _sub(a: Polynomial, b: Polynomial) -> Polynomial:
    size = max(len(a), len(b))
    long_a, long_b = a + [0] * (size - len(a)), b + [0] * (size - len(b))
    return [(x - y) % P for x, y in zip(long_a, long_b, strict=True)]


def _trimmed(a: Polynomial) -> Polynomial:
    while a and not a[-1]:
        a = a[:-1]
    return a


def _gcd(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the monic greatest common divisor."""
    while b:
        a, b = b, _divmod(a, b)[1]
    inverse = pow(a[-1], -1, P)
    return [x * inverse % P for x in a]


def _divmod(a: Polynomial, b: Polynomial) -> tuple[Polynomial, Polynomial]:
    rest, inverse = list(a), pow(b[-1], -1, P)
    quotient = [0] * max(len(a) - len(b) + 1, 0)
    for at in range(len(quotient) - 1, -1, -1):
        factor = rest[at + len(b) - 1] * inverse % P
        quotient[at] = factor
        if factor:
            for i, x in enumerate(b):
                rest[at + i] = (rest[at + i] - factor * x) % P
    return quotient, _trimmed(rest[: len(b) - 1])
