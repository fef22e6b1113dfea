"""How many holders of a key must act together, as a person writes it."""

import re
from dataclasses import dataclass

from quorate.errors import Refused
from quorate.threshold.sharing import MAX_SIGNERS

HINT = 'write "3 of 5" (any numbers), "majority" or "half"'


@dataclass(frozen=True, slots=True)
class Rule:
    """`min_signers` of `max_signers`. Raises `Refused` where it could not be a rule."""

    min_signers: int
    max_signers: int

    def __post_init__(self) -> None:
        if not 2 <= self.max_signers <= MAX_SIGNERS:
            raise Refused(
                f"a key has 2 to {MAX_SIGNERS} holders, not {self.max_signers}", hint=HINT
            )
        if self.min_signers > self.max_signers:
            raise Refused(f"{self.min_signers} of {self.max_signers} can never act", hint=HINT)
        if self.min_signers < 2:
            raise Refused(
                f"with {self.min_signers} of {self.max_signers} one holder could act alone",
                hint="a key that is shared needs at least two",
            )

    def __str__(self) -> str:
        return f"{self.min_signers} of {self.max_signers}"

    @property
    def warning(self) -> str:
        """What its owners should know before they choose it; empty where there is nothing."""
        if 2 * self.min_signers > self.max_signers:
            return ""
        return (
            f"with {self}, two groups of {self.min_signers} that share no member can act against "
            f"each other; a majority, {majority(self.max_signers)}, rules this out"
        )


def majority(max_signers: int) -> int:
    """Return the least number of which there are not two disjoint groups."""
    return max_signers // 2 + 1


def parse_rule(text: str, max_signers: int) -> Rule:
    """Return the rule that `text` means among `max_signers` holders.

    `majority` is more than half, `half` is half, rounded up; `3 of 5` is itself.
    Raises `Refused` for other words, other numbers of holders, and what is no rule.
    """
    words = " ".join(text.lower().split())
    if words == "majority":
        return Rule(majority(max_signers), max_signers)
    if words == "half":
        return Rule((max_signers + 1) // 2, max_signers)
    match = re.fullmatch(r"([0-9]{1,5}) ?of ?([0-9]{1,5})", words)
    if match is None:
        raise Refused("this is not how many must act together", hint=HINT)
    rule = Rule(int(match[1]), int(match[2]))
    if rule.max_signers != max_signers:
        raise Refused(
            f"{rule} counts {rule.max_signers} holders, but there are {max_signers}", hint=HINT
        )
    return rule
