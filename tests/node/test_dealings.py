"""What nodes keep of a released study lets an audit trace what each member dealt."""

import pytest

from quorate.algebra import ring
from quorate.errors import NotFound
from quorate.node.dealings import dealings_of
from quorate.studies.dealings import (
    kept_from_json,
    kept_to_json,
    opening_from_json,
    opening_to_json,
    trace,
)
from tests.node.test_desk import among_three
from tests.node.test_evidence import proposed
from tests.node.test_runs import settled
from tests.node.three import Hospital, until


def test_an_audit_traces_what_each_member_dealt_to_its_rows() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        digest = await proposed(hospitals)
        assert (await hospitals[0].run(digest))[-1].done
        await until(settled(hospitals, digest))
        found = [dealings_of(one.desk, digest.hex()) for one in hospitals]
        records = [kept_from_json(kept_to_json(one.kept)) for one in found if one.kept is not None]
        assert len(records) == len(hospitals)
        for hospital, one, record in zip(hospitals, found, records, strict=True):
            opening = opening_from_json(opening_to_json(one.opening))
            plan = hospital.desk.store.study(digest).plan
            rows = await hospital.desk.own_part(plan)
            assert ring.to_signed(trace(opening, records)).tolist() == list(rows)
            assert f"{plan.short_id} {record.digest().hex()}" in hospital.details()
            assert one.opening.parts[0].hex() not in hospital.details()

    among_three(body)


def test_a_study_that_did_not_run_has_nothing_to_open() -> None:
    async def body(hospitals: list[Hospital]) -> None:
        digest = await proposed(hospitals)
        with pytest.raises(NotFound, match="nothing is kept"):
            dealings_of(hospitals[0].desk, digest.hex())

    among_three(body)
