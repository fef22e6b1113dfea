"""The field of 2^128 elements as GHASH has it, on arrays, and fingerprints of long arrays in it.

An element is two words, big-endian, whose highest bit is the constant, modulo
x^128 + x^7 + x^2 + x + 1 [Dwo07]. Polynomials over it are evaluated by OpenSSL: the GMAC of
data under a key K, less that of as many zeros, is

    FP(v_1 ... v_N) = v_1 H^(N+1) + ... + v_N H^2,    H = AES_K(0),

linear in the data, at the speed of memory. Two different arrays have the same fingerprint
under a random H with probability at most (N + 1) / 2^128.

The subfield of 2^32 elements has a basis of products of beta_0 ... beta_4, where

    beta_d^2 = beta_d + beta_0 ... beta_(d-1);

element p of the basis is the product of the beta_d of which p has bit d. So an element of the
subfield is 32 bits, and 32 arrays of bits are an array of elements.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quorate.algebra.ring import Words, blocks

ELEMENT_BITS = 128
BYTES = 16
LEVELS = 5
PLANES = 1 << LEVELS
"""Bits of an element of the subfield."""

Elements = Words
"""An array (..., 2) of elements."""

Element = int
"""One element: its two words as one number."""

ONE: Element = 1 << 127
_REDUCTION = 0xE1 << 120
_TOP = np.uint64(0xE1 << 56)
_LAST = np.uint64(1)
_SHIFT = np.uint64(63)


def times(a: Element, b: Element) -> Element:
    """Return the product of two elements."""
    total = 0
    for i in range(127, -1, -1):
        if b >> i & 1:
            total ^= a
        a = (a >> 1) ^ (_REDUCTION if a & 1 else 0)
    return total


def power(a: Element, exponent: int) -> Element:
    """Return `a` multiplied by itself `exponent` times."""
    total = ONE
    for bit in f"{exponent:b}":
        total = times(total, total)
        if bit == "1":
            total = times(total, a)
    return total


def element(data: bytes) -> Element:
    return int.from_bytes(data, "big")


def elements(numbers: Iterable[Element]) -> Elements:
    """Return single elements as an array."""
    return from_bytes(b"".join(number.to_bytes(BYTES, "big") for number in numbers))


def numbers(a: Elements) -> list[Element]:
    """Return the elements of an array (n, 2) singly."""
    return [int(high) << 64 | int(low) for high, low in a]


def from_bytes(data: bytes) -> Elements:
    """Return an array (len(data) / 16, 2)."""
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, 2)


def multiply(a: Elements, b: Elements) -> Elements:
    """Return the products, element by element."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    factor = np.broadcast_to(b, shape)
    high, low = (np.ascontiguousarray(np.broadcast_to(a, shape)[..., i]) for i in (0, 1))
    total = np.zeros((2, *high.shape), np.uint64)
    for i in range(ELEMENT_BITS):
        bit = (factor[..., i // 64] >> np.uint64(63 - i % 64)) & _LAST
        mask = np.negative(bit)
        total[0] ^= high & mask
        total[1] ^= low & mask
        carried = np.negative(low & _LAST) & _TOP
        low = (low >> _LAST) | (high << _SHIFT)
        high = (high >> _LAST) ^ carried
    return np.ascontiguousarray(np.moveaxis(total, 0, -1))


def scaled(a: Elements, factor: Element) -> Elements:
    """Return the products with one element, by a table of its products with each byte."""
    tables = _tables(factor)
    data = a.astype(">u8").view(np.uint8).reshape(-1, BYTES)
    total = np.zeros((len(data), 2), np.uint64)
    for table, byte in zip(tables, data.T, strict=True):
        total ^= table[byte]
    return total.reshape(a.shape)


def _tables(factor: Element) -> Words:
    """Return, for each of the 16 bytes and each of its values, the product: (16, 256, 2)."""
    multiples = []
    for _ in range(ELEMENT_BITS):
        multiples.append(factor)
        factor = (factor >> 1) ^ (_REDUCTION if factor & 1 else 0)
    rows = elements(multiples).reshape(BYTES, 8, 2)
    tables = np.zeros((BYTES, 1, 2), np.uint64)
    for bit in range(7, -1, -1):
        tables = np.concatenate((tables, tables ^ rows[:, bit, None]), axis=1)
    return tables


def subfield_times(a: Words, b: Words, level: int = LEVELS) -> Words:
    """Return products in the subfield of 2^(2^level) elements, given by their bits."""
    if level == 0:
        return a & b
    half = 1 << level - 1
    shift, low = np.uint64(half), np.uint64((1 << half) - 1)
    parts = [np.stack((x & low, x >> shift, (x & low) ^ (x >> shift))) for x in (a, b)]
    zeroth, second, crossed = subfield_times(parts[0], parts[1], level - 1)
    constant = np.broadcast_to(np.uint64(1 << half - 1), second.shape)
    folded: Words = zeroth ^ subfield_times(second, constant, level - 1)
    folded ^= (crossed ^ zeroth) << shift
    return folded


def embedded(a: Words) -> Elements:
    """Return elements of the subfield, given by their bits, as elements of the field."""
    total = np.zeros((*a.shape, 2), np.uint64)
    for p, one in enumerate(elements(basis())):
        bit = np.negative((a >> np.uint64(p)) & _LAST)
        total ^= bit[..., None] & one
    return total


def from_planes(planes: Words) -> Words:
    """Return the elements of the subfield of which these 32 arrays are the bits, in byte order."""
    bits = np.unpackbits(np.ascontiguousarray(planes).view(np.uint8), axis=1)
    total = np.zeros(bits.shape[1], np.uint64)
    for p, row in enumerate(bits):
        total |= row.astype(np.uint64) << np.uint64(p)
    return total


@cache
def betas() -> tuple[Element, ...]:
    """Return beta_0 ... beta_4."""
    found: list[Element] = []
    constant = ONE
    for _ in range(LEVELS):
        found.append(_root(constant))
        constant = times(constant, found[-1])
    return tuple(found)


@cache
def basis() -> tuple[Element, ...]:
    """Return the basis of the subfield."""
    found = [ONE]
    for beta in betas():
        found += [times(one, beta) for one in found]
    return tuple(found)


def _root(constant: Element) -> Element:
    """Return a y with y^2 + y = constant, where there is one: the equation is linear in bits."""
    reduced: dict[int, tuple[Element, Element]] = {}
    for i in range(ELEMENT_BITS):
        y = 1 << i
        image = times(y, y) ^ y
        while image and (known := reduced.get(image.bit_length())):
            image, y = image ^ known[0], y ^ known[1]
        if image:
            reduced[image.bit_length()] = image, y
    found = 0
    while constant:
        image, y = reduced[constant.bit_length()]
        constant, found = constant ^ image, found ^ y
    return found


class Fingerprint:
    """FP under a key that is used for nothing else."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        cipher = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305 - one block
        self.point = element(cipher.update(bytes(BYTES)))
        """H."""
        self._of_zeros: dict[int, Elements] = {}

    def tag(self, words: Words) -> bytes:
        """Return the GMAC of a contiguous array of whole blocks."""
        return self._aead.encrypt(bytes(12), b"", words.data.cast("B"))

    def of_tags(self, tags: Iterable[bytes], size: int) -> Elements:
        """Return the fingerprints of arrays of `size` words whose GMACs these are."""
        if size not in self._of_zeros:
            self._of_zeros[size] = from_bytes(self.tag(np.zeros(size, np.uint64)))
        return from_bytes(b"".join(tags)) ^ self._of_zeros[size]

    def of(self, words: Words) -> Elements:
        """Return the fingerprint of an array of an even number of words, as (1, 2)."""
        found = np.zeros((1, 2), np.uint64)
        for here in blocks(words.size, 1 << 20):
            part = words[here]
            found = self.after(found, part.size) ^ self.of_tags([self.tag(part)], part.size)
        return found

    def after(self, found: Elements, size: int) -> Elements:
        """Return what fingerprints count for that are followed by `size` words."""
        return scaled(found, power(self.point, size // 2)) if found.any() else found

    def weights(self, size: int, variables: int) -> list[Element]:
        """Return what a row of `size` words counts for by each bit of its number that is 0."""
        return [power(self.point, (size // 2) << d) for d in reversed(range(variables))]

    def places(self, size: int) -> Elements:
        """Return what each bit of `size` words counts for, in the order of bytes: (64 size, 2)."""
        count = size // 2
        powers = elements(power(self.point, count + 1 - i) for i in range(count))
        bits = elements(1 << 127 - i for i in range(ELEMENT_BITS))
        return multiply(powers[:, None], bits).reshape(-1, 2)
