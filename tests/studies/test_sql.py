"""The reader of SQL: what it understands, and that it refuses all else, with the place."""

import re

import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quorate.errors import MalformedStudy
from quorate.studies.query import Output, Predicate, Query, select
from quorate.studies.schema import Column, Table
from quorate.studies.sql import read_query

TABLE = Table(
    "patients",
    (
        Column("age", "integer", "0", "120", "years", ()),
        Column("bmi", "number", "10", "80.5", "kg/m2", ()),
        Column("sex", "category", "", "", "", ("F", "M", "not known", "it's")),
        Column("ward", "category", "", "", "", ("1", "2", "-3")),
        Column("date", "category", "", "", "", ("a", "b")),
    ),
)


def read(sql: str) -> Query:
    return read_query("r", sql, TABLE)


def refusal(sql: str) -> str:
    with pytest.raises(MalformedStudy) as refused:
        read(sql)
    assert refused.value.hint
    assert str(refused.value).isprintable()
    return str(refused.value)


def test_a_release_becomes_a_tree() -> None:
    query = read(
        "SELECT sex, COUNT(*) AS n, Variance(bmi) AS v\n  FROM patients\n"
        "WHERE (age >= 018 AND bmi < 30.50) AND NOT (sex IN ('F', 'it''s') OR ward = 1)\n"
        "GROUP BY sex"
    )
    assert query.where == (
        Predicate(">=", "age", ("18",), ()),
        Predicate("<", "bmi", ("30.5",), ()),
        Predicate(
            "not",
            "",
            (),
            (
                Predicate(
                    "or",
                    "",
                    (),
                    (
                        Predicate("in", "sex", ("F", "it's"), ()),
                        Predicate("=", "ward", ("1",), ()),
                    ),
                ),
            ),
        ),
    )
    assert query.group_by == ("sex",)
    assert query.outputs == (Output("n", "count", "", ()), Output("v", "var", "bmi", ()))
    assert query.sql == (
        "select sex, count(*) as n, var(bmi) as v from patients where age >= 18 and bmi < 30.5 "
        "and not (sex in ('F', 'it''s') or ward = 1) group by sex"
    )


@pytest.mark.parametrize(
    ("sql", "normalised"),
    [
        (
            'select ward, "date", count(age) as "select" from patients group by "date", ward',
            'select ward, "date", count(age) as "select" from patients group by ward, "date"',
        ),
        (
            "select histogram(bmi, 10, 20.50, 80.5) as h from patients where ward != -3",
            "select histogram(bmi, 10, 20.5, 80.5) as h from patients where ward <> -3",
        ),
        (
            "select stddev_samp(age) as a, var_samp(age) as b from patients where ward not in (2)",
            "select stddev(age) as a, var(age) as b from patients where not (ward in (2))",
        ),
        (
            "select sum(age) as a from patients where age between 1 and 2 and not age = 3",
            "select sum(age) as a from patients where age between 1 and 2 and not (age = 3)",
        ),
        (
            "select sum(age) as a from patients where age = 1 or age = 2 and age = 3 or (age = 4)",
            "select sum(age) as a from patients where age = 1 or (age = 2 and age = 3) or age = 4",
        ),
    ],
)
def test_a_release_has_one_spelling(sql: str, normalised: str) -> None:
    query = read(sql)
    assert query.sql == normalised
    assert read(normalised) == query


N = "select count(*) as n from patients"


@pytest.mark.parametrize(
    ("sql", "place", "found"),
    [
        ("", "line 1, column 1", "a release begins with select"),
        (f"explain {N}", "line 1, column 1", "explain: a release begins with select"),
        (f"from patients {N[:20]}", "line 1, column 1", "from: a release begins with select"),
        (f"({N})", "line 1, column 1", "(: a release begins with select"),
        (f"with x as ({N}) {N}", "line 1, column 1", "with: a release begins"),
        (f"{N};", "line 1, column 35", ";: is not allowed"),
        (f"{N}; drop table x", "line 1, column 35", ";: is not allowed"),
        (f"{N} -- all", "line 1, column 36", "-- all: a comment"),
        (f"/* hi */ {N}", "line 1, column 1", "/* hi */: a comment"),
        (N.replace("(*)", "(/**/*)"), "line 1, column 14", "/**/: a comment"),
        (f"{N} limit 3", "line 1, column 36", "limit: is not allowed"),
        (f"{N}\norder by sex", "line 2, column 1", "order by: is not allowed"),
        (f"{N} having 1 = 1", "line 1, column 36", "having: is not allowed"),
        (f"{N} union {N}", "line 1, column 36", "union: is not allowed"),
        (f"{N} natural join x", "line 1, column 36", "natural: is not allowed"),
        (f"{N}, other", "line 1, column 37", "other: joins is not allowed here"),
        (f"{N} p", "line 1, column 36", "p: alias is not allowed here"),
        (f"{N} tablesample 3", "line 1, column 36", "is not allowed"),
        (N.replace("patients", "main.patients"), "line 1, column 31", ".: is not allowed"),
        (N.replace("patients", "other"), "line 1, column 27", "other: is not the table patients"),
        (N.replace("patients", "'patients'"), "line 1, column 27", "patients: is not understood"),
        (N.replace("patients", f"({N})"), "line 1, column", "is not the table patients"),
        (N.replace("select", "select distinct"), "line 1, column 8", "distinct: is not allowed"),
        (N.replace("select", "select all"), "line 1, column 8", "all: is not allowed"),
        (N.replace(" as n", ""), "line 1, column", "has no name"),
        (N.replace(" as n", " n"), "line 1, column 32", "as is missing"),
        (N.replace(" as n", " as n,"), "line 1, column 21", ",: is not understood here"),
        (N.replace("count(*)", "count()"), "line 1, column", "is not a value of a release"),
        (N.replace("count(*)", "count(age, bmi)"), "line 1, column 19", "bmi: expressions is not"),
        (N.replace("count(*)", "sum(*)"), "line 1, column 12", "*: is not a column"),
        (N.replace("count(*)", "sum(age + 1)"), "line 1, column 16", "+: is not allowed"),
        (N.replace("count(*)", "sum(age - 1)"), "line 1, column 12", "age - 1: is not a column"),
        (N.replace("count(*)", "sum(sex)"), "line 1, column 12", "sex: is a category, and has no"),
        (N.replace("count(*)", "sum(ages)"), "line 1, column 12", "ages: is not a declared column"),
        (N.replace("count(*)", "sum(Age)"), "line 1, column 12", "Age: is not a declared column"),
        (N.replace("count(*)", "sum(sum(age))"), "line 1, column 16", "is not a column"),
        (N.replace("count(*)", "median(age)"), "line 1, column 8", "median: is not a function"),
        (N.replace("count(*)", "stddev_pop(age)"), "line 1, column 8", "stddev_pop: is not a"),
        (N.replace("count(*)", "age"), "line 1, column 8", "is not a value of a release"),
        (N.replace("count(*)", "1"), "line 1, column", "is not a value of a release"),
        (N.replace("count(*)", "*"), "line 1, column", "as"),
        (N.replace("count(*)", "cast(age as text)"), "line 1, column 8", "cast: is not"),
        (N.replace("count(*)", "age::text"), "line 1, column 11", "::: is not allowed"),
        (N.replace("count(*)", "{fn sum(age)}"), "line 1, column 8", "{: is not allowed"),
        (N.replace("count(*)", "count(*) over ()"), "line 1, column 17", "over: is not allowed"),
        (N.replace("count(*)", "count(*) filter (where age = 1)"), "line 1, column 17", "filter"),
        (N.replace("count(*)", "case when age then 1"), "line 1, column 8", "case: is not"),
        (N.replace("as n", "as rows"), "line 1, column 20", "rows: is not allowed"),
        (N.replace("as n", 'as "a b"'), "line 1, column 20", '"a b": not a name'),
        (N.replace("as n", "as 'n'"), "line 1, column", ""),
        (
            N.replace("as n", "as n, sum(age) as N"),
            "line 1, column 35",
            "N: is the name of two values",
        ),
        (N.replace("count(*)", "histogram(age)"), "line 1, column", "has 2 to 101 edges"),
        (N.replace("count(*)", "histogram(age, 1)"), "line 1, column", "has 2 to 101 edges"),
        (N.replace("count(*)", "histogram(age, 2, 1)"), "line 1, column", "edges of a histogram"),
        (N.replace("count(*)", "histogram(age, 1, 1)"), "line 1, column", "edges of a histogram"),
        (N.replace("count(*)", "histogram(age, 1, 2.5)"), "line 1, column 26", "2.5 has more than"),
        (N.replace("count(*)", "histogram(age, 1, 'F')"), "line 1, column 26", "F: is text, and"),
        (N.replace("count(*)", "histogram(sex, 1, 2)"), "line 1, column 18", "sex: is a category"),
        (f"{N} group by sex", "line 1, column 45", "sex: is not both selected and grouped by"),
        (f"{N} group by sex, sex", "line 1, column 45", "a category twice"),
        (N.replace("count", "sex, count"), "line 1, column 8", "sex: is not both selected"),
        (f"{N} group by age", "line 1, column 45", "age: is not a category"),
        (f"{N} group by 1", "line 1, column", "1: is not a column"),
        (f"{N} group by all", "line 1, column 45", "all: is not allowed"),
        (f"{N} group by rollup (sex)", "line 1, column 45", "rollup: is not"),
        (f"{N} group by (sex)", "line 1, column 46", "is not a column"),
        (f"{N} where age", "line 1, column 42", "age: is not a condition"),
        (f"{N} where true", "line 1, column 42", "true: is not allowed"),
        (f"{N} where 18 <= age", "line 1, column 48", "a condition begins with a column"),
        (f"{N} where age = bmi", "line 1, column 48", "bmi: is not a number or a text"),
        (f"{N} where age > 1 > 2", "line 1, column 42", "a condition begins with a column"),
        (f"{N} where age = '18'", "line 1, column 48", "18: is text, and age is a number"),
        (f"{N} where age >= 1.5", "line 1, column 49", "1.5 has more than 15 digits or 0"),
        (f"{N} where age >= 1e3", "line 1, column 49", "1e3: not a plain decimal"),
        (f"{N} where age >= {'9' * 16}", "line 1, column 49", "has more than 15 digits"),
        (f"{N} where age >= 0x1f", "line 1, column 50", ""),
        (f"{N} where age is null", "line 1, column 46", "is: is not allowed"),
        (f"{N} where age in (1, 1)", "line 1, column 42", "a value twice"),
        (f"{N} where age in (select 1)", "line 1, column", "is not allowed here"),
        (f"{N} where age in ()", "line 1, column 42", "has no values"),
        (f"{N} where age in (1,)", "line 1, column", ",: is not understood here"),
        (f"{N} where age between symmetric 1 and 2", "line 1, column 42", "symmetric"),
        (f"{N} where sex = 'X'", "line 1, column 48", "X: is not a declared value of sex"),
        (f"{N} where sex = 'f'", "line 1, column 48", "f: is not a declared value of sex"),
        (f'{N} where sex = "F"', "line 1, column 48", "is not a number or a text"),
        (f"{N} where sex < 'F'", "line 1, column 42", "a category is equal to a value or not"),
        (f"{N} where sex like 'F'", "line 1, column 46", "like: is not allowed"),
        (f"{N} where sex = 'F' 'M'", "line 1, column", "is not a number or a text"),
        (f"{N} where ward = -'3'", "line 1, column", "is not a declared value"),
        (f"{N} where age = 'F", "line 1, column 50", "a quote or a comment is not closed"),
        (f"{N} where age = 1 and", "line 1, column 50", "and: the SQL does not go on"),
        (f"{N} where ((age = 1)", "line 1, column 51", "): the SQL does not go on like this"),
        (f"{N} where age = 1\n  and bmi = foo", "line 2, column 13", "foo: is not a number"),
        (f"{N} where age =\x00 1", "line 1, column 47", "'\\x00': does not print"),
        (f"{N} where {'(' * 9}age = 1{')' * 9}", "line 1, column 50", "more than 8 levels deep"),
        (f"{N} where {'not ' * 9}age = 1", "line 1, column 74", "more than 8 levels deep"),
        (f"{N} where {'not (' * 6}age = 1{')' * 6}", "line 1, column", "more than 4 levels of"),
        (f"{N} where " + " and ".join(["age = 1"] * 300), "line 1, column 42", "more than 256"),
        (f"{N} where " + " and ".join(["age = 1"] * 600), "line 1, column", "more than 2000 words"),
        (f"{N} where age = 1{'  ' * 9000}", "line 1, column 1", "longer than 16384 characters"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_place(sql: str, place: str, found: str) -> None:
    message = refusal(sql)
    assert message.startswith(f"releases.r, {place}"), message
    assert found in message


SOUP = """
select from where group by and or not between in as distinct having order limit union join all over
filter case when then end is null like exists cast interval values with lateral count sum avg var
stddev histogram min patients age bmi sex ward n m F 1 2 -3 18 20.5 1e9 0x1 'F' 'M' "age" $$ ( ) (
) , , * = <> < >= - + / . ; : :: -- /* */ ' " [ ] { } || @ $ ? % ^ !
"""
WORDS = tuple(SOUP.split())
VALID = (
    "select count(*) as n from patients",
    "select sex, count(*) as n, avg(age) as m from patients where age >= 18 group by sex",
    "select sex, ward, var(bmi) as v from patients where not (sex in ('F', 'M') or ward = 1) "
    "and bmi between 20 and 30.5 group by sex, ward",
    "select histogram(age, 0, 20, 40) as h, sum(age) as s from patients where sex <> 'not known'",
)
TOKEN = re.compile(r"'[^']*'|\w+|\s+|.")


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Return a valid release with some of its words lost, repeated, exchanged or replaced."""
    words = TOKEN.findall(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        cut = draw(st.integers(0, 2))
        put = draw(st.lists(st.sampled_from(WORDS), max_size=2))
        words[at : at + cut] = [f" {word} " for word in put]
        words = words or ["select"]
    return "".join(words)


def understood_or_refused(sql: str) -> None:
    """Assert that `sql` is refused as a study is, or means exactly what its one spelling says."""
    try:
        query = read(sql)
    except MalformedStudy as e:
        place, message = str(e)[:17], str(e)
    else:
        place, message = "", ""
    if message:
        assert place == "releases.r, line "
        assert message.isprintable()
        return
    assert select(query, TABLE) == query.sql
    assert read(query.sql) == query
    # Nothing was added or passed over: the parser sees the same in both texts.
    assert _words(sqlglot.parse_one(sql)) == _words(sqlglot.parse_one(query.sql))


def _words(tree: sqlglot.exp.Expression) -> list[str]:
    """Return names and constants of a syntax tree, in no order."""
    found = (*tree.find_all(sqlglot.exp.Identifier), *tree.find_all(sqlglot.exp.Literal))
    return sorted(str(float(n.name)) if re.fullmatch(r"[\d.]+", n.name) else n.name for n in found)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_a_soup_of_words_is_refused_as_a_study_is(soup: str) -> None:
    understood_or_refused(soup)
    understood_or_refused(f"select {soup}")


@settings(max_examples=200, deadline=None)
@given(mutations())
@example("select sum(age) as n from patients where age = 1 = 1")
@example("select sex, count(*) as n from patients group by distinct sex")
def test_a_mutation_is_understood_whole_or_refused(sql: str) -> None:
    understood_or_refused(sql)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.sampled_from(VALID), st.integers(0, 90))
def test_no_text_breaks_the_reader(text: str, valid: str, at: int) -> None:
    understood_or_refused(text)
    understood_or_refused(valid[:at] + text + valid[at:])
