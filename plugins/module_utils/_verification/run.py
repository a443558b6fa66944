# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks side by side. Only the logs are read last: what the other checks have provoked is to be found there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._http.tell import evidence_of
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import INCONCLUSIVE, PASSED

HTTP, TASKS, TARGETS, LOGS, E2E, DEPLOYMENT, DATA, LEFT = (
    "http",
    "tasks",
    "targets",
    "logs",
    "e2e",
    "deployment",
    "data",
    "left",
)


def check(name, kind, verdict, reason, evidence=()):
    """A check, in JSON types."""
    return dict(name=name, kind=kind, verdict=verdict, reason=reason, evidence=list(evidence))


def _answered(name, kind, answer, why):
    """The check that an answer (verdict, reason, evidence) comes to, or what kept it from being measured."""
    return check(name, kind, *((INCONCLUSIVE, why) if why else answer))


class Verification:
    """Runs the checks that were asked for and keeps what each came to.

    :param measuring: callable that turns whatever keeps a callable from measuring into (None, why): see RollbackModule.
    :param send: callable without arguments that gives (told scenarios, datetime of the last request or None); None to leave it out.
    :param look: callable without arguments that gives the looks at the services; None to leave it out.
    :param judges: list of (kind, name, callable that is given the looks and returns (verdict, reason, evidence) or None).
    :param read_logs: callable that is given the looks and the datetime of the last request, and returns the result of the look into the
        logs; None to leave it out.
    :param test: callable without arguments that gives the result of the end-to-end tests; None to leave it out.
    :param look_again: callable that is given the looks and returns (verdict, reason, evidence): what has become of the services since; None to
        leave it out.
    :param leavers: callable without arguments that returns ``left.Leavers``, once nobody is on the failed database or somebody stays; None to leave
        it out.
    :param ask: callable without arguments that returns (verdict, reason, evidence): what the data in use are like; None to leave it out.
    """

    def __init__(
        self,
        measuring,
        send=None,
        look=None,
        judges=(),
        read_logs=None,
        test=None,
        look_again=None,
        ask=None,
        leavers=None,
    ):
        self._measuring = measuring
        self._send, self._look, self._judges, self._read_logs, self._test = send, look, judges, read_logs, test
        self._look_again, self._ask, self._leavers = look_again, ask, leavers
        self.details = {}

    def run(self):
        """The checks, in the order in which a person reads them. ``details`` then has the whole results, by kind."""
        with ThreadPoolExecutor(4) as pool:
            sent, seen, tested, left = (
                pool.submit(self._measuring, measure) if measure else None
                for measure in (self._send, self._look, self._test, self._leavers)
            )
            checks, last = self._http(sent.result()) if sent else ([], None)
            end_to_end = self._end_to_end(tested.result()) if tested else []
            last = datetime.now(timezone.utc) if end_to_end else last
            looks = seen.result() if seen else None
        services = self._services(looks)
        found = [*checks, *services, *self._logs(looks, last), *end_to_end]
        good = any(item["kind"] == TASKS and item["verdict"] == PASSED for item in services)
        found += self._left(*left.result()) if left else []
        return [*found, *self._data(), *(self._at_the_end(looks[0]) if good else [])]

    def _left(self, leavers, why):
        """Late, because what connects for each request shows by what it has written meanwhile."""
        return [_answered("failed database", LEFT, *((None, why) if why else self._measuring(leavers.verdict)))]

    def _data(self):
        """Late, because a release that migrates does so at its start, or its pipeline when somebody deploys meanwhile."""
        if self._ask is None:
            return []
        return [_answered("data", DATA, *self._measuring(self._ask))]

    def _http(self, measured):
        found, why = measured
        if why:
            return [check("scenarios", HTTP, INCONCLUSIVE, why)], None
        results, last = found
        self.details[HTTP] = results
        checks = [check(item["name"], HTTP, item["verdict"], _told_steps(item), evidence_of(item)) for item in results]
        return checks, last

    def _end_to_end(self, measured):
        result, why = measured
        if why:
            return [check("end-to-end tests", E2E, INCONCLUSIVE, why)]
        self.details[E2E] = result
        return [check("end-to-end tests", E2E, result["verdict"], result["reason"], result["evidence"])]

    def _services(self, measured):
        if measured is None:
            return []
        looks, why = measured
        if why:
            return [check(name, kind, INCONCLUSIVE, why) for kind, name, _judge in self._judges]
        judged = [(kind, name, judge(looks)) for kind, name, judge in self._judges]
        return [check(name, kind, *answer) for kind, name, answer in judged if answer]

    def _at_the_end(self, looks):
        """The checks take minutes, and the services were well when they began: somebody may have deployed since."""
        if self._look_again is None:
            return []
        return [_answered("deployment", DEPLOYMENT, *self._measuring(lambda: self._look_again(looks)))]

    def _logs(self, measured, last):
        if self._read_logs is None:
            return []
        looks, why = measured
        result, why = (None, why) if why else self._measuring(lambda: self._read_logs(looks, last))
        if why:
            return [check("logs", LOGS, INCONCLUSIVE, why)]
        self.details[LOGS] = result
        return [check("logs", LOGS, result["verdict"], result["reason"], result["evidence"])]


def _told_steps(result):
    """What came of a scenario, in one sentence."""
    sent = [step for step in result["steps"] if step["verdict"]]
    failing = evidence_of(result)
    if failing:
        return failing[0]
    return "%d steps, the slowest answer took %.2f s" % (len(sent), max(step["seconds"] or 0 for step in sent))
