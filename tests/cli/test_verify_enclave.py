"""`quorate verify` of a release made in an enclave: then, today, and what is taken on faith."""

from datetime import timedelta
from pathlib import Path

import pytest

from quorate.cli.verify import lines_of, report_on
from quorate.studies.release import to_json
from tests.parties import run_parties
from tests.studies.enclosed import here, plan_inside, running_inside
from tests.studies.rows import RELEASES
from tests.studies.test_enclave_run import released, rows_of
from tests.studies.test_third_party import PRIVATE
from tests.studies.trio import NOW, group_of


@pytest.mark.parametrize("text", [RELEASES, PRIVATE], ids=["exact", "private"])
def test_verify_says_then_and_today_apart_and_what_to_believe(tmp_path: Path, text: str) -> None:
    plan = plan_inside(text)
    ran = run_parties(running_inside(plan, rows_of(tmp_path, plan), here(plan)), 3)
    written = to_json(released(ran[0]))
    now, later = (
        report_on(written, group_of(*plan.members), when)
        for when in (NOW, NOW + timedelta(days=60))
    )
    watermark, then, today = now.origin
    assert watermark == "SIMULATED - NO CONFIDENTIALITY"
    assert "valid when it was made" in then
    assert today == "the same enclave would be accepted today"
    assert later.origin[:2] == (watermark, then)
    assert later.origin[2].startswith("refused today: ")
    for report in (now, later):
        believed = "\n".join(report.believed)
        assert "whoever ran the machine did not look" in believed
        assert "a measurement says which it is, not what it does" in believed
        assert "is the archive's word" in believed
        lines = lines_of(report)
        assert [line for line in lines if line.startswith("origin")] == [
            f"origin   {one}" for one in report.origin
        ]
