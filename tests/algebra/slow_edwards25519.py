"""edwards25519 by the formulas of RFC 8032 on Python's integers: slow, and plainly right."""

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)

Affine = tuple[int, int]


def add(a: Affine, b: Affine) -> Affine:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P
    return x, y


def mul(k: int, a: Affine) -> Affine:
    total: Affine = (0, 1)
    while k:
        if k & 1:
            total = add(total, a)
        a, k = add(a, a), k >> 1
    return total


def encode(a: Affine) -> bytes:
    return (a[1] | (a[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Affine | None:
    """The point that `data` encodes canonically, of any order; None where there is none."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


_BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _BASE is not None
BASE: Affine = _BASE


def torsion() -> list[Affine]:
    """The eight points whose order divides eight: the multiples of one of order eight."""
    for y in range(2, 100):
        point = decode(y.to_bytes(32, "little"))
        if point is None:
            continue
        eighth = mul(ORDER, point)
        if mul(4, eighth) != (0, 1):
            return [mul(k, eighth) for k in range(8)]
    raise AssertionError("no point of order eight was found")
