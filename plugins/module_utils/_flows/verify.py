# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks side by side. Only the logs are read last: what the other checks have provoked is to be found there.

The watch begins when the scenarios have passed: where they have not, there is nothing left to be found out by waiting. It overlaps with
everything else that takes its time, and ends when something else has failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import (
    evidence_of,
    leftovers,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.summary import (
    DATA,
    DEPLOYMENT,
    E2E,
    HTTP,
    LEFT,
    LOGS,
    TASKS,
    TRAFFIC,
    WATCH,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.left_sessions import Leavers


T = TypeVar("T")
Check = dict[str, Any]
Judged = tuple[str, str, list[str]]  # verdict, reason, evidence
Measured = Union[tuple[T, None], tuple[None, str]]  # what was measured, or why it could not be
WatchSeen = tuple[str, str, list[str], dict[str, Any]]  # as Judged, and what the watch has seen in JSON types


class Measuring(Protocol):
    """What turns whatever keeps a callable from measuring into (None, why): see RollbackModule."""

    def __call__(self, measure: Callable[[], T]) -> Measured[T]: ...


def check(name: str, kind: str, verdict: str, reason: str, evidence: Iterable[str] = ()) -> Check:
    """A check, in JSON types."""
    return dict(name=name, kind=kind, verdict=verdict, reason=reason, evidence=list(evidence))


def _answered(name: str, kind: str, answer: Judged | None, why: str | None) -> Check:
    """The check that an answer comes to, or what kept it from being measured."""
    return check(name, kind, *(answer or (INCONCLUSIVE, why or "")))


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
    :param leavers: callable without arguments that returns ``left_sessions.Leavers``, once nobody is on the failed database or somebody stays; None to leave
        it out.
    :param ask: callable without arguments that returns (verdict, reason, evidence): what the data in use are like; None to leave it out.
    :param watch: callable that is given a threading.Event, which ends it, and returns (verdict, reason, evidence, what it has seen in JSON types);
        None to leave it out.
    :param compare: callable that is given the looks and returns (verdict or None, reason, evidence) of the users' traffic, or None where there
        is no load balancer; None to leave it out.
    """

    def __init__(
        self,
        measuring: Measuring,
        send: Callable[[], tuple[list[dict[str, Any]], datetime | None]] | None = None,
        look: Callable[[], list[ServiceObservation]] | None = None,
        judges: Iterable[tuple[str, str, Callable[[list[ServiceObservation]], Judged | None]]] = (),
        read_logs: Callable[[list[ServiceObservation], datetime | None], dict[str, Any]] | None = None,
        test: Callable[[], dict[str, Any]] | None = None,
        look_again: Callable[[list[ServiceObservation]], Judged] | None = None,
        ask: Callable[[], Judged] | None = None,
        leavers: Callable[[], Leavers] | None = None,
        watch: Callable[[threading.Event], WatchSeen] | None = None,
        compare: Callable[[list[ServiceObservation]], tuple[str | None, str, list[str]] | None] | None = None,
    ) -> None:
        self._measuring = measuring
        self._send, self._look, self._judges, self._read_logs, self._test = send, look, judges, read_logs, test
        self._look_again, self._ask, self._leavers = look_again, ask, leavers
        self._watch, self._compare = watch, compare
        self._over = threading.Event()
        self.details: dict[str, Any] = {}

    def run(self) -> list[Check]:
        """The checks, in the order in which a person reads them. ``details`` then has the whole results, by kind."""
        with ThreadPoolExecutor(4) as pool:
            sent, tested = (
                self._begin(pool, self._send),
                self._begin(pool, self._test and partial(self._tested, self._test)),
            )
            seen = pool.submit(self._looked, self._look) if self._look else None
            left = self._begin(pool, self._leavers)
            checks, last = self._http(sent.result()) if sent else ([], None)
            watched = self._watched(checks)
            end_to_end, ended = self._end_to_end(tested.result()) if tested else ([], None)
            last = ended or last
            if watched and watched[0] and watched[0][0] == FAILED:
                last = datetime.now(timezone.utc)  # the last words of what has just died are awaited
            looks, services = seen.result() if seen else ((None, "nobody has looked at the services"), [])
        found = [*checks, *services, *self._watch_checks(watched, looks, [*services, *end_to_end])]
        found += [*self._logs(looks, last), *end_to_end]
        good = any(item["kind"] == TASKS and item["verdict"] == PASSED for item in services)
        found += self._left(*left.result()) if left else []
        return [*found, *self._data(), *(self._at_the_end(looks[0]) if good and looks[0] is not None else [])]

    def _begin(self, pool: ThreadPoolExecutor, measure: Callable[[], T] | None) -> Future[Measured[T]] | None:
        return pool.submit(self._measuring, measure) if measure else None

    def _looked(
        self, look: Callable[[], list[ServiceObservation]]
    ) -> tuple[Measured[list[ServiceObservation]], list[Check]]:
        """The look at the services, with the checks that it comes to."""
        looks = self._measuring(look)
        services = self._services(looks)
        self._end_watch(services)
        return looks, services

    def _tested(self, test: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], datetime]:
        """The result of the end-to-end tests, with when they ended."""
        result = test()
        self._end_watch([result])
        return result, datetime.now(timezone.utc)

    def _end_watch(self, checks: Iterable[Check]) -> None:
        if any(item["verdict"] == FAILED for item in checks):
            self._over.set()

    def _watched(self, checks: Iterable[Check]) -> Measured[WatchSeen] | None:
        """What the watch gives, or what kept it from watching; None where there is none, or a scenario has not passed."""
        if self._watch is None or any(item["verdict"] != PASSED for item in checks):
            return None
        return self._measuring(partial(self._watch, self._over))

    def _watch_checks(
        self, watched: Measured[WatchSeen] | None, looks: Measured[list[ServiceObservation]], others: Iterable[Check]
    ) -> list[Check]:
        """The watch, and the traffic meanwhile. One that something else has ended is reported only where it has failed itself: it was none."""
        if watched is None:
            return []
        answer, why = watched
        if answer is None:
            return [check("watch", WATCH, INCONCLUSIVE, why or "")]
        verdict, reason, evidence, self.details[WATCH] = answer
        if verdict != FAILED and any(item["verdict"] == FAILED for item in others):
            return []
        told, found = self._traffic(looks[0]) if verdict == PASSED else ("", [])
        return [check("watch", WATCH, verdict, reason + told, evidence), *found]

    def _traffic(self, looks: list[ServiceObservation] | None) -> tuple[str, list[Check]]:
        """(what to add to the watch, the checks): traffic of which nothing can be said yet is no check, and is said all the same."""
        if self._compare is None or looks is None:
            return "", []
        answer, why = self._measuring(partial(self._compare, looks))
        if why:
            return "", [check("traffic", TRAFFIC, INCONCLUSIVE, why)]
        if answer is None:
            return "", []
        verdict, reason, evidence = answer
        if verdict is None:
            return "; of the users' traffic nothing can be said: " + reason, []
        return "", [check("traffic", TRAFFIC, verdict, reason, evidence)]

    def _left(self, leavers: Leavers | None, why: str | None) -> list[Check]:
        """Late, because what connects for each request shows by what it has written meanwhile."""
        return [_answered("failed database", LEFT, *(self._measuring(leavers.verdict) if leavers else (None, why)))]

    def _data(self) -> list[Check]:
        """Late, because a release that migrates does so at its start, or its pipeline when somebody deploys meanwhile."""
        if self._ask is None:
            return []
        return [_answered("data", DATA, *self._measuring(self._ask))]

    def _http(
        self, measured: Measured[tuple[list[dict[str, Any]], datetime | None]]
    ) -> tuple[list[Check], datetime | None]:
        found, why = measured
        if found is None:
            return [check("scenarios", HTTP, INCONCLUSIVE, why or "")], None
        results, last = found
        self.details.update({HTTP: results, "left_behind": leftovers(results)})
        checks = [check(item["name"], HTTP, item["verdict"], _steps_line(item), evidence_of(item)) for item in results]
        return checks, last

    def _end_to_end(self, measured: Measured[tuple[dict[str, Any], datetime]]) -> tuple[list[Check], datetime]:
        """(the check, when the tests ended)."""
        answer, why = measured
        if answer is None:
            return [check("end-to-end tests", E2E, INCONCLUSIVE, why or "")], datetime.now(timezone.utc)
        result, ended = answer
        self.details[E2E] = result
        return [check("end-to-end tests", E2E, result["verdict"], result["reason"], result["evidence"])], ended

    def _services(self, measured: Measured[list[ServiceObservation]]) -> list[Check]:
        looks, why = measured
        if looks is None:
            return [check(name, kind, INCONCLUSIVE, why or "") for kind, name, _judge in self._judges]
        found = []
        for kind, name, judge in self._judges:
            answer, why = self._measuring(partial(judge, looks))
            found += [_answered(name, kind, answer, why)] if answer or why else []
        return found

    def _at_the_end(self, looks: list[ServiceObservation]) -> list[Check]:
        """The checks take minutes, and the services were well when they began: somebody may have deployed since."""
        if self._look_again is None:
            return []
        return [_answered("deployment", DEPLOYMENT, *self._measuring(partial(self._look_again, looks)))]

    def _logs(self, measured: Measured[list[ServiceObservation]], last: datetime | None) -> list[Check]:
        if self._read_logs is None:
            return []
        looks, unseen = measured
        if looks is None:
            return [check("logs", LOGS, INCONCLUSIVE, unseen or "")]
        result, why = self._measuring(partial(self._read_logs, looks, last))
        if result is None:
            return [check("logs", LOGS, INCONCLUSIVE, why or "")]
        self.details[LOGS] = result
        return [check("logs", LOGS, result["verdict"], result["reason"], result["evidence"])]


def _steps_line(result: Mapping[str, Any]) -> str:
    """What came of a scenario, in one sentence."""
    sent = [step for step in result["steps"] if step["verdict"]]
    failing = evidence_of(result)
    if failing:
        return failing[0]
    return "%s, the slowest answer took %.2f s" % (many(len(sent), "step"), max(step["seconds"] or 0 for step in sent))
