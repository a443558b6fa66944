# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Test data never stay silently: they are seen to be gone, or told with what to remove."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through

LOST = NoAnswer(True, "the connection was closed before the answer was complete")
NOBODY = NoAnswer(True, "the connection was refused", connected=False)
MADE, THERE = Answer(201, '{"id": "cabcdefgh12"}', 0.1), Answer(200, '{"id": "cabcdefgh12"}', 0.1)
REMOVED, NOT_THERE, BROKEN = Answer(204, "", 0.1), Answer(401, '{"error": "no"}', 0.1), Answer(500, "boom", 0.1)
NO_TARGET = Answer(503, "", 0.1, (("Server", "awselb/2.0"),))
BODY = {"email": "a+${run_id}-${unique}@x.invalid", "password": "p-${unique}", "city": "Paris"}
MAKE = {
    "name": "sign up",
    "method": "POST",
    "path": "/people",
    "json": BODY,
    "expect": {"status": 201},
    "capture": {"id": "id"},
}
FIND = {
    "name": "find", "method": "POST", "path": "/login", "json": BODY, "expect": {"status": [200, 401]}, "capture": {"id": "id"},
    "unless": "id", "always": True,
}  # fmt: skip
REMOVE = {"name": "remove", "method": "DELETE", "path": "/people/${id}", "expect": {"status": 204}, "always": True}


class Application:
    """Answers each request with the next answer, and keeps what was asked."""

    def __init__(self, *answers):
        self._answers, self.asked = list(answers), []

    def send(self, method, path, _headers, json, _form):
        self.asked.append("%s %s" % (method, path))
        return self._answers.pop(0)


def played(steps, *answers):
    (scenario,) = read_scenarios([{"name": "sign-up", "steps": steps}], ["run_id"])
    application = Application(*answers)
    outcomes = go_through(scenario, application, {"run_id": "rb-1", "unique": "u1"}, [])
    return outcomes, application.asked


WHOLE = ["POST /people", "POST /login", "DELETE /people/cabcdefgh12"]


@pytest.mark.parametrize(
    ("answers", "asked", "verdicts", "left"),
    [
        ([MADE, REMOVED], [WHOLE[0], WHOLE[2]], ["passed", None, "passed"], ""),
        ([LOST, THERE, REMOVED], WHOLE, ["failed", "passed", "passed"], ""),
        ([LOST, NOT_THERE], WHOLE[:2], ["failed", "passed", None], ""),
        ([LOST, LOST], WHOLE[:2], ["failed", "failed", None], "its answer was lost"),
        ([LOST, THERE, BROKEN], WHOLE, ["failed", "passed", "failed"], "its answer was lost"),
        ([BROKEN, NOT_THERE], WHOLE[:2], ["failed", "passed", None], ""),
        ([BROKEN, BROKEN], WHOLE[:2], ["failed", "failed", None], "it was answered with 500"),
        ([NOT_THERE, NOT_THERE], WHOLE[:2], ["failed", "passed", None], ""),
        ([NOBODY, NOBODY], WHOLE[:2], ["failed", "failed", None], ""),
        ([NO_TARGET, NO_TARGET], WHOLE[:2], ["failed", "failed", None], ""),
        ([MADE, BROKEN], [WHOLE[0], WHOLE[2]], ["passed", None, "failed"], "it was answered with 201"),
        ([MADE, LOST, REMOVED], [WHOLE[0], WHOLE[2], WHOLE[2]], ["passed", None, "failed"], ""),
        ([MADE, LOST, Answer(404, "", 0.1)], [WHOLE[0], WHOLE[2], WHOLE[2]], ["passed", None, "failed"], ""),
        ([MADE, LOST, LOST], [WHOLE[0], WHOLE[2], WHOLE[2]], ["passed", None, "failed"], "it was answered with 201"),
        ([MADE, NOBODY], [WHOLE[0], WHOLE[2]], ["passed", None, "failed"], "it was answered with 201"),
    ],
)
def test_a_sign_up_is_removed_or_told(answers, asked, verdicts, left):
    outcomes, sent = played([MAKE, FIND, REMOVE], *answers)
    assert (sent, [outcome.verdict for outcome in outcomes]) == (asked, verdicts)
    told = [outcome.left for outcome in outcomes if outcome.left]
    assert len(told) == bool(left)
    if left:
        assert told[0] == (
            "POST /people, email a+rb-1-u1@x.invalid: %s, and nothing has shown that it is removed. Look for it, and remove it."
            % left
        )


@pytest.mark.parametrize(
    ("step", "answer", "left"),
    [
        ({**MAKE, "capture": {}}, MADE, True),  # nothing removes it
        ({**MAKE, "capture": {}, "json": {"city": "Paris"}}, MADE, False),  # nothing of it is of this run
        ({**MAKE, "capture": {}, "method": "PUT", "json": None, "path": "/people/${unique}"}, MADE, True),
        ({**MAKE, "capture": {}, "method": "GET", "json": None, "path": "/people/${unique}"}, MADE, False),
        (
            {**MAKE, "capture": {}, "json": None, "form": {"a": "${unique}"}, "expect": {"status": 302}},
            Answer(302, "", 0.1),
            True,
        ),
        ({**MAKE, "capture": {}, "json": {"a": [{"b": "${unique}"}]}}, MADE, True),
        ({**MAKE, "capture": {}, "expect": {"status": 404}}, BROKEN, False),  # it is made to be refused
        ({**MAKE, "capture": {}, "expect": {"status": 404}}, MADE, True),
    ],
)
def test_what_is_of_this_run_alone_is_test_data(step, answer, left):
    step = {name: value for name, value in step.items() if value is not None}
    outcomes, _sent = played([step], answer)
    assert bool(outcomes[0].left) is left
    if left and "json" in step and isinstance(step["json"].get("a"), list):
        assert "a.0.b u1" in outcomes[0].left


def test_one_removal_is_not_another_one():
    other = {**MAKE, "name": "other", "path": "/places", "capture": {"place": "id"}}
    outcomes, _sent = played([MAKE, other, REMOVE], MADE, MADE, REMOVED)
    assert [bool(outcome.left) for outcome in outcomes] == [False, True, False]


def test_where_nothing_was_captured_any_cleaning_up_counts():
    outcomes, _sent = played([{**MAKE, "capture": {}}, {**REMOVE, "path": "/people?email=${unique}"}], MADE, REMOVED)
    assert [outcome.left for outcome in outcomes] == ["", ""]


def test_no_secret_is_told():
    outcomes, _sent = played(
        [{**MAKE, "json": {"token": "t-${unique}", "note": "${run_id} hunter22"}, "capture": {}}], MADE
    )
    assert "t-u1" not in outcomes[0].left
    assert "note rb-1 hunter22" in outcomes[0].left
