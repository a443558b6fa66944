# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios as YAML gives them: every mistake is found before the first request. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Optional
from urllib.parse import quote

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Expect, Scenario, ScenarioStep
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.capture import SOURCES

Check = Callable[[Any], Optional[str]]  # a value → what is wrong with it, or None
SHORTEST_VARIABLE = 4  # characters; a shorter secret would be masked inside words and numbers that only look like it
UNIQUE = "unique"  # ${unique} is a text that no other run of the scenario has, so that none meets what another has left behind
SHORTEST_CAPTURED = 8  # characters; captured values are masked, too, and ordinary words are shorter than tokens
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What a step or a scenario is called whose page may ask to log in.
_ABOUT_LOGIN = re.compile(
    r"\blog[ _-]?(?:in|on)\b|\bsign[ _-]?(?:in|on|up)\b|\bauth(?:entication)?\b|regist|passw|connexion|inscription|anmeld"
)
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_scenarios(
    given: Sequence[Any], variables: Iterable[str], lines: Mapping[str, str] | None = None
) -> tuple[Scenario, ...]:
    """The Scenarios in what an option gave (list of dict).

    :param variables: names (iterable of str) that steps may use as ``${name}``.
    :param lines: dotted path in ``given`` → ``file:line`` where it was written, as far as that is known.
    :raises RollbackError: with every mistake as evidence, each naming line, scenario, step and key.
    """
    reader = _Reader(variables, lines or {})
    scenarios = tuple(reader.scenario(place, item) for place, item in enumerate(given))
    reader.refuse_same_names(given)
    if reader.mistakes:
        raise RollbackError("The scenarios cannot be used. No request was sent.", reader.mistakes)
    return scenarios


def check_variables(variables: Mapping[str, Any], shortest: int = SHORTEST_VARIABLE) -> None:
    """Refuse variables (dict) that cannot be filled in, or not be masked.

    :param shortest: characters that a value must have.
    :raises RollbackError: with every mistake as evidence. Values are not shown.
    """
    mistakes = [
        "%s: it is %s, not text" % (name, type(value).__name__)
        for name, value in variables.items()
        if not isinstance(value, str)
    ]
    texts = {name: value for name, value in variables.items() if isinstance(value, str)}
    mistakes += [
        "%s: it is empty; set it in verify_variables, or name a secret in verify_secrets" % name
        for name, value in texts.items()
        if not value and shortest
    ]
    mistakes += [
        "%s: it has fewer than %d characters, so it could not be masked; write it into the scenario" % (name, shortest)
        for name, value in texts.items()
        if 0 < len(value) < shortest
    ]
    if mistakes:
        raise RollbackError("The variables of the scenarios cannot be used. No request was sent.", mistakes)


def is_maskable(value: Any) -> bool:
    """Whether a captured value is a text that is long enough to be masked where it shows."""
    return isinstance(value, str) and len(value) >= SHORTEST_CAPTURED


def references(value: Any) -> set[str]:
    """The names (set of str) that a value refers to as ``${name}``, at any depth."""
    if isinstance(value, str):
        return set(_REFERENCE.findall(value))
    if isinstance(value, dict):
        return set().union(*(references(item) for pair in value.items() for item in pair))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """``value`` with each ``${name}`` replaced. A text that is nothing but one reference becomes the value itself, with its type."""
    if isinstance(value, str):
        alone = _REFERENCE.fullmatch(value)
        return values[alone[1]] if alone else _REFERENCE.sub(lambda found: str(values[found[1]]), value)
    if isinstance(value, dict):
        return {fill(key, values): fill(item, values) for key, item in value.items()}
    return [fill(item, values) for item in value] if isinstance(value, list) else value


def fill_path(path: str, values: Mapping[str, Any]) -> str:
    """A path with each ``${name}`` replaced by its value, percent-encoded."""
    return _REFERENCE.sub(lambda found: quote(str(values[found[1]]), safe="", errors="replace"), path)


def about_login(*texts: str) -> bool:
    """Whether one of these texts (names, a path) is about logging in or signing up."""
    return any(_ABOUT_LOGIN.search(text.lower()) for text in texts)


def used_by(step: ScenarioStep) -> set[str]:
    """The names (set of str) that a ScenarioStep refers to."""
    return references([step.path, step.headers, step.json, step.form, step.expect.json, step.expect.text])


class _Reader:
    """Reads on after a mistake, so that all are reported at once. ``at`` is a dotted path in what was given, ``where`` the same in words."""

    def __init__(self, variables: Iterable[str], lines: Mapping[str, str]) -> None:
        self.mistakes: list[str] = []
        self._variables, self._lines = {UNIQUE, *variables}, lines

    def scenario(self, place: int, given: Any) -> Scenario:
        name = given.get("name") if isinstance(given, dict) else None
        at, where = str(place), "scenario %d (%s)" % (place + 1, name or "without a name")
        given = self._checked(at, where, given, {"name": _text, "steps": _steps}, ("name", "steps"))
        known, steps = set(self._variables), []
        for number, item in enumerate(given.get("steps", [])):
            of_scenario = str(name) if not number else ""
            step = self._step(
                "%s.steps.%d" % (at, number), "%s, step %d" % (where, number + 1), item, known, of_scenario
            )
            steps.append(step)
            known |= set(step.capture)
        return Scenario(str(name), tuple(steps))

    def refuse_same_names(self, given: Sequence[Any]) -> None:
        """A verdict is known by the name of its scenario."""
        names = [item.get("name") if isinstance(item, dict) else None for item in given]
        for place, name in enumerate(names):
            if name and name in names[:place]:
                self._mistake(str(place), "scenario %d (%s)" % (place + 1, name), "name", "another one has the same")

    def _step(self, at: str, where: str, given: Any, known: set[str], of_scenario: str) -> ScenarioStep:
        if isinstance(given, dict) and isinstance(given.get("name"), str):
            where = "%s (%s)" % (where, given["name"])
        given = self._checked(at, where, given, _STEP, ("path",))
        if "json" in given and "form" in given:
            self._mistake(at, where, "form", "a request has one body, json or form")
        if given.get("unless") and not (given["unless"] in known and given["unless"] in given.get("capture", {})):
            self._mistake(at, where, "unless", "an earlier step and this one have to capture it")
        expect = self._checked(at + ".expect", "%s, expect" % where, given.pop("expect", {}), _EXPECT, ())
        if isinstance(expect.get("status"), int):
            expect["status"] = [expect["status"]]
        for key, value in [*given.items(), *(("expect.%s" % key, value) for key, value in expect.items())]:
            for unknown in sorted(references(value) - known):
                self._mistake(at, where, key, "${%s} is no variable, and no earlier step captures it" % unknown)
        fields = {key: value for key, value in expect.items() if key != "status"}
        if "status" in expect:
            fields["status"] = tuple(expect["status"])
        given.setdefault("path", "/")
        given.setdefault("name", given["path"])
        fields.setdefault("login_page", about_login(of_scenario, given["name"], given["path"]))
        return ScenarioStep(expect=Expect(**fields), **given)

    def _checked(
        self, at: str, where: str, given: Any, allowed: Mapping[str, Check], required: Iterable[str]
    ) -> dict[str, Any]:
        """The keys of ``given`` that are right; the others become mistakes."""
        if not isinstance(given, dict):
            self._tell(at, "%s: it is %s, not a mapping" % (where, type(given).__name__))
            return {}
        for key in required:
            if key not in given:
                self._mistake(at, where, key, "it is missing")
        right = {}
        for key, value in given.items():
            complaint = (
                allowed[key](value)
                if key in allowed
                else "there is no such key; there are %s" % ", ".join(sorted(allowed))
            )
            if complaint:
                self._mistake(at, where, key, complaint)
            else:
                right[key] = value
        return right

    def _mistake(self, at: str, where: str, key: str, complaint: str) -> None:
        self._tell("%s.%s" % (at, key), "%s, key %s: %s" % (where, key, complaint))

    def _tell(self, at: str, mistake: str) -> None:
        """Note a mistake, with the line of what is wrong or else of what it is in."""
        while at and at not in self._lines:
            at = at.rpartition(".")[0]
        self.mistakes.append("%s: %s" % (self._lines[at], mistake) if at else mistake)


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "it is %s, not text" % _kind(value)


def _texts(value: Any) -> str | None:
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return None
    return "it is not a mapping of text to text (put numbers in quotes)"


def _steps(value: Any) -> str | None:
    return None if isinstance(value, list) and value else "it is %s, not a list of steps" % _kind(value)


def _method(value: Any) -> str | None:
    return None if value in METHODS else "it is %r, not one of %s" % (value, ", ".join(METHODS))


def _path(value: Any) -> str | None:
    return (
        None
        if isinstance(value, str) and value.startswith("/")
        else "it is %r, which does not begin with a slash" % (value,)
    )


def _status(value: Any) -> str | None:
    statuses = value if isinstance(value, list) else [value]
    right = statuses and all(isinstance(item, int) and 100 <= item <= 599 for item in statuses)
    return None if right else "it is %r, not an HTTP status or a list of them" % (value,)


def _mapping(value: Any) -> str | None:
    right = isinstance(value, dict) and all(isinstance(key, str) for key in value)
    return None if right else "it is %s, not a mapping of dotted paths to values" % _kind(value)


def _seconds(value: Any) -> str | None:
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return None if right else "it is %r, not a number of seconds above 0" % (value,)


def _capture(value: Any) -> str | None:
    if not isinstance(value, dict) or not all(isinstance(key, str) and _NAME.fullmatch(key) for key in value):
        return "it is not a mapping of variable names to where their values are"
    for name, where in value.items():
        if isinstance(where, str) and where:
            continue
        one = (
            isinstance(where, dict)
            and len(where) == 1
            and all(isinstance(item, str) and item for item in where.values())
        )
        if not one or next(iter(where)) not in SOURCES:
            return "for %s, it is neither a dotted path in JSON nor one of {%s: NAME}" % (
                name,
                ": NAME}, {".join(SOURCES),
            )
    return None


def _times(value: Any) -> str | None:
    right = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if right else "it is %r, not a whole number above 0" % (value,)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "it is %r, not true or false" % (value,)


def _anything(_value: Any) -> None:
    return None


def _kind(value: Any) -> str:
    return "empty" if value in ("", [], {}) else type(value).__name__


_EXPECT = {"status": _status, "json": _mapping, "text": _text, "max_seconds": _seconds, "login_page": _flag}
_STEP = {
    "name": _text,
    "method": _method,
    "path": _path,
    "headers": _texts,
    "json": _anything,
    "form": _texts,
    "expect": _anything,  # its own keys are checked one by one
    "capture": _capture,
    "times": _times,
    "always": _flag,
    "unless": _text,
}
