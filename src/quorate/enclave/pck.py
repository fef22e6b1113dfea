"""What Intel wrote into the certificate of a platform's key: its extension [DCAP24]."""

from dataclasses import dataclass

from cryptography import x509

from quorate.enclave import der
from quorate.enclave.certificates import UNREADABLE
from quorate.enclave.der import Element
from quorate.errors import MalformedMessage

PCK_OID = "1.2.840.113741.1.13.1"
_PPID, _TCB, _PCE_ID, _FMSPC, _TYPE, _INSTANCE, _CONFIGURATION = range(1, 8)
_PCE_SVN, _CPU_SVN = 17, 18


@dataclass(frozen=True, slots=True)
class PckExtension:
    """A platform: who it is, of which family, and its versions when it was certified."""

    ppid: bytes
    components: tuple[int, ...]  # 16
    pce_svn: int
    cpu_svn: bytes
    pce_id: bytes
    fmspc: bytes
    dynamic: bool  # of several processors, or able to change them
    cached_keys: bool
    smt: bool | None  # None: not said


def pck_extension(certificate: x509.Certificate) -> PckExtension:
    """Return what the extension says. Raises `MalformedMessage` unless it is whole."""
    try:
        oid = x509.ObjectIdentifier(PCK_OID)
        extension = certificate.extensions.get_extension_for_oid(oid).value
    except UNREADABLE:
        raise MalformedMessage("the platform's certificate lacks Intel's extension") from None
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise MalformedMessage("the platform's certificate lacks Intel's extension")
    return read(extension.value)


def read(data: bytes) -> PckExtension:
    """Return what is in the bytes of the extension."""
    parts = _named(der.one(data), PCK_OID)
    tcb = _named(_part(parts, _TCB), f"{PCK_OID}.{_TCB}")
    configuration = (
        _named(parts[_CONFIGURATION], f"{PCK_OID}.{_CONFIGURATION}")
        if _CONFIGURATION in parts
        else {}
    )
    components = tuple(der.integer(_part(tcb, n).of(der.INTEGER)) for n in range(1, 17))
    if max(components) > 0xFF:
        raise MalformedMessage("a version of the platform is above 255")
    return PckExtension(
        _octets(parts, _PPID, 16),
        components,
        der.integer(_part(tcb, _PCE_SVN).of(der.INTEGER)),
        _octets(tcb, _CPU_SVN, 16),
        _octets(parts, _PCE_ID, 2),
        _octets(parts, _FMSPC, 6),
        _flag(configuration, 1) or False,
        _flag(configuration, 2) or False,
        _flag(configuration, 3),
    )


def _named(element: Element, prefix: str) -> dict[int, Element]:
    """Return the values of a sequence of (identifier, value), by the identifier's last number."""
    found: dict[int, Element] = {}
    for pair in der.elements(element.of(der.SEQUENCE)):
        name, value = _pair(pair)
        head, _, last = der.dotted(name.of(der.OID)).rpartition(".")
        if head != prefix or int(last) in found:
            raise MalformedMessage("the platform's certificate says something twice, or astray")
        found[int(last)] = value
    return found


def _pair(element: Element) -> tuple[Element, Element]:
    inside = der.fields(element.whole, at_least=2)
    return inside[0], inside[1]


def _part(parts: dict[int, Element], number: int) -> Element:
    if number not in parts:
        raise MalformedMessage("the platform's certificate leaves something out")
    return parts[number]


def _octets(parts: dict[int, Element], number: int, length: int) -> bytes:
    value = _part(parts, number).of(der.OCTET_STRING)
    if len(value) != length:
        raise MalformedMessage("a part of the platform's certificate has another length")
    return value


def _flag(parts: dict[int, Element], number: int) -> bool | None:
    return parts[number].of(der.BOOLEAN) == b"\xff" if number in parts else None
