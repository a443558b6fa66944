# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an answer is the one expected, and how to show one without showing a secret. Pure."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

from ansible_collections.spymeo.rollback.plugins.module_utils._http.state import NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import FAILED, INCONCLUSIVE, PASSED

QUOTED = 200  # characters of a body
MASK = "********"


def judge(expect, capture, answer):
    """What an answer (Answer or NoAnswer) comes to.

    :param expect: Expect, with everything filled in.
    :param capture: variable → dotted path.
    :return: (verdict, reason, captured); the reason quotes the answer as it is: mask it.
    """
    if isinstance(answer, NoAnswer):
        return (FAILED if answer.by_application else INCONCLUSIVE), answer.why, {}
    complaints, document = [], None
    if answer.status not in expect.status:
        complaints.append("status %d instead of %s" % (answer.status, " or ".join(map(str, expect.status))))
    elif expect.json or capture:
        document, complaint = _parsed(answer.text)
        complaints += [complaint] if complaint else _differences(expect.json, document) + _missing(capture, document)
    if expect.text is not None and expect.text not in answer.text:
        complaints.append("the body does not contain '%s'" % expect.text)
    if expect.max_seconds is not None and answer.seconds > expect.max_seconds:
        complaints.append("it took %.1f s, more than %s s" % (answer.seconds, expect.max_seconds))
    if complaints:
        return FAILED, "%s; the body is: %s" % ("; ".join(complaints), answer.text or "empty"), {}
    captured = {name: look_up(document, path)[0] for name, path in capture.items()}
    return PASSED, "status %d in %.2f s" % (answer.status, answer.seconds), captured


def look_up(document, path):
    """The values (list of none or one) at a dotted path of parsed JSON; a number is a place in a list, from 0."""
    for part in path.split("."):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return []
    return [document]


def mask(text, secrets):
    """``text`` without the values ``secrets`` (iterable of str), however they are encoded in it, cut to what a person reads."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[:QUOTED] + "…"


def _forms(secret):
    """How a value may be written in a URL, a form, HTML, JSON, and JSON inside JSON."""
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {html.escape(secret), html.escape(secret, quote=False)}
    for _depth in range(2):
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    return forms


def _parsed(text):
    try:
        return json.loads(text), None
    except ValueError:
        return None, "the body is not JSON"


def _differences(expected, document):
    found = []
    for path, value in expected.items():
        there = look_up(document, path)
        if not there:
            found.append("the JSON has no %s" % path)
        elif there[0] != value or isinstance(there[0], bool) != isinstance(value, bool):  # in Python 1 == True
            found.append("%s is %s instead of %s" % (path, json.dumps(there[0]), json.dumps(value)))
    return found


def _missing(capture, document):
    return ["the JSON has no %s to capture" % path for path in capture.values() if not look_up(document, path)]
