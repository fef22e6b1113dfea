"""The enclave's process in bubblewrap reaches neither the host's files nor its network."""

import subprocess
import sys
from pathlib import Path
from socket import create_server

import pytest

from quorate.node import sandbox
from quorate.node.sandbox import can_confine, confined

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not can_confine(),
        reason="bubblewrap is not installed, or this kernel lets no user make a sandbox",
    ),
]
READS = "import sys; print(open(sys.argv[1]).read())"
DIALS = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)"
WRITES = "import sys; open(sys.argv[1], 'w').write('changed')"


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def python(program: str, argument: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-B", "-c", program, argument)


def test_a_file_of_the_host_is_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("of the host")
    found = ran(*confined(python(READS, str(secret))))
    assert found.returncode != 0
    assert "No such file" in found.stderr
    assert "of the host" not in found.stdout


def test_control_without_the_sandbox_the_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("of the host")
    assert "of the host" in ran(*python(READS, str(secret))).stdout


def test_the_network_of_the_host_is_not_there() -> None:
    with create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        assert ran(*confined(python(DIALS, port))).returncode != 0


def test_control_without_the_sandbox_the_host_is_reached() -> None:
    with create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        assert ran(*python(DIALS, port)).returncode == 0


def test_the_program_cannot_be_changed_from_inside() -> None:
    found = ran(*confined(python(WRITES, sandbox.__file__)))
    assert found.returncode != 0
    assert "Read-only" in found.stderr


def test_the_program_of_an_enclave_starts_inside() -> None:
    found = ran(*confined((sys.executable, "-I", "-c", "import quorate.node.enclosed, numpy")))
    assert found.returncode == 0, found.stderr
