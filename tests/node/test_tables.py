"""A linkage among nodes: tables leave in shares, all have one release, policies name columns."""

import asyncio

import pytest

from quorate.errors import Refused
from quorate.node.home import Home, write_file
from tests.node.three import connected, make_homes, released_by_all
from tests.studies.linking import BY_NAME, EVENT, HEAD, row, write

TEXT = HEAD.format(most=40, least=5) + BY_NAME + EVENT


def give(home: Home, first: int) -> None:
    """Give a member 20 persons, of whom the next member has ten."""
    rows = [row(10 * first + i, event=i % 2 == 0) for i in range(20)]
    home.add_table("patients", write(home.folder / "patients.csv", rows))


def test_all_have_one_release_of_persons_counted_once() -> None:
    async def main() -> None:
        homes = make_homes()
        for i, home in enumerate(homes):
            give(home, i)
        async with connected(*homes) as hospitals:
            certificate = await released_by_all(hospitals, TEXT)
            found = [result.value for result in certificate.results]
            assert found == ["40", "20", "20"]

    asyncio.run(main())


def test_a_policy_names_the_columns_that_persons_are_linked_by() -> None:
    async def main() -> None:
        homes = make_homes()
        for i, home in enumerate(homes):
            give(home, i)
        rule = '[tables]\npatients = ["age", "infarction", "given", "born"]'
        write_file(homes[0].folder / "policy.toml", rule)
        async with connected(*homes) as hospitals:
            with pytest.raises(Refused, match="does not allow family of patients"):
                await hospitals[0].desk.propose(TEXT, ())

    asyncio.run(main())
