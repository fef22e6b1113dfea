"""A document in plain words: what a person must see before it is ordered.

Read are the fields that matter of an HL7 FHIR R4 MedicationRequest [FHIR19].
Whatever else the document holds is counted, never hidden; any other JSON is
shown as it stands. What is signed is the document's digest, not these words.
"""

import json
from collections.abc import Iterator
from typing import Any

from quorate.errors import MalformedMessage

MAX_LINES, MAX_LINE = 200, 200

_READ = {
    "resourceType", "status", "intent", "priority", "medicationCodeableConcept",
    "medicationReference", "subject", "authoredOn", "requester", "reasonCode", "note",
    "dosageInstruction", "dispenseRequest", "doNotPerform",
}  # fmt: skip
_READ_OF_A_DOSAGE = {
    "sequence", "text", "patientInstruction", "timing", "asNeededBoolean", "route", "doseAndRate",
}  # fmt: skip
_UNSAID = {"id", "meta", "text", "language", "identifier"}
"""What says nothing about the order itself."""


def text_of(document: bytes) -> str:
    """Return a document as text. Raises `MalformedMessage`."""
    try:
        return document.decode()
    except UnicodeDecodeError:
        raise MalformedMessage("the document is not text") from None


def plain_words(text: str) -> tuple[str, ...]:
    """Return what a document says, as lines for people. Raises `MalformedMessage`.

    The lines hold only characters that print.
    """
    try:
        found = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise MalformedMessage("the document is not JSON") from None
    if not isinstance(found, dict) or found.get("resourceType") != "MedicationRequest":
        return tuple(map(_safe, _as_it_stands(found)))
    return tuple(_safe(f"{name:<11} {said}") for name, said in _medication_request(found) if said)


def _medication_request(order: dict[str, Any]) -> Iterator[tuple[str, str]]:
    forbids = order.get("doNotPerform") not in (None, False)
    yield "DO NOT GIVE", "this order forbids the medication" if forbids else ""
    yield "medication", _medication(order)
    for dosage in _list(order.get("dosageInstruction")):
        yield "dose", "; ".join(filter(None, map(_dose, _list(_at(dosage, "doseAndRate")))))
        yield "route", _concept(_at(dosage, "route"))
        yield "frequency", _frequency(dosage)
        yield "dosage has", ", ".join(sorted(_keys(dosage) - _READ_OF_A_DOSAGE))
        yield "instruction", _text(_at(dosage, "text"))
        yield "tells", _text(_at(dosage, "patientInstruction"))
    yield "supply", _quantity(_at(order.get("dispenseRequest"), "quantity"))
    yield "patient", _reference(order.get("subject"))
    yield "requester", _reference(order.get("requester"))
    for reason in _list(order.get("reasonCode")):
        yield "reason", _concept(reason)
    for note in _list(order.get("note")):
        yield "note", _text(_at(note, "text"))
    states = (order.get("status"), order.get("intent"), order.get("priority"))
    yield "status", ", ".join(filter(None, map(_text, states)))
    yield "authored", _text(order.get("authoredOn"))
    unread = sorted(order.keys() - _READ - _UNSAID)
    yield "also says", f"{', '.join(unread)}: see the document" if unread else ""


def _medication(order: dict[str, Any]) -> str:
    concept = _concept(order.get("medicationCodeableConcept"))
    return concept or _reference(order.get("medicationReference")) or "not named"


def _dose(dose: object) -> str:
    if said := _quantity(_at(dose, "doseQuantity")):
        return said
    low, high = (_quantity(_at(_at(dose, "doseRange"), end)) for end in ("low", "high"))
    return f"{low} to {high}" if low and high else ""


def _frequency(dosage: object) -> str:
    repeat = _at(_at(dosage, "timing"), "repeat")
    times, period, unit = (_text(_at(repeat, k)) for k in ("frequency", "period", "periodUnit"))
    said = f"{times} times every {period} {unit}" if times and period and unit else ""
    bounds = _quantity(_at(repeat, "boundsDuration"))
    when = ", ".join(map(_text, _list(_at(repeat, "when"))))
    needed = "as needed" if _at(dosage, "asNeededBoolean") is True else ""
    parts = (said, when, f"for {bounds}" if bounds else "", needed)
    return ", ".join(filter(None, parts)) or _concept(_at(_at(dosage, "timing"), "code"))


def _quantity(quantity: object) -> str:
    value, unit = _text(_at(quantity, "value")), _text(_at(quantity, "unit"))
    comparator = _text(_at(quantity, "comparator"))
    return f"{comparator}{value} {unit or _text(_at(quantity, 'code'))}".strip() if value else ""


def _concept(concept: object) -> str:
    """Return text, display and code of a CodeableConcept: none stands in for another."""
    codings = [
        f"{_text(_at(c, 'display'))} ({_text(_at(c, 'system'))} {_text(_at(c, 'code'))})".strip()
        for c in _list(_at(concept, "coding"))
    ]
    return " = ".join(filter(None, [_text(_at(concept, "text")), *codings]))


def _reference(reference: object) -> str:
    said = (_text(_at(reference, "display")), _text(_at(reference, "reference")))
    return " = ".join(filter(None, said))


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return ""
        case int() | float():
            return json.dumps(value)
        case _:
            return ""


def _at(holder: object, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def _keys(holder: object) -> set[str]:
    return set(holder) if isinstance(holder, dict) else set()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_it_stands(found: object) -> list[str]:
    lines = json.dumps(found, indent=2, ensure_ascii=True).splitlines()
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"and {len(lines) - MAX_LINES} lines more: see the document"]
    return lines


def _safe(line: str) -> str:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return shown if len(shown) <= MAX_LINE else f"{shown[:MAX_LINE]} and so on: see the document"


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice: readers would disagree about it")
    return dict(pairs)
