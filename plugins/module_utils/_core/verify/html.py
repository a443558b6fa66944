# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of a web page, in one pass through it. Pure.

Python's html.parser begins again at each ``<`` that it cannot close, which is quadratic before 3.13.6: 400 kB of ``<a<a<a`` kept a
verification busy for minutes (gh-135462). This follows the same specification (HTML, 13.2.5 Tokenization) as far as start tags go, and what
is not closed ends with the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer

_VALUE_OF = {"input": "value", "meta": "content"}
_READ = (  # attributes; a page may have a million others
    "name", "value", "content", "type", "autocomplete", "id", "class", "action", "style", "hidden", "readonly", "disabled", "http-equiv", "open",
)  # fmt: skip
_LONGEST = 16 * 1024  # characters of an attribute: tokens are shorter
_NO_TAGS_INSIDE = ("script", "style", "textarea", "title")
_END_TAG = re.compile(r"</([A-Za-z][^\s/>]{0,40})")
_TAG = re.compile(r"<([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?""")
_TAG_END = re.compile(r"[\s/]*>")


def is_html(answer: Answer) -> bool:
    """Whether an Answer is a web page: by its Content-Type, without one by its first character."""
    kinds = [value for name, value in answer.headers if name.lower() == "content-type"]
    return "html" in kinds[0].lower() if kinds else answer.text.lstrip("\ufeff \t\r\n")[:1] == "<"


def values_named(name: str, text: str) -> list[str]:
    """The values (list of str) of each ``<input name=…>`` and the contents of each ``<meta name=…>``, where frameworks put CSRF tokens."""
    values = ((attributes.get(_VALUE_OF.get(tag, "")), attributes) for tag, attributes, _start, _end in tags(text))
    return [value for value, attributes in values if value is not None and attributes.get("name") == name]


def tags(text: str) -> Iterator[tuple[str, dict[str, str], int, int]]:
    """(name, attributes, where it begins, where it ends) of each tag; the name of an end tag begins with a slash. What stands in scripts, styles
    and comments is none."""
    at = text.find("<")
    while at >= 0:
        start = at
        if text.startswith("<!--", at):
            at = _after("-->", text, at + 2)  # <!--> is a whole comment
        else:
            closed = _END_TAG.match(text, at)
            tag, attributes, at = ("/" + closed[1].lower(), {}, closed.end()) if closed else _tag(text, at)
            if tag:
                yield tag, attributes, start, at
            if tag in _NO_TAGS_INSIDE:
                end = re.compile("</%s[\\s/>]" % tag, re.IGNORECASE).search(text, at)
                at = end.start() if end else len(text)
        at = text.find("<", at)


def _after(what: str, text: str, at: int) -> int:
    end = text.find(what, at)
    return len(text) if end < 0 else end + len(what)


def _tag(text: str, at: int) -> tuple[str, dict[str, str], int]:
    """(name, attributes, where it ends) of the start tag there; name is empty where there is none."""
    opened = _TAG.match(text, at)
    if not opened:
        return "", {}, at + 1
    attributes: dict[str, str] = {}
    at = opened.end()
    while True:
        end = _TAG_END.match(text, at)
        if end:
            return opened[1].lower(), attributes, end.end()
        part = _ATTRIBUTE.match(text, at)
        if not part:
            return "", {}, len(text)
        value = next((item for item in part.groups()[1:] if item is not None), "")
        if part[1].lower() in _READ:
            attributes.setdefault(part[1].lower(), _decoded(value[:_LONGEST]))
        at = part.end()


def _decoded(value: str) -> str:
    try:
        return html.unescape(value)
    except ValueError:  # a number of more digits than Python takes (4300)
        return value
