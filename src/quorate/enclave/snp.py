"""Reports of SEV-SNP, versions 2 to 5, under the key of a chip or of a provider [SEVSNP25].

The chip signs 672 bytes; AMD certifies the chip's key for one state of the
firmware, so the report must be of the state that the certificate names. Debug
and VMPL are no part of the launch measurement: a list of allowed measurements
alone would let them through.
"""

from dataclasses import dataclass
from datetime import datetime

from quorate.enclave import amd, der
from quorate.enclave.amd import AmdCertificate
from quorate.enclave.certificates import fingerprint
from quorate.enclave.claims import Checked, Claims, Flag, Number, Outcome, Value
from quorate.enclave.evidence import AmdChain
from quorate.enclave.octets import Reader
from quorate.errors import MalformedMessage, VerificationFailed

REPORT, SIGNED = 1184, 0x2A0
VERSIONS = range(2, 6)
_ECDSA_P384 = 1
_SMT, _RESERVED_ONE, _MIGRATE, _DEBUG, _SINGLE_SOCKET = 16, 17, 18, 19, 20
_ALIAS_CHECK = 5


@dataclass(frozen=True, slots=True)
class Firmware:
    """The security versions of a platform's parts."""

    bootloader: int
    tee: int
    snp: int
    microcode: int
    fmc: int = 0  # from Turin on


@dataclass(frozen=True, slots=True)
class Report:
    """A report taken apart."""

    version: int
    guest_svn: int
    policy: int
    vmpl: int
    platform: int
    signing_key: int  # 0 VCEK, 1 VLEK
    author_key: bool
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    reported_tcb: bytes
    chip_id: bytes
    signed: bytes
    r: bytes
    s: bytes


def verify_snp(data: bytes, chain: AmdChain, now: datetime, roots: tuple[bytes, ...]) -> Claims:
    """Return the claims of a report. Raises `VerificationFailed` and `MalformedMessage`."""
    report = parse(data)
    vek, window = amd.verify_chain(chain, roots, now)
    amd.verify_report_signature(vek.public_key, report.r, report.s, report.signed)
    firmware = _verify_certified(report, vek)
    revocation = (
        Checked("revocation", Outcome.PASS)
        if chain.crl
        else Checked("revocation", Outcome.NOT_ASSESSED, "no list came with the report")
    )
    return Claims(
        kind="snp",
        report_data=report.report_data,
        debug=bool(report.policy >> _DEBUG & 1),
        values=(
            Value("measurement", report.measurement),
            Value("host-data", report.host_data),
            Value("id-key-digest", report.id_key_digest),
            Value("author-key-digest", report.author_key_digest),
        ),
        numbers=(
            Number("vmpl", report.vmpl),
            Number("version", report.version),
            Number("guest-svn", report.guest_svn),
            Number("bootloader", firmware.bootloader),
            Number("tee", firmware.tee),
            Number("snp", firmware.snp),
            Number("microcode", firmware.microcode),
            Number("fmc", firmware.fmc),
        ),
        flags=(
            Flag("migrate", bool(report.policy >> _MIGRATE & 1)),
            Flag("smt", bool(report.policy >> _SMT & 1)),
            Flag("single-socket", bool(report.policy >> _SINGLE_SOCKET & 1)),
            Flag("alias-check", bool(report.platform >> _ALIAS_CHECK & 1)),
            Flag("provider-key", report.signing_key == 1),
        ),
        hardware=report.chip_id,
        anchor=fingerprint(chain.ark),
        not_before=window.begin,
        not_after=window.end,
        checked=(revocation,),
    )


def parse(data: bytes) -> Report:
    """Take a report apart. Raises `MalformedMessage` for another version, length or form."""
    if len(data) != REPORT:
        raise MalformedMessage(f"a report of {len(data)} bytes; {REPORT} are due")
    at = Reader(data)
    version, guest_svn, policy = at.number(4), at.number(4), at.number(8)
    at.take(32)
    vmpl, algorithm = at.number(4), at.number(4)
    at.take(8)  # current_tcb: the host may roll it back; reported_tcb is what the key is for
    platform, keys = at.number(8), at.number(4)
    at.take(4)
    report_data, measurement, host_data = at.take(64), at.take(48), at.take(32)
    id_key, author_key = at.take(48), at.take(48)
    at.take(64)
    reported = at.take(8)
    at.take(24)
    chip_id = at.take(64)
    tail = Reader(data, SIGNED)
    r, s = tail.take(72), tail.take(72)
    if version not in VERSIONS or algorithm != _ECDSA_P384:
        raise MalformedMessage(f"a report of version {version}, signed by algorithm {algorithm}")
    if not policy >> _RESERVED_ONE & 1 or vmpl > 3 or any(tail.rest()):
        raise MalformedMessage("a report with something where nothing is due")
    signing_key = keys >> 2 & 7
    if signing_key not in {0, 1}:
        raise MalformedMessage("a report that no key of AMD's signed")
    return Report(
        version,
        guest_svn,
        policy,
        vmpl,
        platform,
        signing_key,
        bool(keys & 1),
        report_data,
        measurement,
        host_data,
        id_key,
        author_key,
        reported,
        chip_id,
        data[:SIGNED],
        r,
        s,
    )


def firmware_of(reported: bytes, product: str) -> Firmware:
    """Return the versions in a report's 8 bytes, whose order changed with Turin."""
    if product.startswith("Turin"):
        return Firmware(reported[1], reported[2], reported[3], reported[7], reported[0])
    if product.startswith(("Milan", "Genoa")):
        return Firmware(reported[0], reported[1], reported[6], reported[7])
    raise VerificationFailed("AMD's certificate is of a product that is not known here")


def _verify_certified(report: Report, vek: AmdCertificate) -> Firmware:
    """Hold the report against what AMD certified: kind of key, versions, chip."""
    wanted = amd.VLEK if report.signing_key == 1 else amd.VCEK
    if vek.common_name != wanted:
        raise VerificationFailed("the report is signed by another kind of key than it says")
    product = der.one(_due(vek, amd.PRODUCT)).of(der.IA5_STRING).decode("ascii", "replace")
    firmware = firmware_of(report.reported_tcb, product)
    certified = Firmware(
        _version(vek, amd.BOOTLOADER),
        _version(vek, amd.TEE),
        _version(vek, amd.SNP),
        _version(vek, amd.MICROCODE),
        _version(vek, amd.FMC) if vek.extension(amd.FMC) is not None else 0,
    )
    if firmware != certified:
        raise VerificationFailed("the report is of another state of the firmware than its key")
    chip = vek.extension(amd.HARDWARE)
    if wanted == amd.VCEK and (not chip or report.chip_id != chip.ljust(64, b"\0")):
        raise VerificationFailed("the report is of another chip than its key")
    return firmware


def _version(vek: AmdCertificate, oid: str) -> int:
    return der.integer(der.one(_due(vek, oid)).of(der.INTEGER))


def _due(vek: AmdCertificate, oid: str) -> bytes:
    value = vek.extension(oid)
    if value is None:
        raise MalformedMessage("AMD's certificate leaves something out")
    return value
