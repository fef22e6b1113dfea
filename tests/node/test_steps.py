"""A regression by steps among nodes: rows stay at home, and all have the same release."""

import asyncio
import csv

from quorate.node.home import Home
from tests.node.three import connected, make_homes, released_by_all
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
            certificate = await released_by_all(hospitals, TEXT.format(least=5) + LOGISTIC)
            assert len(certificate.results) == 9

    asyncio.run(main())
