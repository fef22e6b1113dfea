"""What Intel signs of platforms: TCB levels, and which quoting enclaves are its own [DCAP24]."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives import hashes

from quorate.enclave.certificates import Window, from_pem, public_key, verify_chain, verify_ecdsa
from quorate.errors import MalformedMessage, VerificationFailed

S = TypeVar("S", bound=msgspec.Struct)

MAX_STATEMENT = 1 << 19


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of a platform's firmware, and its security version."""

    svn: int
    category: str = ""
    type: str = ""


class Levels(msgspec.Struct, frozen=True, omit_defaults=True):
    """The versions that a platform must have at least."""

    sgxtcbcomponents: tuple[Component, ...]
    pcesvn: int
    tdxtcbcomponents: tuple[Component, ...] = ()


class IsvLevel(msgspec.Struct, frozen=True):
    isvsvn: int


class TcbLevel(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What is known of platforms of at least these versions."""

    tcb: Levels
    tcb_date: str
    tcb_status: str
    advisories: tuple[str, ...] = msgspec.field(default=(), name="advisoryIDs")


class ModuleLevel(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The same of an enclave or a module by Intel."""

    tcb: IsvLevel
    tcb_date: str
    tcb_status: str
    advisories: tuple[str, ...] = msgspec.field(default=(), name="advisoryIDs")


class TdxModule(msgspec.Struct, frozen=True, rename="camel"):
    mrsigner: str
    attributes: str
    attributes_mask: str


class TdxModuleIdentity(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    mrsigner: str
    attributes: str
    attributes_mask: str
    tcb_levels: tuple[ModuleLevel, ...]


class TcbInfo(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """TCB info, version 3: of one family of processors."""

    id: str
    version: int
    issue_date: datetime
    next_update: datetime
    fmspc: str
    pce_id: str
    tcb_type: int
    tcb_evaluation_data_number: int
    tcb_levels: tuple[TcbLevel, ...]
    tdx_module: TdxModule | None = None
    tdx_module_identities: tuple[TdxModuleIdentity, ...] = ()


class QeIdentity(msgspec.Struct, frozen=True, rename="camel"):
    """Which quoting enclaves are Intel's, version 2."""

    id: str
    version: int
    issue_date: datetime
    next_update: datetime
    tcb_evaluation_data_number: int
    miscselect: str
    miscselect_mask: str
    attributes: str
    attributes_mask: str
    mrsigner: str
    isvprodid: int
    tcb_levels: tuple[ModuleLevel, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was signed: its text, its signature, and the signer's chain in PEM."""

    text: str
    signature: bytes
    chain: str


def verify_statement(
    statement: Statement, kind: type[S], root: bytes, now: datetime, whose: str
) -> tuple[S, Window]:
    """Return what `statement` says, and when its signer may be believed.

    Raises `VerificationFailed` and `MalformedMessage`.
    """
    chain = verify_chain(from_pem(statement.chain.encode(errors="replace")), root, now, whose)
    text = statement.text.encode(errors="replace")
    if len(statement.signature) != 64 or len(text) > MAX_STATEMENT:
        raise MalformedMessage(f"{whose} is of an unexpected size")
    key = public_key(chain.leaf, whose)
    verify_ecdsa(key, statement.signature, text, hashes.SHA256(), whose)
    try:
        said = msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise MalformedMessage(f"{whose} is not understood") from error
    return said, chain.window


def validity(said: TcbInfo | QeIdentity, now: datetime, whose: str) -> Window:
    """Return when a statement counts. Raises `VerificationFailed` outside."""
    if said.issue_date.tzinfo is None or said.next_update.tzinfo is None:
        raise VerificationFailed(f"{whose} has times without a zone")
    return Window(said.issue_date, said.next_update).require(now, whose)
