"""A regression by steps among nodes: rows stay at home, and all have the same release."""

import asyncio
import csv

from quorate.node.home import Home
from quorate.node.lifecycle import State
from quorate.studies.release import verify_release
from tests.node.three import approved_by_all, connected, make_homes, until
from tests.studies.test_runner_steps import LOGISTIC, TEXT, rows_of, split


def give(home: Home, rows: list[dict[str, object]]) -> None:
    path = home.folder / "patients.csv"
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    home.add_table("patients", path)


def test_all_have_one_release_of_the_likeliest_coefficients() -> None:
    async def main() -> None:
        homes = make_homes()
        for home, rows in zip(homes, split(rows_of(90)), strict=True):
            give(home, [dict(row) for row in rows])
        async with connected(*homes) as hospitals:
            text = TEXT.format(least=5) + LOGISTIC
            digest = (await approved_by_all(hospitals, text)).plan.digest()
            progress = await hospitals[2].run(digest)
            assert progress[-1].done, progress[-1].error
            await until(
                lambda: all(
                    one.desk.store.study(digest).state is State.RELEASED for one in hospitals
                )
            )
            releases = [one.desk.store.study(digest).release for one in hospitals]
            assert releases[0] == releases[1] == releases[2]
            assert releases[0] is not None
            verified = verify_release(releases[0], group=hospitals[0].desk.group)
            assert len(verified.certificate.results) == 9

    asyncio.run(main())
