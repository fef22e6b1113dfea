"""A thread's filing certificates as a file that anybody checks, offline."""

from dataclasses import dataclass

from quorate.anonymous.filing import Certificate, certify, verify_certificate
from quorate.anonymous.messages import Identity
from quorate.anonymous.threads import Post, assemble
from quorate.errors import NotFound, VerificationFailed
from quorate.node.anonymous.reports import Reports
from quorate.studies import document
from quorate.studies.group import Group

TAG = "filing 1"


@dataclass(frozen=True, slots=True)
class Filing:
    """One certificate for each fragment of a thread's posts."""

    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Filed:
    """What a filing proves: these posts came out of runs of these members."""

    posts: tuple[Post, ...]
    members: tuple[tuple[str, ...], ...]


def filing_of(reports: Reports, thread: bytes) -> str:
    """Return the file of a thread's posts that have come whole. Raises `NotFound`."""
    posts = [post for post in reports.shelf().posts if post.thread == thread]
    if not posts:
        raise NotFound("no post of that thread has come whole yet")
    texts = [text for post in posts for text in reports.texts_of(post)]
    made = tuple(certify(reports.records.delivered(text), text) for text in texts)
    return document.write(TAG, Filing(made))


def verify_filing(text: str, group: Group) -> Filed:
    """Return what a file proves. Raises `VerificationFailed`, `MalformedMessage`."""
    filing = document.read(TAG, text, Filing)
    members = [Identity(m.name, m.public_key) for m in group.members]
    digest = group.digest()
    texts = [verify_certificate(c, digest, members) for c in filing.certificates]
    posts = assemble(digest, texts).posts
    if not posts:
        raise VerificationFailed("the file does not hold a whole post")
    runs = (tuple(m.name for m in c.run.members) for c in filing.certificates)
    return Filed(posts, tuple(dict.fromkeys(runs)))
