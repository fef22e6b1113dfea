"""Frozen dataclasses as JSON files that people can read, and nothing else.

Bytes are lowercase hex. A file is accepted only if writing what was read gives
the same JSON again: no unknown, repeated or missing key, no other spelling of a
value. Layout (spaces, order of keys) is free.
"""

import json
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from quorate import wire
from quorate.errors import MalformedMessage

T = TypeVar("T")

MAX_TEXT = 16 << 20
"""Characters: a record is four times as long as an indented text."""


def write(tag: str, message: object) -> str:
    """Return `message` as indented JSON whose first key says what it is."""
    return json.dumps(_plain(tag, message), indent=2, ensure_ascii=False) + "\n"


def read(tag: str, text: str, kind: type[T]) -> T:
    """Return the `kind` that `text` holds. Raises `MalformedMessage` for any other text."""
    if len(text) > MAX_TEXT:
        raise MalformedMessage(f"the file is longer than {MAX_TEXT} characters")
    try:
        found = json.loads(text, object_pairs_hook=_no_duplicates)
        message = msgspec.convert(_bytes_from_hex(found, kind), kind, strict=True)
        wire.encode(message)  # what has no encoding could be neither hashed nor signed
        if _canonical(found) == _canonical(_plain(tag, message)):
            return message
    except (ValueError, TypeError, RecursionError) as e:
        raise MalformedMessage(f"not a {tag} file", hint="ask its author for it again") from e
    raise MalformedMessage(f"not a {tag} file, or altered", hint="ask its author for it again")


def _plain(tag: str, message: object) -> dict[str, Any]:
    plain = msgspec.to_builtins(message, builtin_types=(bytes,))
    return {"quorate": tag, **_hex_from_bytes(plain)}


def _canonical(plain: object) -> bytes:
    return json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()


def _hex_from_bytes(plain: Any) -> Any:
    match plain:
        case bytes():
            return plain.hex()
        case dict():
            return {key: _hex_from_bytes(value) for key, value in plain.items()}
        case list() | tuple():
            return [_hex_from_bytes(item) for item in plain]
        case _:
            return plain


def _bytes_from_hex(plain: object, kind: Any) -> object:
    """Return `plain` with bytes where `kind` wants them; all other checks are msgspec's."""
    kind = getattr(kind, "__supertype__", kind)  # of a NewType
    if isinstance(kind, UnionType):  # of one kind and nothing
        (kind,) = (each for each in get_args(kind) if each not in (NoneType, wire.Absent))
    if kind is bytes and isinstance(plain, str):
        return bytes.fromhex(plain)
    if isinstance(plain, dict):  # where a record may be absent, it is there
        kind = next((one for one in get_args(kind) if is_dataclass(one)), kind)
    if is_dataclass(kind) and isinstance(plain, dict):
        hints = get_type_hints(kind)
        found = cast("dict[str, object]", plain)
        names = [field.name for field in fields(kind) if field.name in found]
        return {name: _bytes_from_hex(found[name], hints[name]) for name in names}
    if isinstance(plain, list) and get_args(kind):
        return [_bytes_from_hex(item, get_args(kind)[0]) for item in cast("list[object]", plain)]
    return plain


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is repeated")
    return found
