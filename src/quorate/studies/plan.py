"""A plan: exactly what will run, among whom, and what will be revealed, as data.

    study + group --compile_plan--> Plan --digest--> what every member approves
    Plan --inputs--> what each member computes on its own rows
    Plan + what is revealed --results--> what the study's releases are

A plan that arrives from another member is held to the same rules as one
compiled here: call `planning.check` before believing any of it.
"""

from dataclasses import dataclass
from typing import Literal

from quorate import wire
from quorate.mpc.replicated import Security
from quorate.studies.analyses.kinds import every_input, stepping_of
from quorate.studies.analyses.outcome import results_told
from quorate.studies.analyses.stepped import Stepping
from quorate.studies.inputs import (
    Input,
    decimals,
    size,
)
from quorate.studies.noised import Vector, vectors_of
from quorate.studies.noisy_results import noisy_results
from quorate.studies.protocols import (
    SEMI_HONEST,
    SIGNED_MESSAGES,
    Protocol,
    TrustModel,
)
from quorate.studies.records import is_on_records, results_of_records, sums_of
from quorate.studies.results import Result, results_of, results_revealed
from quorate.studies.study import Study


def short_id(digest: bytes) -> str:
    """Return the beginning of a plan's digest, as `Plan.short_id`."""
    text = digest.hex()
    return f"{text[:4]}-{text[4:8]}"


@dataclass(frozen=True, slots=True)
class Plan:
    format: int
    study: Study
    group: bytes  # digest of the roster
    members: tuple[str, ...]  # in roster order; each is asked for its own rows
    computes: tuple[str, ...]  # who runs the protocol
    recipients: tuple[str, ...]  # who learns the pooled totals
    proposer: str
    proposed_at: str  # UTC, such as 2027-01-31T09:30:00Z
    trust_model: TrustModel
    protocol: Protocol
    t: int  # colluding members it holds against; of those who compute, where these are three
    privacy: Literal["none", "differential"]  # what the study says of it; none: values are exact
    accept: tuple[str, ...]  # risks the members accept by approving, sorted
    software: str

    def digest(self) -> bytes:
        return wire.digest("plan", self)

    @property
    def short_id(self) -> str:
        """Return the digest's beginning, for people: enough to tell plans apart, not to trust."""
        return short_id(self.digest())

    @property
    def security(self) -> Security:
        """Return what one of the committee may do: anything, unless the members accepted less."""
        return "semi-honest" if SEMI_HONEST in self.accept else "malicious"

    @property
    def is_signed(self) -> bool:
        """Return whether members sign all they say in a run, so that lies can be shown."""
        return SIGNED_MESSAGES in self.accept

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Return the vectors each member computes, each once."""
        return every_input(self.study, len(self.members))

    @property
    def vectors(self) -> tuple[Vector, ...]:
        """Return what each member computes where the study is under privacy."""
        return vectors_of(self.study)

    @property
    def stepping(self) -> Stepping:
        """Return the steps of a plan that is computed by steps."""
        found = stepping_of(self.study, len(self.members))
        if found is None:
            raise TypeError("this plan has no steps")
        return found

    @property
    def numbers(self) -> int:
        """Return how many integers each member puts into the secure sum."""
        if is_on_records(self.study):
            return sums_of(self.study)
        if self.study.is_scored:
            return self.study.scoring.record.patients
        if self.study.privacy is not None:
            return sum(vector.size for vector in self.vectors)
        return sum(size(self.study, item.cells) for item in self.inputs)

    @property
    def revealed(self) -> int:
        """Return how many numbers come out of a study under privacy."""
        if is_on_records(self.study):
            return sums_of(self.study)
        return sum(vector.revealed for vector in self.vectors)

    def decimals(self, item: Input) -> int:
        """Return to how many decimals each member rounds `item`."""
        found = decimals(self.study, len(self.members), item)
        if found is None:
            raise ValueError("a plan that passed `check` has no sum that could overflow")
        return found

    def results(self, totals: tuple[int, ...]) -> tuple[Result, ...]:
        """Return what the releases are when `totals` are the pooled inputs, or noisy vectors.

        Totals no honest members could have produced raise `Abort`.
        """
        if is_on_records(self.study):
            return results_of_records(self.study, totals)
        if self.study.privacy is not None:
            return noisy_results(self.study, totals)
        return results_of(self.study, len(self.members), totals)

    def results_revealed(
        self, numbers: tuple[int, ...], hidden: tuple[bool, ...], told: tuple[int, ...] = ()
    ) -> tuple[Result, ...]:
        """Return the results when a committee revealed `numbers`, withheld `hidden` and `told`.

        What no honest members could have produced raises `Abort`.
        """
        n = len(self.members)
        return (
            *results_revealed(self.study, n, numbers, hidden),
            *results_told(self.study, n, told),
        )
