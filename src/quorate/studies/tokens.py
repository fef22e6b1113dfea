"""The words of a release's SQL: what may stand in the text at all, and where it stands.

The first of two allow-lists. Whatever is not a word, a number, a text or one
of a few signs is refused here, before anything is parsed, and so is every word
of SQL that no release needs: the parser behind it accepts far more, and passes
over some of it in silence.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

from sqlglot.errors import TokenError
from sqlglot.tokens import Token, Tokenizer, TokenType

from quorate.errors import MalformedStudy
from quorate.studies.schema import canonical, is_name, shown

MAX_SQL = 16 * 1024
MAX_TOKENS = 2000
MAX_DEPTH = 8  # of parentheses, and of `not`
FUNCTIONS = {
    "count": "count",
    "sum": "sum",
    "avg": "avg",
    "var": "var",
    "variance": "var",
    "var_samp": "var",
    "stddev": "stddev",
    "stddev_samp": "stddev",
    "histogram": "histogram",
    "percentile": "percentile",
    "mode": "mode",
}
GRAMMAR = (
    "what is understood: select categories and count(*), sum, avg, var, stddev or "
    "histogram(column, edges) of columns, each `as` a name, from the table, where ..., "
    "group by categories"
)
_WORDS = {
    TokenType.SELECT,
    TokenType.FROM,
    TokenType.WHERE,
    TokenType.GROUP_BY,
    TokenType.AND,
    TokenType.OR,
    TokenType.NOT,
    TokenType.BETWEEN,
    TokenType.IN,
    TokenType.ALIAS,
    TokenType.VAR,
}
_SIGNS = {
    TokenType.COMMA,
    TokenType.L_PAREN,
    TokenType.R_PAREN,
    TokenType.STAR,
    TokenType.EQ,
    TokenType.NEQ,
    TokenType.LT,
    TokenType.LTE,
    TokenType.GT,
    TokenType.GTE,
    TokenType.DASH,
}
_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")


@dataclass(frozen=True, slots=True)
class Text:
    """The SQL of the release `name`, and its tokens."""

    name: str
    sql: str
    tokens: tuple[Token, ...]

    def refuse(self, start: int, found: str, why: str, hint: str = GRAMMAR) -> NoReturn:
        """Raise `MalformedStudy` at `start`, the offset of `found`."""
        start = min(start, len(self.sql))
        line = self.sql.count("\n", 0, start) + 1
        column = start - (self.sql.rfind("\n", 0, start) + 1) + 1
        what = f"{shown(found)}: {why}" if found else why
        place = f"releases.{self.name}, line {line}, column {column}"
        raise MalformedStudy(f"{place}: {what}", hint=hint)


def read_tokens(name: str, sql: str, also: frozenset[TokenType] = frozenset()) -> Text:
    """Return the tokens of `sql`, all of a kind a release may have, or one of `also`.

    Raises `MalformedStudy`.
    """
    text = Text(name, sql, ())
    if len(sql) > MAX_SQL:
        text.refuse(0, "", f"longer than {MAX_SQL} characters", "make two releases of it")
    for at, char in enumerate(sql):
        if not char.isprintable() and char not in "\n\t\r":
            text.refuse(at, ascii(char), "does not print")
    try:
        tokens = tuple(Tokenizer().tokenize(sql))
    except TokenError:
        text.refuse(len(sql), "", "a quote or a comment is not closed")
    text = Text(name, sql, tokens)
    if not tokens or tokens[0].token_type != TokenType.SELECT:
        text.refuse(0, tokens[0].text if tokens else "", "a release begins with select")
    _check_gaps(text)
    if len(tokens) > MAX_TOKENS:
        text.refuse(tokens[MAX_TOKENS].start, "", f"more than {MAX_TOKENS} words and signs")
    for token, after in zip(tokens, (*tokens[1:], None), strict=True):
        if token.token_type not in also:
            _check_token(text, token, after)
    _check_depth(text)
    return text


def check_nothing_lost(text: Text, normalised: str) -> None:
    """Refuse a text of which some word has no counterpart in what was understood of it."""
    rest = Counter(map(_key, Tokenizer().tokenize(normalised)))
    for token in text.tokens:
        if token.token_type in {TokenType.L_PAREN, TokenType.R_PAREN}:
            continue
        key = _key(token)
        if rest[key] == 0:
            text.refuse(token.start, token.text, "is not understood here")
        rest[key] -= 1
    for missing in (+rest).keys() - set(map(_key, Tokenizer().tokenize("()"))):
        text.refuse(len(text.sql), "", f"{missing} is missing")


def _key(token: Token) -> str:
    """Return what two spellings of the same token share."""
    match token.token_type:
        case TokenType.NUMBER | TokenType.STRING:
            is_number = _NUMBER.fullmatch(token.text)
            return f"value {canonical(token.text) if is_number else token.text}"
        case TokenType.VAR | TokenType.IDENTIFIER:
            return f"name {FUNCTIONS.get(token.text.lower(), token.text)}"
        case TokenType.ALIAS:
            return "as"
        case kind:
            return str(kind.value).lower()


def _check_gaps(text: Text) -> None:
    """Refuse anything but white space between tokens: comments, and what a tokenizer drops."""
    end = 0
    for start, after in [(t.start, t.end + 1) for t in text.tokens] + [(len(text.sql), 0)]:
        gap = text.sql[end:start]
        if gap.strip(" \t\r\n"):
            at = end + len(gap) - len(gap.lstrip())
            what = "a comment, or a second statement, has no place in a release"
            text.refuse(at, gap.strip(), what, "say it in the purpose, or in a TOML comment")
        end = after


def _check_token(text: Text, token: Token, after: Token | None) -> None:
    kind, word = token.token_type, text.sql[token.start : token.end + 1]
    if kind == TokenType.STRING or kind in _SIGNS:
        return
    if kind == TokenType.NUMBER:
        if not _NUMBER.fullmatch(word):
            text.refuse(token.start, word, "not a plain decimal", "write it as 1500 or 0.25")
        return
    if kind == TokenType.IDENTIFIER:
        if not is_name(token.text):
            text.refuse(token.start, word, "not a name", 'text is written in single quotes: "F"')
        return
    if kind not in _WORDS:
        hint = GRAMMAR
        if is_name(word):
            hint += f'; a column of that name is written in double quotes: "{word}"'
        text.refuse(token.start, word, "is not allowed", hint)
    calls = after is not None and after.token_type == TokenType.L_PAREN
    if kind == TokenType.VAR and calls and word.lower() not in FUNCTIONS:
        text.refuse(token.start, word, "is not a function of a release")


def _check_depth(text: Text) -> None:
    depth, negations = 0, 0
    for token in text.tokens:
        depth += token.token_type == TokenType.L_PAREN
        depth -= token.token_type == TokenType.R_PAREN
        negations = negations + 1 if token.token_type in {TokenType.NOT, TokenType.DASH} else 0
        if depth > MAX_DEPTH or negations > MAX_DEPTH:
            text.refuse(token.start, token.text, f"more than {MAX_DEPTH} levels deep")
