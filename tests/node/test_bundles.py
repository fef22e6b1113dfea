"""Bundles among three real nodes: one word on every arm, and exact beside noised results."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.dp.accounting import NANO
from quorate.errors import Abort, MalformedStudy, Refused, VerificationFailed
from quorate.node import desk as desk_module
from quorate.node.lifecycle import State
from quorate.node.messages import Proposal
from quorate.node.store import Entry
from quorate.studies.approval import (
    Approval,
    sign_approval,
    verify_all_approve,
    verify_approval,
)
from quorate.studies.bundle import read_bundle
from quorate.studies.release import verify_release
from quorate.studies.times import utc_text
from tests.node.test_desk import among_three
from tests.node.three import NOW, STUDY, Hospital, until

THIRD = 'trust = "third-party"\nthird_party = "north"\n'
EXACT = f"{STUDY}\n[arms.server]\n{THIRD}\n[arms.secure]\n"
BOTH = EXACT + '[arms.noisy]\nprivacy = { bounds = "protocol", epsilon = 1.0 }\n'


def classify(hospitals: Iterable[Hospital], **classes: str) -> None:
    for hospital in hospitals:
        path = hospital.home.folder / "ages.csv"
        said = classes.get(hospital.home.name, "synthetic")
        hospital.home.add_table("patients", Path(path), said)
        hospital.desk.budgets.set("patients", 3 * NANO, None, "first")


async def proposed(hospitals: list[Hospital], text: str) -> Entry:
    """Propose a bundle, and return its first study, once all know it."""
    entry, untold = await hospitals[0].desk.propose(text, ())
    assert not untold
    return entry


def states(hospital: Hospital) -> list[State]:
    return [entry.state for entry in hospital.desk.store.all_studies()]


def test_one_word_of_each_member_is_on_every_arm_and_all_agree() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals)
        entry = await proposed(hospitals, BOTH)
        for hospital in hospitals[1:]:
            assert states(hospital) == [State.PROPOSED] * 3
            await hospital.desk.approve(entry.plan.digest())
        assert [states(hospital) for hospital in hospitals] == [[State.APPROVED] * 3] * 3
        store = hospitals[2].desk.store
        plans = hospitals[2].desk.bundle(entry.plan)
        words = [store.approvals(plan.digest()) for plan in plans]
        assert words[0] == words[1] == words[2]
        for plan in plans:
            progress = await hospitals[1].run(plan.digest())
            assert progress[-1].done, progress[-1]
            await until(lambda: not any(h.runs.current for h in hospitals))
        releases = [store.study(plan.digest()).release for plan in plans]
        found = [release.certificate.results for release in releases if release is not None]
        assert found[0] == found[1]
        assert found[2] != found[0]
        for release in releases:
            assert release is not None
            assert verify_release(release, group=hospitals[0].desk.group).roster_known
            assert {a.approval.data for a in release.approvals} == {"synthetic"}

    among_three(body)


def test_who_declines_one_arm_declines_the_bundle() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await proposed(hospitals, EXACT)
        await hospitals[1].desk.decline(hospitals[1].desk.bundle(entry.plan)[1].digest())
        assert [states(hospital) for hospital in hospitals] == [[State.REFUSED] * 2] * 3

    among_three(body)


@pytest.mark.parametrize("who", ["north", "west"])
def test_exact_beside_noised_is_refused_by_whom_the_real_data_are(who: str) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals, **{who: "real"})
        if who == "north":
            with pytest.raises(Refused, match="data of north are real"):
                await proposed(hospitals, BOTH)
            return
        entry = await proposed(hospitals, BOTH)
        with pytest.raises(Refused, match="data of west are real"):
            await hospitals[2].desk.approve(entry.plan.digest())

    among_three(body)


def test_exact_beside_noised_is_not_run_whatever_a_member_approved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """West's node approves though its data are real: the others refuse to run."""

    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals, west="real")
        entry = await proposed(hospitals, BOTH)
        with monkeypatch.context() as patched:
            patched.setattr(desk_module, "check_classes", lambda *_: None)
            for hospital in hospitals[1:]:
                await hospital.desk.approve(entry.plan.digest())
        with pytest.raises(Refused, match="data of west are real"):
            hospitals[0].runs.start(entry.plan.digest())

    among_three(body)


def test_control_without_the_classes_the_noise_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals, west="real")
        monkeypatch.setattr(desk_module, "check_classes", lambda *_: None)
        entry = await proposed(hospitals, BOTH)
        for hospital in hospitals[1:]:
            await hospital.desk.approve(entry.plan.digest())
        for plan in hospitals[0].desk.bundle(entry.plan):
            assert (await hospitals[0].run(plan.digest()))[-1].done
            await until(lambda: not any(h.runs.current for h in hospitals))
        plans = hospitals[0].desk.bundle(entry.plan)
        _, exact, noisy = (hospitals[0].desk.store.study(plan.digest()).release for plan in plans)
        assert exact is not None
        assert noisy is not None
        assert exact.certificate.results[0].exact == "7"  # what the noise was to hide

    among_three(body)


def test_data_that_became_real_since_they_were_approved_are_not_used() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        classify(hospitals)
        entry = await proposed(hospitals, BOTH)
        for hospital in hospitals[1:]:
            await hospital.desk.approve(entry.plan.digest())
        classify(hospitals[1:2], south="real")
        last = (await hospitals[0].run(entry.plan.digest()))[-1]
        assert isinstance(last.error, Abort)
        assert "are real now" in str(last.error)

    among_three(body)


def test_a_word_on_one_plan_is_none_on_a_bundle() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await proposed(hospitals, EXACT)
        plan, group = entry.plan, hospitals[0].desk.group
        north = hospitals[0].desk.store.approvals(plan.digest())
        alone = [
            sign_approval(
                h.home.identity,
                Approval(
                    plan.digest(), h.home.name, "approve", utc_text(NOW), "2030-02-01T00:00:00Z"
                ),
            )
            for h in hospitals[1:]
        ]
        with pytest.raises(Refused, match="one and the same bundle"):
            verify_all_approve(group, plan, [*north, *alone], NOW)
        with pytest.raises(Refused, match="another plan, or bundle"):
            hospitals[1].desk._take_proposal(Proposal(plan, north))

    among_three(body)


def test_a_signed_class_cannot_be_changed() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        entry = await proposed(hospitals, EXACT)
        (signed,) = hospitals[0].desk.store.approvals(entry.plan.digest())
        assert signed.approval.data == "real"
        forged = replace(signed, approval=replace(signed.approval, data="public"))
        with pytest.raises(VerificationFailed):
            verify_approval(hospitals[0].desk.group, forged)

    among_three(body)


@pytest.mark.parametrize(
    "text",
    [
        EXACT.split("[arms.secure]")[0],
        EXACT + "[arms.more]\nrows = 1\n",
        'trust = "mpc"\n' + EXACT,
        STUDY + "\narms = 3\n",
    ],
)
def test_a_bundle_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(MalformedStudy):
        read_bundle(text)
