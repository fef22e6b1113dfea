"""The roster on real nodes: voted on by links, taken over by all, missed and caught up."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorate.cli.ports import free_ports
from quorate.errors import Abort, Error, Refused, Unavailable
from quorate.node.home import Home, create
from quorate.node.members.doorway import Doorway
from quorate.node.members.messages import Told
from quorate.node.members.newcomer import knock_with, take_up
from quorate.node.node import Node, running
from quorate.node.store import Store
from quorate.quorum.roster import Decided, Vote, sign_change, sign_vote
from quorate.studies.times import utc_text
from tests.node.quorum.clinic import PASSPHRASE
from tests.node.three import NOW, STUDY, make_homes, until, write_ages
from tests.quorum.dealt import deal, plan_of

FOUR = ("north", "south", "west", "east")


class Living:
    """A node that begins anew whenever its roster changes, as its process does."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.node: Node | None = None
        self.ended: Error | None = None

    @property
    def there(self) -> Node:
        assert self.node is not None
        return self.node

    def epoch(self) -> int:
        return -1 if self.node is None else self.node.desk.group.epoch

    def is_connected(self) -> bool:
        if self.node is None:
            return False
        return all(peer.ready.is_set() for peer in self.node.desk.peers.peers.values())

    async def live(self) -> None:
        store = Store(self.home.database)
        try:
            while True:
                over = asyncio.Event()
                async with running(self.home, store, lambda: NOW, over.set) as node:
                    self.node = node
                    await over.wait()
                self.node = None
        except Refused as e:
            self.ended = e
        finally:
            self.node = None
            store.close()


@contextlib.asynccontextmanager
async def living(*homes: Home) -> AsyncGenerator[list[Living]]:
    async with asyncio.TaskGroup() as tasks:
        all_ = [Living(home) for home in homes]
        at_work = [tasks.create_task(one.live()) for one in all_]
        try:
            await until(lambda: all(one.is_connected() for one in all_), 20)
            yield all_
        finally:
            for task in at_work:
                task.cancel()


def at_epoch(number: int, *them: Living) -> Callable[[], bool]:
    return lambda: all(one.epoch() == number and one.is_connected() for one in them)


async def removed(
    them: list[Living], name: str, by: str, voters: list[str], *, for_cause: bool = False
) -> None:
    """Propose a removal and have these vote for it, as soon as each has heard of it."""
    one = {living.home.name: living for living in them}
    change, _ = await one[by].there.members.remove(name, "as agreed", for_cause=for_cause)
    for voter in voters:
        await until(partial(heard, one[voter], change.short_id))
        await one[voter].there.members.vote(change.short_id, "approve", "seen")


def heard(one: Living, id_: str) -> bool:
    return one.node is not None and id_ in [w.change.short_id for w in one.node.members.waiting()]


def newcomer(beside: Home, name: str) -> Home:
    (port,) = free_ports(1)
    home = create(beside.folder.parent / name, name, f"127.0.0.1:{port}")
    home.timeout_s = 3
    write_ages(home, ["50", "60"])
    return home


def test_a_member_is_removed_and_the_others_go_on_without_it() -> None:
    asyncio.run(_a_member_is_removed_and_the_others_go_on_without_it())


async def _a_member_is_removed_and_the_others_go_on_without_it() -> None:
    async with living(*make_homes(FOUR)) as them:
        waits, _ = await them[0].there.desk.propose(STUDY, ())
        await removed(them, "east", "north", ["south", "west"])
        north, south, west, east = them
        await until(at_epoch(1, north, south, west), 20)
        await until(lambda: east.ended is not None)
        assert "is no member" in str(east.ended)
        assert north.there.desk.group.names == ("north", "south", "west")
        ended = north.there.desk.store.study(waits.plan.digest())
        assert (ended.state.value, ended.note) == ("expired", "the roster is another since epoch 1")
        assert north.home.group == north.there.desk.group


@pytest.mark.parametrize("for_cause", [True, False])
def test_a_key_is_handed_on_unless_a_holder_was_removed_for_cause(for_cause: bool) -> None:
    asyncio.run(_a_key_is_handed_on_unless_a_holder_was_removed_for_cause(for_cause))


async def _a_key_is_handed_on_unless_a_holder_was_removed_for_cause(for_cause: bool) -> None:
    homes = make_homes(FOUR)
    identities = {home.name: home.identity for home in homes}
    async with living(*homes) as them:
        group = them[0].there.desk.group
        plan = replace(plan_of(group, FOUR[1:], 2), follows="majority")
        key, shares = deal(plan, [identities[name] for name in FOUR[1:]])
        for one, share in zip(them[1:], shares, strict=True):
            await one.there.quorum.unlock(PASSPHRASE)
            one.there.quorum.custody.keep_share(share)
        for one in them:
            one.there.quorum.keys.take_key(key)
        await removed(them, "east", "north", ["south", "west"], for_cause=for_cause)
        north, south, west, _ = them
        await until(at_epoch(1, north, south, west), 20)
        await south.there.quorum.unlock(PASSPHRASE)
        open_plans = [
            entry.plan for entry in south.there.quorum.records.all_keys() if entry.key is None
        ]
        assert [plan.names for plan in open_plans] == ([] if for_cause else [("south", "west")])


def test_who_was_away_hears_the_epoch_it_missed() -> None:
    asyncio.run(_who_was_away_hears_the_epoch_it_missed())


async def _who_was_away_hears_the_epoch_it_missed() -> None:
    homes = make_homes(FOUR)
    async with asyncio.TaskGroup() as tasks:
        north, south, west, east = (Living(home) for home in homes)
        at_work = [tasks.create_task(one.live()) for one in (north, south, west)]
        await until(lambda: all(len(connected(one)) == 2 for one in (north, south, west)), 20)
        moved = replace(south.home.member(), address="south.example:7400")
        change, untold = await south.there.members.rotate(moved, south.home.identity, "moved")
        assert untold == ("east",)
        for one in (north, west):
            await until(partial(heard, one, change.short_id))
            await one.there.members.vote(change.short_id, "approve", "seen")
        await until(lambda: north.epoch() == west.epoch() == 1, 20)
        at_work.append(tasks.create_task(east.live()))
        await until(lambda: east.epoch() == 1 and "north" in connected(east), 20)
        assert east.home.group == north.there.desk.group
        for task in at_work:
            task.cancel()


def test_a_newcomer_knocks_is_voted_on_and_becomes_a_member() -> None:
    asyncio.run(_a_newcomer_knocks_is_voted_on_and_becomes_a_member())


async def _a_newcomer_knocks_is_voted_on_and_becomes_a_member() -> None:
    homes = make_homes(FOUR[:3])
    coast = newcomer(homes[0], "coast")
    async with living(*homes) as them:
        north, south, _ = them
        first = north.there.desk.group
        token = north.there.doorway.invite(timedelta(days=1))
        welcome = await knock_with(coast, token)
        assert take_up(coast, welcome) is None  # not yet a member
        assert welcome.waits_for == ("south", "west")
        other = newcomer(homes[0], "other")
        with pytest.raises(Refused, match="used already"):
            await knock_with(other, token)
        (waiting,) = north.there.members.waiting()
        await until(partial(heard, south, waiting.change.short_id))
        await south.there.members.vote(waiting.change.short_id, "approve", "we know it")
        await until(lambda: all(one.epoch() == 1 for one in them), 20)
        history = take_up(coast, await knock_with(coast, token))
        assert history is not None
        assert history.first == first
        assert history.now.names == ("north", "south", "west", "coast")
        async with living(coast) as (one,):
            await until(at_epoch(1, one, *them), 20)


def test_a_word_that_is_over_or_of_another_group_lets_nobody_in() -> None:
    asyncio.run(_a_word_that_is_over_or_of_another_group_lets_nobody_in())


async def _a_word_that_is_over_or_of_another_group_lets_nobody_in() -> None:
    homes = make_homes(FOUR[:3])
    coast = newcomer(homes[0], "coast")
    async with living(*homes) as them:
        north = them[0].there
        over = Doorway(north.members, lambda: NOW - timedelta(days=2)).invite(timedelta(days=1))
        with pytest.raises(Unavailable, match="ended the connection"):
            await knock_with(coast, over)
        token = north.doorway.invite(timedelta(days=1))
        invitation = replace(token.invited.invitation, group=bytes(32))
        invited = replace(token.invited, invitation=invitation)
        with pytest.raises(Refused, match="not its inviter's"):
            await knock_with(coast, replace(token, invited=invited))
        assert north.members.waiting() == ()


def test_a_member_has_a_new_key_once_the_others_agree() -> None:
    asyncio.run(_a_member_has_a_new_key_once_the_others_agree())


async def _a_member_has_a_new_key_once_the_others_agree() -> None:
    homes = make_homes(FOUR[:3])
    async with living(*homes) as them:
        north, south, _ = them
        before = south.home.member().public_key
        change, _ = await south.there.members.rotate_key("it is old")
        await until(partial(heard, north, change.short_id))
        await north.there.members.vote(change.short_id, "approve", "by telephone")
        await until(at_epoch(1, *them), 20)
        now = north.there.desk.group.members[1].public_key
        assert now == south.home.member().public_key != before


def test_two_rosters_after_one_are_noticed_and_who_made_them_is_named() -> None:
    asyncio.run(_two_rosters_after_one_are_noticed_and_who_made_them_is_named())


async def _two_rosters_after_one_are_noticed_and_who_made_them_is_named() -> None:
    homes = make_homes(FOUR)
    async with living(*homes) as them:
        north, south = them[:2]
        rival = await rival_of(north, homes)
        await removed(them, "east", "south", ["north", "west"])
        await until(lambda: south.epoch() == 1, 20)
        members = south.there.members
        with pytest.raises(Abort, match="approved both") as caught:
            members.take_steps(Told(members.history.first.digest(), (rival,)))
        assert caught.value.culprits
        assert members.history.now == south.there.desk.group
        events = [item.entry.event for item in south.there.desk.audit.verified()]
        assert "cheating proven" in events


async def rival_of(one: Living, homes: list[Home]) -> Decided:
    """Return another change of the first roster, approved by three with their real keys."""
    members = one.there.members
    group = members.desk.group
    change = members._change("remove", group.members[2], "a coup")
    votes = tuple(
        sign_vote(
            home.identity,
            Vote(change.digest(), change.roster, home.name, "approve", "aye", utc_text(NOW)),
        )
        for home in homes
        if home.name != "west"
    )
    return Decided(change, sign_change(one.home.identity, change), votes)


def connected(one: Living) -> list[str]:
    peers = () if one.node is None else one.node.desk.peers.peers.values()
    return [peer.seat.name for peer in peers if peer.ready.is_set()]
