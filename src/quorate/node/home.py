"""The folder of one node: everything a member has, in files only its operator can read.

node.toml        name, address to listen at, address others dial, time-out, period of reports
identity.key     the Ed25519 key that speaks for this member (PKCS 8)
identity.next.key  the key that will, once the members have approved it
group.json       the roster as it is now, once the member has joined
data.toml        the tables this member has registered
quorate.db       studies, approvals, sessions, audit log (SQLite)
api.sock         the staff's API while the node runs
node.pid, node.log
"""

import contextlib
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from quorate.errors import NotFound, Refused, Unavailable
from quorate.node import SOCKET
from quorate.studies import document
from quorate.studies.group import RELAY, Group, Member, check_member, group_from_json, group_to_json

TIMEOUT_S = 20.0
REPORT_EVERY_S = 3600.0
SOCKET_PATH_MAX = 100
"""Bytes the system allows in the path of a Unix socket, with some to spare."""

NEXT_KEY = "identity.next.key"
_SETTINGS = {"name", "listen", "reached_at", "timeout_s", "operator", "report_every_s"}
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


@dataclass(slots=True)
class Home:
    """An open node folder."""

    folder: Path
    name: str
    listen: str
    reached_at: str
    timeout_s: float
    identity: Ed25519PrivateKey = field(repr=False)
    operator: str = ""
    report_every_s: float = REPORT_EVERY_S

    @property
    def socket(self) -> Path:
        """Where the staff's API listens."""
        return self.folder / SOCKET

    @property
    def log(self) -> Path:
        """What the node printed since it was last started."""
        return self.folder / "node.log"

    @property
    def pid_file(self) -> Path:
        """Which process runs, while one does."""
        return self.folder / "node.pid"

    @property
    def database(self) -> Path:
        """The node's own SQLite database."""
        return self.folder / "quorate.db"

    @property
    def listen_at(self) -> tuple[str, int]:
        """Host and port this node listens at; others may reach it by another address."""
        return split_address(self.listen)

    @property
    def group(self) -> Group | None:
        """The group this member has joined, if any."""
        path = self.folder / "group.json"
        return group_from_json(path.read_text()) if path.exists() else None

    @property
    def tables(self) -> dict[str, Path]:
        """The registered tables: name to file."""
        path = self.folder / "data.toml"
        tables = _read_toml(path).get("tables", {}) if path.exists() else {}
        return {name: Path(file) for name, file in tables.items()}

    def data_class(self, table: str) -> str:
        """Return what the owner says the table's data are; real, where nothing is said."""
        path = self.folder / "data.toml"
        said = _read_toml(path).get("classes", {}) if path.exists() else {}
        return str(said.get(table, "real"))

    def member(self) -> Member:
        """Return this member as its group should list it."""
        return Member(self.name, self.reached_at, _public(self.identity), self.operator)

    def join(self, group: Group) -> None:
        """Make `group` this node's. Raises `Refused` if it does not list this very member."""
        mine = self.member()
        listed = {member.name: member for member in group.members}.get(self.name)
        if listed is None:
            raise Refused(
                f"group {group.name} has no member {self.name}",
                hint="give this node's card to whoever made the group",
            )
        if listed.operator != mine.operator:
            raise Refused(
                f"group {group.name} lists another operator for {self.name}",
                hint="give this node's card anew to whoever made the group",
            )
        if listed.public_key != mine.public_key:
            raise Refused(
                f"group {group.name} lists another key for {self.name}",
                hint="someone else took the name, or the node was set up anew: compare keys",
            )
        if self.group not in (None, group):
            raise Refused(
                "this node is in another group already",
                hint="a node belongs to one group: set up another folder with quorate init",
            )
        write_file(self.folder / "group.json", group_to_json(group))

    def adopt(self, group: Group) -> None:
        """Go on as the member that a verified roster of one's own group lists.

        A key that was made for this (`next_identity`) takes the place of the old
        one. Raises `Refused` where this member is listed no more.
        """
        listed = {member.name: member for member in group.members}.get(self.name)
        if listed is None:
            raise Refused(
                f"{self.name} is no member of group {group.name} any more, since epoch "
                f"{group.epoch}",
                hint="what was released stays in this folder: quorate verify FILE",
            )
        following = self.folder / NEXT_KEY
        if following.exists() and _public(key := _read_key(following)) == listed.public_key:
            following.replace(self.folder / "identity.key")
            self.identity = key
        if listed.address != self.reached_at:
            self.reached_at = listed.address
            settings = _read_toml(self.folder / "node.toml") | {"reached_at": listed.address}
            write_file(self.folder / "node.toml", tomli_w.dumps(settings))
        if listed.public_key != _public(self.identity):
            raise Refused(
                f"group {group.name} lists another key for {self.name}",
                hint="is this the latest copy of the folder? compare keys with another member",
            )
        if self.group != group:
            write_file(self.folder / "group.json", group_to_json(group))

    def next_identity(self) -> Ed25519PrivateKey:
        """Return the key this member is to have next, made now if there is none."""
        path = self.folder / NEXT_KEY
        if not path.exists():
            write_file(path, _pem(Ed25519PrivateKey.generate()))
        return _read_key(path)

    def add_table(self, name: str, path: Path, data_class: str = "real") -> None:
        """Register the file at `path` as table `name`, and what its data are.

        Raises `Refused`, `Unavailable`.
        """
        if not _TABLE.fullmatch(name):
            raise Refused(
                "not a name for a table", hint="a letter, then letters, digits and _, at most 63"
            )
        from quorate.studies.sources import open_source  # a database: no other command waits for it

        tables = self.tables | {name: open_source(path).path}
        classes = {table: self.data_class(table) for table in tables} | {name: data_class}
        text = tomli_w.dumps(
            {
                "tables": {k: str(v) for k, v in sorted(tables.items())},
                "classes": dict(sorted(classes.items())),
            }
        )
        write_file(self.folder / "data.toml", text)


def create(folder: Path, name: str, listen: str, reached_at: str = "", operator: str = "") -> Home:
    """Make a node folder with a fresh identity. Raises `Refused` if there is one already.

    `reached_at` is the address others dial, where it is not `listen`; `operator` who
    runs the node, where that is not the member itself.
    """
    folder = folder.absolute()
    if (folder / "node.toml").exists():
        raise Refused(f"{folder} is a node's folder already")
    key = Ed25519PrivateKey.generate()
    reached_at = reached_at or listen
    if listen.startswith(RELAY):
        raise Refused(
            "a node listens at an address of its own machine",
            hint=f"name the relay as --reached-at {listen}",
        )
    for address in (listen, reached_at):
        check_member(Member(name, address, key.public_key().public_bytes_raw(), operator))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_file(folder / "identity.key", _pem(key))
    settings = {"name": name, "listen": listen, "reached_at": reached_at, "timeout_s": TIMEOUT_S}
    settings |= {"operator": operator} if operator else {}
    write_file(folder / "node.toml", tomli_w.dumps(settings))
    return open_home(folder)


def open_home(folder: Path) -> Home:
    """Open the node folder at `folder`. Raises `NotFound`, `Refused`, `Unavailable`."""
    folder = folder.absolute()
    if not (folder / "node.toml").exists():
        raise NotFound(
            f"{folder} is not a node's folder", hint="make one with: quorate init FOLDER"
        )
    if len(os.fsencode(folder / SOCKET)) > SOCKET_PATH_MAX:
        raise Unavailable(
            f"the path {folder} is too long for a Unix socket",
            hint=f"choose a folder whose path has at most {SOCKET_PATH_MAX - 9} bytes",
        )
    _check_private(folder / "identity.key")
    settings = _read_toml(folder / "node.toml")
    unknown = settings.keys() - _SETTINGS
    timeout_s = settings.get("timeout_s", TIMEOUT_S)
    every_s = settings.get("report_every_s", REPORT_EVERY_S)
    if unknown or not _is_seconds(timeout_s, 3600) or not (every_s == 0 or _is_seconds(every_s)):
        raise Unavailable(
            f"{folder / 'node.toml'} is not understood",
            hint="it holds name, listen, reached_at, operator, timeout_s between 0 and 3600, "
            "and report_every_s of a year at most, or 0 for never",
        )
    home = Home(
        folder,
        str(settings.get("name")),
        str(settings.get("listen")),
        str(settings.get("reached_at", settings.get("listen"))),
        float(timeout_s),
        _read_key(folder / "identity.key"),
        str(settings.get("operator", "")),
        float(every_s),
    )
    check_member(home.member())
    return home


def card_to_json(member: Member) -> str:
    """Return a member's public card: what it gives to whoever makes the group."""
    return document.write("member 2", member)


def card_from_json(text: str) -> Member:
    """Return the member a card describes, checked. Raises `MalformedMessage`."""
    member = document.read("member 2", text, Member)
    check_member(member)
    return member


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[v6]:port`, as `check_member` accepts them.

    Of `relay:host:port`, the relay's.
    """
    host, _, port = address.removeprefix(RELAY).rpartition(":")
    return host.strip("[]"), int(port)


def write_file(path: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _is_seconds(value: object, most: float = 366 * 86_400) -> bool:
    return isinstance(value, int | float) and 0 < value <= most


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Unavailable(f"{path} is not TOML: {e}") from e


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError):
        raise Unavailable(f"{path} does not hold a key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unavailable(f"{path} does not hold an Ed25519 key")
    return key


def _pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as e:
        raise Unavailable(f"{path} cannot be read: {e.strerror}") from None
    if mode & 0o077:
        raise Refused(f"{path} can be read by others", hint=f"chmod 600 {path}")
