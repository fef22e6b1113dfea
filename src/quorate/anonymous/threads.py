"""Posts under a key that is made for one thread: the same author again, and nobody's name.

An author draws a seed for each report. Its Ed25519 key [RFC8032] signs every post
of the thread, so that a further post is known to come from who wrote the first.
An answer is a post to that key, under another. Who wants to be known later claims
the thread: its key and the member's identity key sign that they belong together.
Who throws the seed away can never be made to.

What is longer than a cell is cut: each fragment is signed, so that nobody can slip
one in. How many fragments a post has is seen by all. A file is a post of its own, which
may take long to arrive; the text it belongs to is there before, and names its digest, so
that no other can take its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quorate import wire
from quorate.anonymous import cell
from quorate.anonymous.messages import Identity
from quorate.errors import MalformedMessage, OutOfRange, VerificationFailed

MAX_FRAGMENTS = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """What the thread's key signs: the `index`-th of `count` parts of the post `number`."""

    group: bytes
    thread: bytes
    number: int
    index: int
    count: int
    part: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is in a cell. The group goes without saying."""

    thread: bytes
    number: int
    index: int
    count: int
    part: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """What is read: `number` counts the posts of `thread`.

    The body of its content is text, or an `attachments.Attachment`; or a `recipients.Sealed`
    with either inside.
    """

    thread: bytes
    number: int
    content: "Content"

    @property
    def to(self) -> bytes:
        return self.content.to

    @property
    def sealed(self) -> bool:
        return self.content.sealed

    @property
    def body(self) -> bytes:
        return self.content.body

    @property
    def is_file(self) -> bool:
        return self.content.kind == "file"


@dataclass(frozen=True, slots=True)
class Content:
    """What is cut into parts: all of a post that its fragments do not say.

    `to` is the thread it answers, or empty; `files` are the digests of the files that
    belong to a text, each the content of a later post of the thread.
    """

    body: bytes
    to: bytes = b""
    sealed: bool = False
    kind: Literal["text", "file"] = "text"
    files: tuple[bytes, ...] = ()

    def digest(self) -> bytes:
        return wire.digest("anonymous/content", self)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A post of which not all has come yet."""

    thread: bytes
    number: int
    arrived: int
    count: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """What cells brought: whole posts and unfinished ones, in the order in which they began."""

    posts: tuple[Post, ...]
    unfinished: tuple[Unfinished, ...]

    def places(self) -> tuple[tuple[bytes, int], ...]:
        """Return thread and number of all that is here, unfinished or not."""
        whole = ((post.thread, post.number) for post in self.posts)
        return *whole, *((part.thread, part.number) for part in self.unfinished)


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """An author's side of a thread. The seed, 32 bytes, is the only proof of authorship."""

    group: bytes
    seed: bytes = field(repr=False)

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def thread(self) -> bytes:
        """The thread's name: its public key, 32 bytes."""
        return self.key.public_key().public_bytes_raw()

    def write(self, number: int, content: Content, cell_bytes: int) -> tuple[bytes, ...]:
        """Return the texts of the cells that make up a post, one for each run.

        Raises `OutOfRange` for a post of more than 1,024 of them.
        """
        encoded = wire.encode(content)
        size = part_bytes(cell_bytes)
        count = -(-len(encoded) // size)
        if count > MAX_FRAGMENTS:
            raise OutOfRange(f"{len(encoded)} bytes: {count} runs; {MAX_FRAGMENTS} are the most")
        parts = [encoded[at : at + size] for at in range(0, len(encoded), size)]
        return tuple(self._fragment(number, i, count, part) for i, part in enumerate(parts))

    def _fragment(self, number: int, index: int, count: int, part: bytes) -> bytes:
        signed = Part(self.group, self.thread, number, index, count, part)
        signature = self.key.sign(wire.signing_input("anonymous/fragment", signed))
        return wire.encode(Fragment(self.thread, number, index, count, part, signature))


def part_bytes(cell_bytes: int) -> int:
    """Return the bytes of a post that one cell takes. Raises `OutOfRange` for too small a cell."""
    around = wire.encode(Fragment(bytes(32), 0xFFFF, 0xFFFF, 0xFFFF, bytes(256), bytes(64)))
    free = cell.capacity(cell_bytes) - (len(around) - 256)
    if free < 16:
        raise OutOfRange(f"cells of {cell_bytes} bytes are too small for posts")
    return free


def assemble(group: bytes, texts: Iterable[bytes]) -> Shelf:
    """Return the posts that the texts of many runs make up.

    A text that is no fragment signed by its thread is left out: any member may put
    noise into its own cell. So is a post of which its own author gave two versions, and a
    file that no text of its thread names.
    """
    found: dict[tuple[bytes, int], dict[int, Fragment]] = {}
    spoilt: set[tuple[bytes, int]] = set()
    for text in texts:
        fragment = _read(group, text)
        if fragment is None:
            continue
        place = fragment.thread, fragment.number
        parts = found.setdefault(place, {})
        known = parts.setdefault(fragment.index, fragment)
        if known != fragment or next(iter(parts.values())).count != fragment.count:
            spoilt.add(place)
    posts, unfinished = list[Post](), list[Unfinished]()
    for (thread, number), parts in found.items():
        count = next(iter(parts.values())).count
        if (thread, number) in spoilt:
            continue
        if len(parts) < count:
            unfinished.append(Unfinished(thread, number, len(parts), count))
        elif post := _post(thread, number, [parts[i].part for i in range(count)]):
            posts.append(post)
    return Shelf(_belonging(posts), tuple(unfinished))


def _belonging(posts: list[Post]) -> tuple[Post, ...]:
    """Return the posts without files that no text of their thread names."""
    named = {(post.thread, digest) for post in posts for digest in post.content.files}
    return tuple(p for p in posts if not p.is_file or (p.thread, p.content.digest()) in named)


def _post(thread: bytes, number: int, parts: list[bytes]) -> Post | None:
    try:
        content = wire.decode(b"".join(parts), Content)
    except MalformedMessage:
        return None
    return Post(thread, number, content)


def _read(group: bytes, text: bytes) -> Fragment | None:
    try:
        fragment = wire.decode(text, Fragment)
    except MalformedMessage:
        return None
    thread, number, index, count = fragment.thread, fragment.number, fragment.index, fragment.count
    if not (0 <= index < count <= MAX_FRAGMENTS and number >= 0):
        return None
    signed = Part(group, thread, number, index, count, fragment.part)
    return fragment if _is_by(thread, fragment.signature, "fragment", signed) else None


@dataclass(frozen=True, slots=True)
class Bond:
    """What both keys of a claim sign: that in this group the thread is this member's."""

    group: bytes
    thread: bytes
    member: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A member's word, under both keys, that a thread is its own."""

    bond: Bond
    by_thread: bytes
    by_member: bytes


def claim(pseudonym: Pseudonym, member: str, identity: Ed25519PrivateKey) -> Claim:
    """Return the proof that `member` wrote the thread. It cannot be taken back."""
    bond = Bond(pseudonym.group, pseudonym.thread, member)
    signed = wire.signing_input("anonymous/claim", bond)
    return Claim(bond, pseudonym.key.sign(signed), identity.sign(signed))


def verify_claim(claimed: Claim, group: bytes, members: Iterable[Identity]) -> None:
    """Raise `VerificationFailed` unless thread and member of this group both signed the claim."""
    bond = claimed.bond
    key = next((m.public_key for m in members if m.name == bond.member), b"")
    both = ((bond.thread, claimed.by_thread), (key, claimed.by_member))
    if bond.group != group or not all(_is_by(k, s, "claim", bond) for k, s in both):
        raise VerificationFailed("this thread is not proven to be that member's")


def _is_by(key: bytes, signature: bytes, domain: str, message: object) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
        public.verify(signature, wire.signing_input(f"anonymous/{domain}", message))
    except (InvalidSignature, ValueError):
        return False
    return True
