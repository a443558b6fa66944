# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values taken out of an answer, for later steps: from JSON, HTML, headers and cookies. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.html import values_named

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer

JSON, HTML, HEADER, COOKIE = SOURCES = ("json", "html", "header", "cookie")
_WORDS = {
    JSON: "the JSON has no %s to capture",
    HTML: "the HTML has no <input> or <meta> named %s to capture",
    HEADER: "there is no header %s to capture",
    COOKIE: "no cookie %s was set to capture",
}


def source_of(given: Any) -> tuple[str, str]:
    """(source, what) of a capture as a scenario gives it: a dotted path in JSON, or a mapping from one source to what is taken there."""
    return (JSON, given) if isinstance(given, str) else next(iter(given.items()))


def take(capture: Mapping[str, Any], answer: Answer) -> tuple[dict[str, Any], list[str]]:
    """What can be captured, and complaints about what cannot.

    :param capture: variable → dotted path, or {source: what}.
    :param answer: Answer.
    :return: (dict variable → value, list of str).
    """
    found: dict[str, Any] = {}
    complaints = []
    for name, given in capture.items():
        source, what = source_of(given)
        values = _FIND[source](answer, what)
        if values:
            found[name] = values[0]
        else:
            complaints.append(_WORDS[source] % what)
    return found, complaints


def look_up(document: Any, path: str) -> list[Any]:
    """The values (list of none or one) at a dotted path of parsed JSON; a number is a place in a list, from 0."""
    for part in path.split("."):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return []
    return [document]


def parsed(text: str) -> tuple[Any, str | None]:
    """(parsed JSON, None), or (None, complaint)."""
    try:
        return json.loads(text), None
    except ValueError:
        return None, "the body is not JSON"
    except RecursionError:
        return None, "the body is JSON that is nested too deeply to be read"


def _in_json(answer: Answer, path: str) -> list[Any]:
    document, complaint = parsed(answer.text)
    return [] if complaint else look_up(document, path)


def _in_headers(answer: Answer, name: str) -> list[str]:
    return [value for header, value in answer.headers if header.lower() == name.lower()]


def _in_cookies(answer: Answer, name: str) -> list[str]:
    return [value for cookie, value in answer.cookies if cookie == name]


def _in_html(answer: Answer, name: str) -> list[str]:
    return values_named(name, answer.text)


_FIND: dict[str, Callable[[Answer, str], list[Any]]] = {
    JSON: _in_json,
    HTML: _in_html,
    HEADER: _in_headers,
    COOKIE: _in_cookies,
}
