import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Error, MalformedStudy
from quorate.studies.query import Output
from quorate.studies.schema import Column
from quorate.studies.study import check_study, read_study
from tests.studies.trio import STUDY, study_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "average-age.toml"


def test_the_study_file_documented_is_an_example_and_reads() -> None:
    document = (EXAMPLE.parents[1] / "docs" / "study-file.md").read_text(encoding="utf-8")
    shown, *rest = re.findall(r"^```toml\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    (noisy,) = (one for one in rest if one.startswith("title"))
    (scored,) = (one for one in rest if "[score]" in one)
    assert shown == (EXAMPLE.parent / "by-sex.toml").read_text(encoding="utf-8")
    assert noisy == (EXAMPLE.parent / "noisy-age.toml").read_text(encoding="utf-8")
    assert read_study(noisy).privacy is not None
    assert [query.name for query in read_study(shown).releases] == ["by_sex", "ages"]
    head = 'title = "t"\npurpose = "p"\nmax_rows = 1000\n'
    score = read_study(head + scored.replace('"..."', f'"{"00" * 32}"')).scoring.score
    assert (score.name, len(score.items)) == ("FINDRISC", 2)


def test_the_example_reads() -> None:
    study = read_study(EXAMPLE.read_text(encoding="utf-8"))
    assert study.table.columns == (Column("age", "integer", "0", "120", "years", ()),)
    (age,) = study.releases
    assert age.outputs == (
        Output("patients", "count", "", ()),
        Output("mean_age", "avg", "age", ()),
    )
    assert (age.name, age.where, age.group_by, study.min_cell) == ("age", (), (), 5)
    assert study.max_rows == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('title = "Average', 'colour = "red"\ntitle = "Average', "the study: unknown key colour"),
        ('"Average age of diabetes patients"', "7", "title: "),
        ('"Average age of diabetes patients"', '" "', "title: "),
        ('"Average age of diabetes patients"', '"a\\u001b[2Jb"', "title: "),
        ('"Average age of diabetes patients"', '"a\\u202eb"', "title: "),
        ('"Average age of diabetes patients"', f'"{"a" * 201}"', "title: "),
        ('"Planning of care capacity"', '"a\\u001b[2Jb"', "purpose: "),
        ('"Planning of care capacity"', f'"{"a" * 1001}"', "purpose: "),
        ("120 years", "120 y\\u001b[2J", "tables.patients.age: holds characters"),
        ("120 years", f"120 {'y' * 41}", "tables.patients.age: longer than 40"),
        ("title =", f"#{'x' * 66_000}\ntitle =", "the study: longer than"),
        ("1_000_000", "0", "max_rows: "),
        ("1_000_000", "1e6", "max_rows: "),
        ("1_000_000", "true", "max_rows: "),
        ("1_000_000", "100_000_000_000", "max_rows: "),
        ("max_rows = 1_000_000", "", "max_rows: "),
        ("[tables.patients]", "[tables.other]\n[tables.patients]", "tables: 2 tables"),
        ("[tables.patients]", '[tables."p; drop"]', "tables.p; drop: not a name"),
        ("age =", '"a\\"ge" =', 'tables.patients.a"ge: not a name'),
        ("age =", '"a\\nge" =', "tables.patients.'a\\nge': not a name"),
        ("bmi =", "AGE =", "tables.patients: two names"),
        ("0..120", "120..0", "tables.patients.age: the low bound 120 is above"),
        ("0..120", "0..1.5", "tables.patients.age: 1.5 has more than 15 digits or 0 decimals"),
        ("0..120", "0..1000000000000000", "tables.patients.age: "),
        ("10..80.5", "10..1000000000", "tables.patients.bmi: "),
        ("10..80.5", "0..0.0000000001", "tables.patients.bmi: "),
        ("10..80.5", "0..inf", "tables.patients.bmi: not a column"),
        ("10..80.5", "nan..1", "tables.patients.bmi: not a column"),
        ("10..80.5", "0..1e9", "tables.patients.bmi: "),
        ("10..80.5", "0..\u0661", "tables.patients.bmi: "),
        ("integer 0..120 years", "integer 0..120", "tables.patients.age: has no unit"),
        ("integer 0..120 years", "text 0..120 years", "tables.patients.age: not a column"),
        ('"integer 0..120 years"', "120", "tables.patients.age: not a column"),
        ("max_rows = 1_000_000", "max_rows = 9\nmin_cell = 0", "min_cell: must be"),
        ("max_rows = 1_000_000", 'max_rows = 9\nmin_cell = "5"', "min_cell: missing, or not"),
        ("integer 0..120 years", "category ", "tables.patients.age: not a list of categories"),
        ("integer 0..120 years", "category a  b a", "tables.patients.age: two values are the same"),
        ("integer 0..120 years", f"category {'a' * 101}", "tables.patients.age: longer than 100"),
        ('"integer 0..120 years"', "'category a\"b'", "tables.patients.age: not a list"),
        ('"integer 0..120 years"', "'category \"a'", "tables.patients.age: not a list"),
        ('"integer 0..120 years"', "'category \" a\"'", "tables.patients.age: ' a' begins"),
        ('"integer 0..120 years"', '"category a\\u001b"', "tables.patients.age: holds characters"),
        (
            "integer 0..120 years",
            f"category {' '.join(map(str, range(1001)))}",
            "tables.patients.age: a category has 1 to 1000 values",
        ),
        ('"select count(*)', "3 #", "releases.r: not SQL in quotes"),
        ("avg(age)", "avg(ages)", "releases.r, line 1, column 34: ages: is not a declared column"),
        ("[releases]", "[other]", "the study: unknown key other"),
        ("as mean_age", "as Patients", "releases.r, line 1, column 42: Patients: is the name"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert old in STUDY
    with pytest.raises(MalformedStudy) as refused:
        read_study(STUDY.replace(old, new, 1))
    assert str(refused.value).startswith(place)
    assert str(refused.value).isprintable()


def test_tables_that_are_not_tables_are_refused() -> None:
    head = STUDY.partition("[tables")[0]
    with pytest.raises(MalformedStudy, match="tables: missing, or not a table"):
        read_study(head + "tables = 3\n")
    with pytest.raises(MalformedStudy, match=r"tables\.patients: missing, or not a table"):
        read_study(head + "tables.patients = 3\n")
    with pytest.raises(MalformedStudy, match=r"tables\.'\\x1b': not a name"):
        read_study(head + 'tables."\\u001b" = 3\n')


def test_there_is_a_most_of_releases() -> None:
    assert len(study_of("integer 0..9 kg", *["count(*)"] * 256).releases) == 256
    with pytest.raises(MalformedStudy, match="releases: more than 256"):
        study_of("integer 0..9 kg", *["count(*)"] * 257)


def test_a_study_that_releases_nothing_is_refused() -> None:
    with pytest.raises(MalformedStudy, match="releases: nothing to release"):
        read_study(STUDY.partition("r = ")[0])


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "9" * 10_000, "a" * 70_000])
def test_texts_made_to_exhaust_the_reader_are_refused(text: str) -> None:
    with pytest.raises(MalformedStudy):
        read_study(text)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(MalformedStudy):
        read_study(text)


@given(st.integers(0, len(STUDY) - 1), st.integers(0, 8), st.text(max_size=8))
def test_no_edit_of_a_study_breaks_the_reader(at: int, cut: int, paste: str) -> None:
    message = ""
    try:
        check_study(read_study(STUDY[:at] + paste + STUDY[at + cut :]))
    except Error as e:
        message = str(e)
    assert message.isprintable()


@given(
    st.decimals("-999999999", "999999999", places=9),
    st.decimals("-999999999", "999999999", places=9),
)
def test_bounds_keep_their_exact_value(one: object, other: object) -> None:
    low, high = sorted((Fraction(str(one)), Fraction(str(other))))
    texts = sorted((f"{one:f}", f"{other:f}"), key=Fraction)
    column = study_of(f"number {texts[0]}..{texts[1]} kg", "sum(x)").table.column("x")
    assert (Fraction(column.low), Fraction(column.high)) == (low, high)
    assert column.largest == max(abs(low), abs(high))


@pytest.mark.parametrize(
    ("written", "kept"), [("-0.0", "0"), ("007", "7"), ("-00.50", "-0.5"), ("10.00", "10")]
)
def test_one_bound_has_one_spelling(written: str, kept: str) -> None:
    assert study_of(f"number {written}..99 kg", "sum(x)").table.column("x").low == kept
