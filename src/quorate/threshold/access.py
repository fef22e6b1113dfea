"""Which sets of holders may act with a key, and how their shares then add up to it.

By number: any `min_signers`, with Shamir's shares [Sha79]. By policy: a tree of
gates, each of which needs some of what is below it, with one holder at each
leaf. The tree is a linear scheme of its own [BL88], a monotone span program
[KW93]: coefficients a, the secret first; one row of public numbers a holder;
the share is row * a. A gate that needs k adds k - 1 columns, and its child at
place x gets the gate's vector and x^c in the c-th of them. Whatever adds up
shares does so with `weight`, and knows nothing of the difference.

Fewer than a set that may act know nothing of the secret beyond its point.
Policies are **unreviewed**: the proofs for FROST are written for Shamir's shares.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.threshold import sharing
from quorate.threshold.rule import Rule
from quorate.threshold.sharing import Commitment, Polynomial
from quorate.wire import ABSENT, Absent

MAX_DEPTH, MAX_HOLDERS = 6, 100
"""Of a policy: gates above one another, and leaves."""

UNREVIEWED = "its shares follow a policy of roles, which nobody outside has reviewed"
"""For the eyes of whoever is shown a key with a policy."""

Weights = tuple[tuple[int, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """So many of these: each a gate, or the identifier of a holder."""

    needed: int
    of: "tuple[Gate | int, ...]"


@dataclass(frozen=True, slots=True)
class Access:
    """`min_signers` of `max_signers`, or what `policy` says, of which that is the fewest."""

    min_signers: int
    max_signers: int
    policy: Gate | Absent = ABSENT

    @property
    def columns(self) -> int:
        """How many coefficients, and points of a commitment, there are."""
        return self.min_signers if self.policy is ABSENT else len(_rows(self.policy)[0])

    def share(self, coefficients: Polynomial, identifier: int) -> Scalar:
        if self.policy is ABSENT:
            return sharing.evaluate(coefficients, identifier)
        row = _rows(self.policy)[identifier - 1]
        products = (ed.scalar_mul(m, a) for m, a in zip(row, coefficients, strict=True))
        return ed.scalar_sum(products)

    def point(self, commitment: Commitment, identifier: int) -> Point:
        """Return the share of `identifier` times BASE."""
        if self.policy is ABSENT:
            return sharing.public_share(commitment, identifier)
        return ed.multi_mul(_rows(self.policy)[identifier - 1], commitment)

    def verify_share(self, share: Scalar, identifier: int, commitment: Commitment) -> None:
        """Raise `VerificationFailed` unless `share` is what `commitment` says of `identifier`."""
        if ed.base_mul(share) != self.point(commitment, identifier):
            raise VerificationFailed(f"the share of {identifier} is not the one committed to")

    def suffice(self, identifiers: Iterable[int]) -> bool:
        """Return whether these holders may act; any order, any repeats."""
        present = frozenset(identifiers)
        if self.policy is ABSENT:
            return len(present) >= self.min_signers
        return _satisfied(self.policy, present)

    def weight(self, identifier: int, identifiers: Sequence[int]) -> Scalar:
        """Return what the share of `identifier` counts when these, who suffice, act together.

        By policy it may be zero: of more holders than a gate needs, the first count.
        """
        if self.policy is ABSENT:
            return sharing.lagrange(identifier, identifiers)
        return dict(_weights(self.policy, tuple(identifiers))).get(identifier, ed.ZERO)

    @property
    def wanted(self) -> str:
        """Who must act: a number of holders, or the policy over their identifiers."""
        return str(self.min_signers) if self.policy is ABSENT else _text(self.policy)

    def __str__(self) -> str:
        return self.wanted if self.policy is not ABSENT else f"{self.wanted} of {self.max_signers}"


def check_access(access: Access) -> None:
    """Raise `MalformedMessage` unless a key could have this access structure.

    Two holders at least must act together, and a policy names each holder once.
    """
    try:
        Rule(access.min_signers, access.max_signers)
    except Refused as e:
        raise MalformedMessage(str(e)) from None
    if access.policy is ABSENT:
        return
    if _depth(access.policy) > MAX_DEPTH:
        raise MalformedMessage(f"a policy is more than {MAX_DEPTH} gates deep")
    leaves = list(leaves_of(access.policy))
    if len(leaves) > MAX_HOLDERS or sorted(leaves) != list(range(1, access.max_signers + 1)):
        raise MalformedMessage("a policy names every holder once, and nobody else")
    if any(not 1 <= gate.needed <= len(gate.of) for gate in _gates(access.policy)):
        raise MalformedMessage("a gate of a policy can never open, or never be shut")
    if fewest(access.policy) != access.min_signers:
        raise MalformedMessage("a policy opens to fewer holders than is said, or to more")


def fewest(gate: Gate | int) -> int:
    """Return the size of the smallest set that may act."""
    if isinstance(gate, int):
        return 1
    return sum(sorted(map(fewest, gate.of))[: gate.needed])


def leaves_of(gate: Gate | int) -> Iterator[int]:
    """Return the holders from left to right."""
    if isinstance(gate, int):
        yield gate
        return
    for child in gate.of:
        yield from leaves_of(child)


def _gates(gate: Gate | int) -> Iterator[Gate]:
    if isinstance(gate, Gate):
        yield gate
        for child in gate.of:
            yield from _gates(child)


def _depth(gate: Gate | int) -> int:
    return 0 if isinstance(gate, int) else 1 + max(map(_depth, gate.of), default=0)


def _satisfied(gate: Gate | int, present: frozenset[int]) -> bool:
    if isinstance(gate, int):
        return gate in present
    return sum(_satisfied(child, present) for child in gate.of) >= gate.needed


@lru_cache(maxsize=64)
def _rows(policy: Gate) -> tuple[tuple[Scalar, ...], ...]:
    """Return the row of each holder, by seat, all as wide as the program has columns."""
    columns = 1 + sum(gate.needed - 1 for gate in _gates(policy))
    found: dict[int, tuple[Scalar, ...]] = {}
    free = iter(range(1, columns))

    def descend(gate: Gate | int, vector: tuple[int, ...]) -> None:
        if isinstance(gate, int):
            found[gate] = tuple(map(ed.scalar, vector))
            return
        fresh = [next(free) for _ in range(gate.needed - 1)]
        for place, child in enumerate(gate.of, 1):
            below = list(vector)
            for power, column in enumerate(fresh, 1):
                below[column] = place**power % ed.ORDER
            descend(child, tuple(below))

    descend(policy, (1, *[0] * (columns - 1)))
    return tuple(found[identifier] for identifier in sorted(found))


@lru_cache(maxsize=64)
def _weights(policy: Gate, identifiers: tuple[int, ...]) -> Weights:
    present = frozenset(identifiers)
    if not _satisfied(policy, present):
        raise Refused("these holders do not suffice by the key's policy")
    return tuple(_below(policy, present, ed.ONE))


def _below(
    gate: Gate | int, present: frozenset[int], weight: Scalar
) -> Iterator[tuple[int, Scalar]]:
    if isinstance(gate, int):
        yield gate, weight
        return
    open_ones = [x for x, child in enumerate(gate.of, 1) if _satisfied(child, present)]
    chosen = open_ones[: gate.needed]
    for x in chosen:
        share = ed.scalar_mul(weight, sharing.lagrange(x, chosen))
        yield from _below(gate.of[x - 1], present, share)


def _text(gate: Gate | int) -> str:
    if isinstance(gate, int):
        return str(gate)
    return f"{gate.needed} of ({', '.join(map(_text, gate.of))})"
