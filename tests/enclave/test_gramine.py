"""Manifests for Gramine: the same for the same program, and none that weakens what it measures."""

import tomllib

import pytest

from quorate.enclave.gramine import HEADER, Enclave, lint, manifest
from quorate.enclave.measure import of_bytes
from quorate.errors import MalformedMessage, Refused
from tests.enclave.world import FILES

ENCLAVE = Enclave(("python", "-m", "quorate.enclave"))
GOOD = manifest(FILES, ENCLAVE)


def test_a_manifest_is_of_its_program_and_says_what_it_is_worth() -> None:
    assert manifest(FILES[::-1], ENCLAVE) == GOOD
    assert GOOD.startswith(HEADER)
    assert "not executed on SGX" in HEADER
    other = manifest((*FILES[1:], of_bytes("wheel", "quorate.whl", b"other")), ENCLAVE)
    assert other != GOOD
    hashes = {each["sha256"] for each in tomllib.loads(GOOD)["sgx"]["trusted_files"]}
    assert hashes == {each.sha256.hex() for each in FILES}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("debug = false", "debug = true", "sgx.debug is not False"),
        ("debug = false\n", "", "sgx.debug is not False"),
        ('remote_attestation = "dcap"', 'remote_attestation = "none"', "remote_attestation"),
        ('file_check_policy = "strict"', 'file_check_policy = "allow_all_but_log"', "not strict"),
        ('log_level = "error"', "insecure__use_cmdline_argv = true", "insecure__use_cmdline_argv"),
        ("max_threads = 8", "insecure__rpc_thread_num = 8", "insecure__rpc_thread_num"),
        ("max_threads = 8", 'allowed_files = ["file:x"]', "are not measured"),
        ("isvsvn = 1", "", "sgx.isvsvn is not given"),
        ('enclave_size = "4G"', "", "sgx.enclave_size"),
        ('OMP_NUM_THREADS = "8"', "OMP_NUM_THREADS = { passthrough = true }", "host choose"),
        ("disallow_subprocesses = true", "disallow_subprocesses = false", "disallow_subprocesses"),
        ("_sgx_mrenclave", "_sgx_mrsigner", "a key of the signer"),
        ('type = "tmpfs"', 'type = "chroot"', "is the host's"),
        ('sha256 = "', 'sha512 = "', "with their hashes"),
    ],
)
def test_what_weakens_a_manifest_is_named(old: str, new: str, why: str) -> None:
    assert old in GOOD
    with pytest.raises(Refused, match=why):
        lint(GOOD.replace(old, new))


def test_what_is_no_manifest() -> None:
    with pytest.raises(MalformedMessage, match="not TOML"):
        lint("[")
    with pytest.raises(Refused, match=r"loader.argv is not fixed"):
        lint("")
    with pytest.raises(Refused, match=r"loader.argv is not fixed"):
        manifest(FILES, Enclave(()))
    with pytest.raises(Refused, match="nothing is given as plan"):
        manifest(tuple(each for each in FILES if each.part != "plan"), ENCLAVE)
    with pytest.raises(Refused, match="not among what is measured"):
        manifest(FILES[:-1], ENCLAVE)
