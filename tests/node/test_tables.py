"""A linkage among nodes: tables leave in shares, all have one release, policies name columns."""

import asyncio

import pytest

from quorate.errors import Refused
from quorate.node.home import Home, write_file
from quorate.node.lifecycle import State
from quorate.studies.release import verify_release
from tests.node.three import approved_by_all, connected, make_homes, until
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
            digest = (await approved_by_all(hospitals, TEXT)).plan.digest()
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
            found = [result.value for result in verified.certificate.results]
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
