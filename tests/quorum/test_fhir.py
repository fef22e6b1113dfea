"""A document in plain words: all that matters is said, nothing steers a terminal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.cli.stage import examples
from quorate.errors import MalformedMessage
from quorate.quorum.fhir import MAX_LINES, plain_words

TEXT = (examples() / "medication-order.json").read_text()


def words(**changes: Any) -> str:
    return "\n".join(plain_words(json.dumps(json.loads(TEXT) | changes)))


def test_a_medication_request_says_what_a_person_must_know() -> None:
    assert plain_words(TEXT) == (
        "medication  morphine hydrochloride 10 mg/mL injection"
        " = morphine (http://www.whocc.no/atc N02AA01)",
        "dose        2.5 mg",
        "route       subcutaneous",
        "frequency   1 times every 4 h, for 2 days",
        "instruction 2.5 mg subcutaneously every 4 hours",
        "patient     patient 0001, room 12 = Patient/0001",
        "requester   the ward's doctor = Practitioner/doctor",
        "note        no known allergies; kidney function checked on 28 February",
        "status      active, order, urgent",
        "authored    2027-03-01T08:30:00Z",
    )


def test_an_order_not_to_give_says_so_first() -> None:
    assert words(doNotPerform=True).startswith("DO NOT GIVE")
    assert words(doNotPerform="yes").startswith("DO NOT GIVE")  # not FHIR, and not overlooked
    assert "DO NOT GIVE" not in words(doNotPerform=False)


def test_a_range_a_need_and_a_reference_are_read() -> None:
    dosage = {
        "asNeededBoolean": True,
        "doseAndRate": [
            {"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}
        ],
        "timing": {"repeat": {"when": ["MORN", "NIGHT"]}},
        "maxDosePerPeriod": {},
    }
    said = words(
        dosageInstruction=[dosage],
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/7"},
        dispenseRequest={"quantity": {"value": 20, "unit": "tablets"}},
    )
    assert "medication  Medication/7" in said
    assert "dose        1 mg to 2 mg" in said
    assert "frequency   MORN, NIGHT, as needed" in said
    assert "dosage has  maxDosePerPeriod" in said
    assert "supply      20 tablets" in said


def test_what_is_not_read_is_counted_and_not_hidden() -> None:
    assert "also says   substitution: see the document" in words(substitution={"allowed": False})
    assert "medication  not named" in words(medicationCodeableConcept={})


def test_other_documents_are_shown_as_they_stand() -> None:
    assert plain_words('{"a": [1, "b"]}') == ("{", '  "a": [', "    1,", '    "b"', "  ]", "}")
    long = plain_words(json.dumps(list(range(1000))))
    assert len(long) == MAX_LINES + 1
    assert "see the document" in long[-1]


@pytest.mark.parametrize(
    "text",
    ["", "{", "nan", '{"a": 1, "a": 2}', "[" * 100_000, '{"resourceType": 1, "resourceType": 2}'],
)
def test_what_two_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        plain_words(text)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(TEXT))) | st.text(), TREES))
def test_nothing_in_a_document_steers_a_terminal(changes: dict[str, Any]) -> None:
    for document in (json.loads(TEXT) | changes, {"resourceType": "MedicationRequest"} | changes):
        for line in plain_words(json.dumps(document)):
            assert line.isprintable()
