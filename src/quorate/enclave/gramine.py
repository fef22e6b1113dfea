"""Manifests for Gramine [Gramine25]: how a measured program would run under SGX.

Generated and linted; not executed on SGX by our tests. A manifest is itself
measured, so it is final: every file with its hash, arguments and settings
fixed. What makes an enclave readable or lets the host steer it is refused, also
in a manifest that somebody else wrote.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from quorate.enclave.measure import File, measure
from quorate.errors import MalformedMessage, Refused

HEADER = "# Generated and linted by quorate; not executed on SGX by our tests.\n"
_SIZE = re.compile(r"[1-9][0-9]*[MG]")
_ROOT = "/program/"


@dataclass(frozen=True, slots=True)
class Enclave:
    """What an enclave is to be like, beyond its files."""

    arguments: tuple[str, ...]  # argv, fixed
    libos: str = "gramine/libsysdb.so"  # Gramine's own, among the interpreter's files
    size: str = "4G"
    threads: int = 8
    product: int = 1
    svn: int = 1


def manifest(files: tuple[File, ...], enclave: Enclave) -> str:
    """Return the final manifest, in TOML: the same text for the same program.

    Raises `Refused` where it would not pass `lint`.
    """
    settings = {"OMP_NUM_THREADS": str(enclave.threads), "PYTHONDONTWRITEBYTECODE": "1"}
    document: dict[str, Any] = {
        "libos": {"entrypoint": f"{_ROOT}interpreter/bin/python"},
        "loader": {
            "entrypoint": {"uri": f"file:program/interpreter/{enclave.libos}"},
            "argv": list(enclave.arguments),
            "env": dict(sorted(settings.items())),
            "log_level": "error",
        },
        "fs": {
            "mounts": [
                {"type": "chroot", "path": _ROOT.rstrip("/"), "uri": "file:program"},
                {"type": "tmpfs", "path": "/tmp"},  # noqa: S108 - memory of the enclave
                {
                    "type": "encrypted",
                    "path": "/state",
                    "uri": "file:state",
                    "key_name": "_sgx_mrenclave",
                },
            ]
        },
        "sys": {"disallow_subprocesses": True, "enable_sigterm_injection": False},
        "sgx": {
            "debug": False,
            "remote_attestation": "dcap",
            "enclave_size": enclave.size,
            "max_threads": enclave.threads,
            "isvprodid": enclave.product,
            "isvsvn": enclave.svn,
            "file_check_policy": "strict",
            "trusted_files": [_trusted(each) for each in sorted(files, key=_name)],
        },
    }
    if enclave.libos not in {each.path for each in files if each.part == "interpreter"}:
        raise Refused(f"Gramine's {enclave.libos} is not among what is measured")
    measure(files)  # nothing that has no measurement is written into a manifest
    text = HEADER + tomli_w.dumps(document)
    lint(text)
    return text


def lint(text: str) -> None:
    """Raise `Refused` naming every line of a manifest that weakens what it measures.

    Raises `MalformedMessage` for what is no TOML.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedMessage("the manifest is not TOML") from error
    found = [*_insecure(document, ""), *_sgx(_table(document, "sgx"))]
    loader, system = _table(document, "loader"), _table(document, "sys")
    if not isinstance(loader.get("argv"), list) or not loader["argv"]:
        found.append("loader.argv is not fixed")
    if "OMP_NUM_THREADS" not in _table(loader, "env"):
        found.append("loader.env.OMP_NUM_THREADS is not fixed")
    if system.get("disallow_subprocesses") is not True:
        found.append("sys.disallow_subprocesses is not true")
    if "entrypoint" not in loader:
        found.append("loader.entrypoint is not given")
    found += _mounts(_table(document, "fs"))
    if found:
        raise Refused(f"not a manifest for rows of others: {'; '.join(sorted(set(found)))}")


def _sgx(sgx: Mapping[str, Any]) -> list[str]:
    due = {"debug": False, "remote_attestation": "dcap"}
    found = [f"sgx.{name} is not {value}" for name, value in due.items() if sgx.get(name) != value]
    if sgx.get("file_check_policy", "strict") != "strict":
        found.append("sgx.file_check_policy is not strict")
    if sgx.get("allowed_files"):
        found.append("sgx.allowed_files are not measured")
    found += [
        f"sgx.{name} is not given"
        for name in ("isvprodid", "isvsvn", "max_threads")
        if not isinstance(sgx.get(name), int)
    ]
    if not _SIZE.fullmatch(str(sgx.get("enclave_size", ""))):
        found.append("sgx.enclave_size is not given")
    trusted = sgx.get("trusted_files")
    hashed = isinstance(trusted, list) and trusted and all(map(_is_hashed, trusted))
    return found if hashed else [*found, "sgx.trusted_files are not given with their hashes"]


def _mounts(fs: Mapping[str, Any]) -> list[str]:
    mounts = fs.get("mounts", [])
    if not isinstance(mounts, list):
        return ["fs.mounts is no list"]
    keys = {m.get("key_name") for m in mounts if m.get("type") == "encrypted"}
    found = [] if keys <= {"_sgx_mrenclave"} else ["an encrypted mount has a key of the signer"]
    paths = {m.get("path") for m in mounts if m.get("type") == "tmpfs"}
    return found if "/tmp" in paths else [*found, "/tmp is the host's"]  # noqa: S108 - looked at


def _insecure(value: object, path: str) -> list[str]:
    """Every key that says itself that it is insecure, and every value the host may pass in."""
    if isinstance(value, list):
        return [each for item in value for each in _insecure(item, path)]
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    for name, inner in value.items():
        place = f"{path}.{name}" if path else name
        if name.startswith("insecure__"):
            found.append(f"{place} is there")
        if name == "passthrough" and inner:
            found.append(f"{place} lets the host choose")
        found += _insecure(inner, place)
    return found


def _is_hashed(trusted: object) -> bool:
    digest = trusted.get("sha256") if isinstance(trusted, dict) else None
    return isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest) is not None


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    return found if isinstance(found, dict) else {}


def _trusted(each: File) -> dict[str, str]:
    return {"uri": f"file:program/{_name(each)}", "sha256": each.sha256.hex()}


def _name(each: File) -> str:
    return f"{each.part}/{each.path}"
