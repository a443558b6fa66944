# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs filter patterns: terms, `{ $.key = value }` and `%regular expressions%` ("Filter pattern syntax" in AWS's guide)."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable
from typing import Any, TypeGuard

Predicate = Callable[[str], bool]
Test = Callable[[Any], bool]  # of what a selector finds in a message

TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>\w+))(?=\s|$)')
TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>&&|\|\||!=|<=|>=|[=<>()])
    | (?P<selector>\$(?:\.\w[\w-]*|\.?\[(?:\d+|'[^']*'|"[^"]*")\])+)
    | (?P<word>IS|NOT|EXISTS|NULL|TRUE|FALSE)\b
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | %(?P<regex>[^%]+)%
    | (?P<literal>[\w.*:/@+,;-]+)
    )""",
    re.VERBOSE,
)
STEP = re.compile(r"\.(\w[\w-]*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
REGEX = re.compile(r"(?:[A-Za-z0-9:_#=@/;,\-\s^$?\[\]{}|*+.]|\\[^\W_]|\\[^\w\s])+")
ABSENT = object()


class InvalidPattern(ValueError):
    """CloudWatch Logs refuses the pattern."""


def compile_pattern(pattern: str) -> Predicate:
    """A predicate over messages; the empty pattern matches every message. Matching is case-sensitive.

    :raises InvalidPattern: what is not alphanumeric has to be quoted; space-delimited patterns (`[a, b]`) are not in the lab.
    """
    text = pattern.strip()
    if len(re.findall(r"%[^%\"]+%", text)) > 2:
        raise InvalidPattern("at most 2 regular expressions a pattern")
    if text.startswith("{") and text.endswith("}"):
        return _JsonPattern(text[1:-1]).predicate()
    return _terms(text)


def _terms(text: str) -> Predicate:
    signed: dict[str, list[Predicate]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(text):
        match = TERM.match(text, position)
        if match is None:
            raise InvalidPattern(f"what is not alphanumeric must be in double quotes: {text[position:].strip()}")
        signed[match["sign"]].append(_term(match))
        position = match.end()
    required, optional, excluded = signed[""], signed["?"], signed["-"]
    if required or excluded:  # "?" beside other terms is ignored
        return lambda message: all(term(message) for term in required) and not any(term(message) for term in excluded)
    return lambda message: not optional or any(term(message) for term in optional)


def _term(match: re.Match[str]) -> Predicate:
    if match["regex"]:
        search = _regex(match["regex"]).search
        return lambda message: search(message) is not None
    term = match["word"] if match["quoted"] is None else _unquoted(match["quoted"])
    return lambda message: term in message


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _regex(text: str) -> re.Pattern[str]:
    if not REGEX.fullmatch(text):
        raise InvalidPattern(
            f"%{text}% holds what regular expressions of a filter pattern cannot hold; there are no parentheses"
        )
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise InvalidPattern(f"%{text}%: {error}") from error


class _JsonPattern:
    """Parser of `$.a = 1 && ($.b.c != "x*" || $.d[0] IS NULL)`: && binds tighter than ||."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = TOKEN.match(text, position)
            if match is None:
                raise InvalidPattern(f"cannot read {text[position:].strip()}")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            position = match.end()

    def predicate(self) -> Predicate:
        """The whole pattern; a message that is no JSON object never matches."""
        expression = self._any()
        if self._tokens:
            raise InvalidPattern(f"cannot read {self._tokens[0][1]}")
        return lambda message: (content := _json_object(message)) is not None and expression(content)

    def _take(self, kind: str, *values: str) -> str | None:
        if self._tokens and self._tokens[0][0] == kind and (not values or self._tokens[0][1] in values):
            return self._tokens.pop(0)[1]
        return None

    def _any(self) -> Test:
        parts = [self._all()]
        while self._take("operator", "||"):
            parts.append(self._all())
        return lambda content: any(part(content) for part in parts)

    def _all(self) -> Test:
        parts = [self._one()]
        while self._take("operator", "&&"):
            parts.append(self._one())
        return lambda content: all(part(content) for part in parts)

    def _one(self) -> Test:
        if self._take("operator", "("):
            inner = self._any()
            if not self._take("operator", ")"):
                raise InvalidPattern("a parenthesis is not closed")
            return inner
        selector = self._take("selector")
        if selector is None:
            raise InvalidPattern("a condition starts with a selector such as $.level")
        compare = self._keyword() or self._comparison()
        return lambda content: compare(_select(content, selector))

    def _keyword(self) -> Test | None:
        if self._take("word", "NOT"):
            if self._take("word", "EXISTS"):
                return lambda value: value is ABSENT
            raise InvalidPattern("NOT is followed by EXISTS")
        if self._take("word", "IS"):
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}.get(
                self._take("word", "NULL", "TRUE", "FALSE") or "", ABSENT
            )
            if wanted is ABSENT:
                raise InvalidPattern("IS is followed by NULL, TRUE or FALSE")
            return lambda value: value is wanted
        return None

    def _comparison(self) -> Test:
        operator = self._take("operator", "=", "!=", "<", "<=", ">", ">=")
        if operator is None or not self._tokens:
            raise InvalidPattern("a selector is followed by =, !=, <, <=, >, >=, IS or NOT EXISTS")
        kind, text = self._tokens.pop(0)
        if operator in ("=", "!="):
            equal = _equality(kind, text)
            return equal if operator == "=" else lambda value: value is not ABSENT and not equal(value)
        try:
            number = float(text)
        except ValueError as error:
            raise InvalidPattern(f"{operator} compares numbers, not {text}") from error
        order = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[operator]
        return lambda value: _is_number(value) and order(float(value), number)


def _equality(kind: str, text: str) -> Test:
    if kind == "regex":
        search = _regex(text).search
        return lambda value: isinstance(value, str) and search(value) is not None
    if kind not in ("quoted", "literal"):
        raise InvalidPattern(f"{text} is no value")
    if kind == "quoted":
        text = _unquoted(text)
    wanted = re.compile(fnmatch.translate(text.replace("[", "[[]").replace("?", "[?]")))
    number = float(text) if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) else None

    def equal(value: object) -> bool:
        if _is_number(value):
            return value == number if number is not None else wanted.match(json.dumps(value)) is not None
        return isinstance(value, str) and wanted.match(value) is not None

    return equal


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _json_object(message: str) -> dict[str, Any] | None:
    try:
        content = json.loads(message)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _select(content: Any, selector: str) -> Any:
    for name, index, single, double in STEP.findall(selector):
        if index:
            content = content[int(index)] if isinstance(content, list) and int(index) < len(content) else ABSENT
        else:
            content = content.get(name or single or double, ABSENT) if isinstance(content, dict) else ABSENT
    return content
