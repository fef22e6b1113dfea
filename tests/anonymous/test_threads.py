"""Posts are whole, by one author each, and claimed by nobody else."""

import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.anonymous import cell
from quorate.anonymous.messages import Identity
from quorate.anonymous.threads import (
    MAX_FRAGMENTS,
    Claim,
    Content,
    Fragment,
    Pseudonym,
    assemble,
    claim,
    part_bytes,
    verify_claim,
)
from quorate.errors import OutOfRange, VerificationFailed

GROUP = secrets.token_bytes(32)
CELL = 512


def author() -> Pseudonym:
    return Pseudonym(GROUP, secrets.token_bytes(32))


@given(st.binary(max_size=3000), st.permutations(range(20)))
def test_a_post_comes_back_in_whatever_order_its_parts_came(body: bytes, order: list[int]) -> None:
    one = author()
    texts = one.write(7, Content(body, b"t" * 32, sealed=True), CELL)
    assert all(len(text) <= cell.capacity(CELL) for text in texts)
    shuffled = sorted(texts, key=lambda text: order[texts.index(text) % 20])
    (post,) = assemble(GROUP, [*shuffled, *texts[:1]]).posts
    assert (post.thread, post.number, post.to, post.sealed) == (one.thread, 7, b"t" * 32, True)
    assert post.body == body


def test_cells_of_posts_are_filled() -> None:
    texts = author().write(0, Content(secrets.token_bytes(10_000)), CELL)
    assert {len(text) for text in texts[:-1]} <= {*range(CELL - 16, CELL - 3)}


def test_what_is_missing_is_counted() -> None:
    one = author()
    texts = one.write(0, Content(secrets.token_bytes(2000)), CELL)
    shelf = assemble(GROUP, texts[1:])
    assert not shelf.posts
    (unfinished,) = shelf.unfinished
    assert (unfinished.arrived, unfinished.count) == (len(texts) - 1, len(texts))


def test_nobody_adds_to_or_spoils_anothers_post() -> None:
    one, body = author(), secrets.token_bytes(1000)
    texts = one.write(0, Content(body), CELL)
    first = wire.decode(texts[0], Fragment)
    other = wire.decode(author().write(0, Content(body), CELL)[0], Fragment)
    forged = [
        replace(first, part=b"x"),
        replace(first, count=1),
        replace(first, index=99, count=100),
        replace(first, thread=other.thread),
        replace(other, thread=first.thread),
    ]
    noise = [b"", b"\0", secrets.token_bytes(100), *map(wire.encode, forged)]
    (post,) = assemble(GROUP, [*noise, *texts]).posts
    assert post.body == body
    assert not assemble(secrets.token_bytes(32), texts).posts, "another group's"


def test_an_author_that_says_two_things_has_said_nothing() -> None:
    one = author()
    assert not assemble(
        GROUP, [*one.write(0, Content(b"yes"), CELL), *one.write(0, Content(b"no"), CELL)]
    ).posts
    long = one.write(1, Content(bytes(1000)), CELL)
    assert not assemble(GROUP, [*one.write(1, Content(b"short"), CELL), *long]).posts


def test_a_file_is_of_the_text_that_names_it_and_no_other_takes_its_place() -> None:
    one, thief = author(), author()
    right, wrong = (Content(secrets.token_bytes(900), kind="file") for _ in range(2))
    text = one.write(0, Content(b"see the picture", files=(right.digest(),)), CELL)
    cells = one.write(1, right, CELL)
    assert [post.number for post in assemble(GROUP, cells).posts] == []  # the text first
    arriving = assemble(GROUP, [*text, *cells[:-1]])
    assert [(u.number, u.arrived, u.count) for u in arriving.unfinished] == [
        (1, len(cells) - 1, len(cells))
    ]
    whole = assemble(GROUP, [*cells, *text]).posts
    assert {(post.number, post.is_file) for post in whole} == {(0, False), (1, True)}
    for bad in (one.write(2, wrong, CELL), thief.write(1, right, CELL)):
        assert [p.number for p in assemble(GROUP, [*text, *bad]).posts] == [0]


def test_what_would_take_too_many_runs_is_refused() -> None:
    with pytest.raises(OutOfRange, match="runs"):
        author().write(0, Content(bytes(MAX_FRAGMENTS * CELL)), CELL)
    with pytest.raises(OutOfRange, match="too small"):
        part_bytes(128)


def test_a_thread_is_claimed_by_its_author_alone() -> None:
    identity, thief = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    roster = [
        Identity(name, key.public_key().public_bytes_raw())
        for name, key in (("north", identity), ("south", thief))
    ]
    one = author()
    right = claim(one, "north", identity)
    verify_claim(right, GROUP, roster)
    stolen = claim(author(), "south", thief)
    wrong: list[Claim] = [
        replace(right, bond=replace(right.bond, member="south")),
        replace(stolen, bond=replace(stolen.bond, thread=one.thread)),
        replace(right, by_member=stolen.by_member),
        replace(right, by_thread=stolen.by_thread),
        claim(one, "south", identity),
        claim(one, "nobody", identity),
        claim(replace(one, group=bytes(32)), "north", identity),
    ]
    for claimed in wrong:
        with pytest.raises(VerificationFailed):
            verify_claim(claimed, GROUP, roster)
