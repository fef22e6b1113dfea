"""What a node keeps of a run that was aborted, and what its operator can show of it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.errors import Abort, VerificationFailed
from quorate.node.evidence import evidence_of
from quorate.studies.evidence import verify_evidence
from quorate.studies.protocols import SIGNED_MESSAGES
from tests.node.test_desk import among_three
from tests.node.test_runs import settled
from tests.node.three import STUDY, Hospital, error_of, until

SMALL = STUDY.replace("max_rows = 1000", "max_rows = 1000\nmin_cell = 2").replace(
    "from patients", "from patients where age >= 50"
)


async def proposed(hospitals: list[Hospital]) -> bytes:
    entry, _ = await hospitals[0].desk.propose(SMALL, (SIGNED_MESSAGES,))
    for hospital in hospitals[1:]:
        entry, _ = await hospital.desk.approve(entry.plan.digest())
    return entry.plan.digest()


def test_members_that_sign_get_their_result_and_keep_nothing() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        digest = await proposed(hospitals)
        progress = await hospitals[0].run(digest)
        assert progress[-1].done
        await until(settled(hospitals, digest))
        for hospital in hospitals:
            assert hospital.desk.store.study(digest).release is not None
            assert evidence_of(hospital.desk.store, digest) is None

    among_three(body)


def test_what_was_heard_is_kept_of_a_run_that_ends_in_an_abort() -> None:
    """One member signs with a key that is not its own: a suspect, and no culprit."""

    async def body(hospitals: list[Hospital]) -> None:
        digest = await proposed(hospitals)
        north, south, west = hospitals
        west.desk.home.identity = Ed25519PrivateKey.generate()
        error = error_of(await north.run(digest))
        await until(settled(hospitals, digest))
        assert isinstance(error, Abort)
        assert not error.culprits
        kept = [evidence_of(h.desk.store, digest) for h in (north, south)]
        found = [one for one in kept if one is not None and one.heard]
        assert found
        for one in found:
            assert all(heard.statement.sender != 2 for heard in one.heard)
            with pytest.raises(VerificationFailed, match="prove nothing"):
                verify_evidence([one], north.desk.group)

    among_three(body)
