"""Real nodes run the example with a Table 1 and analyses; the release verifies offline."""

import csv
import io
import json

import pytest

from tests.docs.project import PROJECT
from tests.e2e.nodes import quorate, some_nodes
from tests.studies.analyses.oracles import stats
from tests.studies.analyses.patients import rows_of
from tests.studies.analyses.together import Rows, split

STUDY = (PROJECT / "examples" / "breast-cancer.toml").read_text(encoding="utf-8")
NAMES = ("north", "south", "west", "east")


def table(rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip()


@pytest.mark.slow
def test_nodes_release_analyses_and_what_follows_from_them() -> None:
    parts = split(rows_of("gbsg2"), len(NAMES))
    with some_nodes(dict(zip(NAMES, map(table, parts), strict=True)), 20.0) as nodes:
        id_ = nodes.approved(STUDY)
        nodes.run(id_, by="east")
        nodes.released(id_)
        with nodes.client("east") as client:
            found = {one.name: one.value for one in client.study(id_).results}
            release = client.release(id_)
        path = nodes.folder / "release.json"
        path.write_text(release)
        said = quorate("verify", path, "--format", "json")
        assert said.returncode == 0, said.stderr
    follows = {one["name"]: float(one["value"]) for one in json.loads(said.stdout)["follows"]}
    times = sorted(int(row["time"]) for row in rows_of("gbsg2"))
    assert found["followed median"] == str((times[342] + times[343]) // 2)
    assert found["recurrence events"] == "299"
    arms = {
        arm: [int(r["age"]) for r in rows_of("gbsg2") if r["horTh"] == arm] for arm in ("no", "yes")
    }
    welch = stats.ttest_ind(arms["no"], arms["yes"], equal_var=False)
    assert follows["baseline_age_test p"] == pytest.approx(welch.pvalue, rel=1e-3)
    assert float(found["baseline_age_test p"]) == follows["baseline_age_test p"]
    events = {
        arm: [r["cens"] for r in rows_of("gbsg2") if r["horTh"] == arm] for arm in ("no", "yes")
    }
    risk = {arm: of.count("1") / len(of) for arm, of in events.items()}
    assert follows["risk relative risk"] == pytest.approx(risk["yes"] / risk["no"], rel=1e-4)
