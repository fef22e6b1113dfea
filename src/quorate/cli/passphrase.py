"""Where a passphrase comes from: a file descriptor, the environment, the keyring, or a person.

It is never an argument: those are seen by everybody on the machine.
"""

import os
import sys
from importlib import import_module, util
from typing import Annotated

import typer

from quorate.errors import Unavailable, Usage

VARIABLE = "QUORATE_PASSPHRASE"
SERVICE = "quorate"

DescriptorOption = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        help=f"Read the passphrase from this file descriptor; else from {VARIABLE}, the system's "
        "keyring, or the terminal.",
        show_default=False,
    ),
]


def given(descriptor: int | None, node: str) -> str:
    """Return the passphrase that is there without asking anybody, or nothing."""
    if descriptor is not None:
        return _from_descriptor(descriptor)
    return os.environ.get(VARIABLE, "") or _from_keyring(node)


def asked(descriptor: int | None, node: str, what: str, *, twice: bool = False) -> str:
    """Return a passphrase, asked for at the terminal if it is nowhere else. Raises `Usage`."""
    if found := given(descriptor, node):
        return found
    if not sys.stdin.isatty():
        raise Usage(
            "nobody is here to be asked for the passphrase",
            hint=f"give it in {VARIABLE}, or with --passphrase-fd",
        )
    return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))


def _from_descriptor(descriptor: int) -> str:
    try:
        with os.fdopen(descriptor, encoding="utf-8") as file:
            return file.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise Unavailable(f"file descriptor {descriptor} cannot be read") from None


def _from_keyring(node: str) -> str:
    """Return what the operating system keeps for this node, where the extra is installed."""
    if util.find_spec("keyring") is None:
        return ""
    return import_module("keyring").get_password(SERVICE, node) or ""
