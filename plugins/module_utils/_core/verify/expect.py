# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an answer is the one expected, and how to show one without showing a secret. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.capture import look_up, parsed, take
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.html import is_html
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.login_page import asks_to_log_in
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.spellings import spellings

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, Expect

QUOTED = 200  # characters of a body
_LOOKED_AT = 20_000  # characters of a body in which secrets are looked for
MASK = "********"


def answer_verdict(
    expect: Expect, capture: Mapping[str, Any], answer: Answer | NoAnswer, optional: bool = False
) -> tuple[str, str, dict[str, Any]]:
    """What an answer (Answer or NoAnswer) comes to.

    :param expect: Expect, with everything filled in.
    :param capture: variable → where its value is (see capture.take).
    :param optional: whether it is right, too, when there is nothing to capture.
    :return: (verdict, reason, captured); the reason quotes the answer as it is: mask it. What can be captured is captured also out of
        an answer that fails, because a step that cleans up may need it.
    """
    if isinstance(answer, NoAnswer):
        return (FAILED if answer.by_application else INCONCLUSIVE), answer.why, {}
    captured, missing = take(capture, answer)
    complaints = []
    if answer.status not in expect.status:
        complaints.append("status %d instead of %s" % (answer.status, " or ".join(map(str, expect.status))))
    else:
        complaints += (
            _differences(expect.json, answer.text) + ([] if optional else missing) + _wrong_page(expect, answer)
        )
    if expect.text is not None and expect.text not in answer.text:
        complaints.append("the body does not contain '%s'" % expect.text)
    if expect.max_seconds is not None and answer.seconds > expect.max_seconds:
        complaints.append("it took %.1f s, more than %s s" % (answer.seconds, expect.max_seconds))
    if complaints:
        return (
            FAILED,
            _shown("%s; the body is: %s" % ("; ".join(complaints), answer.text or "empty")),
            captured,
        )
    return PASSED, "status %d in %.2f s" % (answer.status, answer.seconds), captured


def _wrong_page(expect: Expect, answer: Answer) -> list[str]:
    """A page to log in at is what many applications answer with 200 when they should show something else."""
    silent = expect.text is None and not expect.json and not expect.login_page and answer.status < 300
    if not (silent and is_html(answer) and asks_to_log_in(answer.text)):
        return []
    return ["the body is a page to log in at (if that is right: expect: {login_page: true})"]


def _shown(reason: str) -> str:
    """Without controls first: one inside the name of a secret would hide it."""
    return without_secrets(foreign(reason, _LOOKED_AT))


def mask(text: str, secrets: Collection[str], longest: int | None = QUOTED) -> str:
    """``text`` without the values ``secrets`` (iterable of str), however they are encoded in it, as one line that a person reads.

    They are looked for before and after controls are taken out: a value may hold some, and may be hidden by some.

    :param longest: characters that are shown, or None for all.
    """
    line = " ".join(without(foreign(without(text, secrets), _LOOKED_AT), secrets).split())
    return line if longest is None or len(line) <= longest else line[:longest] + "…"


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the values ``secrets`` (iterable of str), however they are encoded in it."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = spellings(secret).sub(MASK, text)
    return text


def _differences(expected: Mapping[str, Any], text: str) -> list[str]:
    if not expected:
        return []
    document, complaint = parsed(text)
    if complaint:
        return [complaint]
    found = []
    for path, value in expected.items():
        there = look_up(document, path)
        if not there:
            found.append("the JSON has no %s" % path)
        elif there[0] != value or isinstance(there[0], bool) != isinstance(value, bool):  # in Python 1 == True
            found.append("%s is %s instead of %s" % (path, json.dumps(there[0]), json.dumps(value)))
    return found
