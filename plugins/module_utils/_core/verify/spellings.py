# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way in which a known value may be written in a URL, a form, HTML, JSON, JSON inside JSON, base64 or hexadecimal. Pure.

Libraries differ in which characters they escape and in which case, so the spellings are reported for each character and not for the whole value:
any mixture of them is found.
"""

from __future__ import annotations

import base64
import functools
import html.entities
import json
import re

_LEAST = 6  # bytes whose base64 is told by nothing else
# Each escape makes two of one: which of several in a row belong together is nothing to be tried out.
_BACKSLASHES = r"(?:\\|%(?:25)?5[cC]|&(?:amp;)?#0?92;|&(?:amp;)?#[xX]0{0,2}5[cC];|&(?:amp;)?bsol;)+"
_PADDING = r"(?:=|\\u003[dD]|%(?:25)?3[dD]|&#0{0,4}61;|&#[xX]0{0,4}3[dD];|&equals;){0,2}"
_ENTITIES: dict[str, set[str]] = {}
for _name, _character in html.entities.html5.items():
    if _name.endswith(";"):
        _ENTITIES.setdefault(_character, set()).add("&" + _name)


@functools.lru_cache(maxsize=512)
def spellings(secret: str) -> re.Pattern[str]:
    """What finds ``secret`` (a str that is not empty), however it is encoded, up to twice."""
    forms = [_pattern(secret)]
    value = secret.encode("utf-8", "replace")
    if len(value) >= _LEAST:
        for encoded in (base64.b64encode(value), base64.urlsafe_b64encode(value)):
            forms.append(_pattern(encoded.decode("ascii").rstrip("=")) + _PADDING)
        forms.append("(?i:%s)" % value.hex())
    return re.compile("|".join(dict.fromkeys(forms)))


def _pattern(text: str) -> str:
    found = []
    for before, character in zip(" " + text, text):
        if character == "\\" == before:
            continue
        if character == "\\":
            found.append(_BACKSLASHES)
        else:
            found.append(_of_character(character, before == "\\"))
    return "".join(found)


@functools.lru_cache(maxsize=512)
def _of_character(character: str, behind_backslashes: bool) -> str:
    """An expression for one character: the longest spelling first, for ``&`` is the beginning of ``&amp;``."""
    if character.isascii() and character.isalnum():
        return character
    once = {character} | _in_json(character) | _in_url(character) | _in_html(character)
    twice = {form for text in once for form in (*_again_in_json(text), text.replace("%", "%25"), *_again_in_html(text))}
    found = {form for text in once | twice for form in (text, *_again_in_json(text))}
    if behind_backslashes:  # they have been taken with those before it
        found = {form.lstrip("\\") for form in found}
    return "(?:%s)" % "|".join(re.escape(form) for form in sorted(found, key=lambda form: (-len(form), form)))


def _in_json(character: str) -> set[str]:
    """``\\u0027`` in capitals or not, in two halves beyond 16 bits, and the short forms; PHP escapes a slash."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    halves = [units[start : start + 4] for start in range(0, len(units), 4)]
    escaped = {"".join("\\u" + half for half in halves), "".join("\\u" + half.upper() for half in halves)}
    return {*escaped, json.dumps(character)[1:-1], "\\" + character if character in "/'" else character}


def _again_in_json(text: str) -> tuple[str, ...]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _in_url(character: str) -> set[str]:
    """Percent-encoded in capitals or not; a form writes a blank as ``+``."""
    bytes_of = character.encode("utf-8", "replace")
    forms = {"".join("%%%02X" % byte for byte in bytes_of), "".join("%%%02x" % byte for byte in bytes_of)}
    return forms | ({"+"} if character == " " else set())


def _in_html(character: str) -> set[str]:
    """By number, with zeros before it or not (PHP), and by name."""
    number = ord(character)
    forms = {"&#%d;" % number, "&#%03d;" % number}
    for width in (1, 2, 4):
        forms |= {"&#x%0*x;" % (width, number), "&#x%0*X;" % (width, number), "&#X%0*X;" % (width, number)}
    return forms | _ENTITIES.get(character, set())


def _again_in_html(text: str) -> tuple[str, ...]:
    return text.replace("&", "&amp;"), text.replace('"', "&quot;"), text.replace('"', "&#34;")
