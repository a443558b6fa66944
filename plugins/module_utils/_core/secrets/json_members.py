# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of a JSON object, taken out of one text and put into another byte for byte. Pure.

A secret's text is never parsed and written anew: numbers, escapes, order and white space of what stays are somebody else's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_SPACE = (" ", "\t", "\r", "\n")


@dataclass(frozen=True)
class Member:
    """One member: where its key begins, where its value begins and ends in the text, and the value itself, which may be secret."""

    key: str
    begin: int
    start: int
    end: int
    value: Any = field(repr=False)


def members(text: str) -> tuple[Member, ...] | None:
    """The Members of a JSON object in their order, None when the text is no JSON object."""
    try:
        if not isinstance(json.loads(text), dict):
            return None
    except ValueError:
        return None
    found, decoder = [], json.JSONDecoder()
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        begin = at
        key, at = decoder.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        value, end = decoder.raw_decode(text, start)
        found.append(Member(key, begin, start, end, value))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return tuple(found)


def member(text: str, key: str) -> Member | None:
    """The Member of that key, None without one. Of a key that is given twice the last one counts, as for parsers."""
    return next((item for item in reversed(members(text) or ()) if item.key == key), None)


def keys(text: str) -> list[str]:
    """The keys of a JSON object, each once, in their order."""
    return list(dict.fromkeys(item.key for item in members(text) or ()))


def exchange(text: str, other: str, wanted: Iterable[str]) -> str:
    """``text`` with the members ``wanted`` (keys) as ``other`` has them: replaced, added at its end, or taken out.

    Both are JSON objects. Every other byte of ``text`` stays.
    """
    for key in wanted:
        theirs = member(other, key)
        text = _without(text, key) if theirs is None else _with(text, key, other[theirs.start : theirs.end])
    return text


def differing(text: str, other: str) -> list[str]:
    """The keys whose values differ between two JSON objects, those that one of them lacks included, in order."""
    return [key for key in dict.fromkeys([*keys(text), *keys(other)]) if _raw(text, key) != _raw(other, key)]


def _raw(text: str, key: str) -> str | None:
    found = member(text, key)
    return text[found.start : found.end] if found else None


def _with(text: str, key: str, raw: str) -> str:
    ours, all_of_them = member(text, key), members(text)
    if ours:
        return text[: ours.start] + raw + text[ours.end :]
    added = "%s: %s" % (json.dumps(key, ensure_ascii=False), raw)
    if all_of_them:
        at = all_of_them[-1].end
        return "%s, %s%s" % (text[:at], added, text[at:])
    at = text.index("{") + 1
    return text[:at] + added + text[at:]


def _without(text: str, key: str) -> str:
    found = members(text) or ()
    for place, item in enumerate(found):
        if item.key == key:
            if place + 1 < len(found):
                shorter = text[: item.begin] + text[found[place + 1].begin :]
            else:
                shorter = text[: found[place - 1].end if place else item.begin] + text[item.end :]
            return _without(shorter, key)  # a key may be given twice
    return text


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACE:
        at += 1
    return at
