# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the application answers. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import unmeasured
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import HEALTH, Words, listed

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        StepSeen,
    )

# As words of their own, or of a name in camel case: authors and a catalog in a path are none.
_LOGIN = re.compile(
    r"(?<![a-z])(?:log[ _.-]?(?:in|on)|sign[ _.-]?(?:in|on)|auth(?:enticat\w*|ori[sz]\w*|n|z)?|oauth2?|sso|session)(?![a-z])",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Of somebody in front who got no good answer, or none: a load balancer, Cloudflare (520 to 527, 530), other proxies (598, 599).
_GATEWAY = (502, 503, 504, *range(520, 528), 530, 598, 599)
# With these, whoever stands before the application keeps us away or sends us elsewhere. It was reached, or not even asked: nothing is known of it.
_ELSEWHERE = "it sends elsewhere: does rollback_base_url name the address that people use?"
_KEPT_OUT = "this machine is kept out (AWS WAF, a list of addresses, a login in front of it)"
TURNED_AWAY = {
    **dict.fromkeys((301, 302, 303, 307, 308, 421), _ELSEWHERE),
    **dict.fromkeys((401, 403, 407, 451, 511), _KEPT_OUT),
    202: "this machine is asked to prove that it is a browser (AWS WAF's challenge)",
    429: "this machine is throttled (AWS WAF, a limit of requests): wait, and look again",
}


def steps_in(evidence: Evidence) -> list[StepSeen]:
    return [step for step in evidence.http.steps if step.verdict] if evidence.http else []


def steps_beyond_health(evidence: Evidence) -> list[StepSeen]:
    return [step for step in steps_in(evidence) if step.scenario != HEALTH]


def step_failed(step: StepSeen) -> bool:
    return step.verdict == "failed" and not step.cleans_up


def _answer(step: StepSeen) -> str:
    return str(step.status) if step.status is not None else "nothing (%s)" % step.reason.partition(";")[0]


def _step_line(step: StepSeen) -> str:
    return "%s, %s: %s %s answers %s" % (step.scenario, step.step, step.method, step.path, _answer(step))


def outage(evidence: Evidence) -> Words | None:
    """The health check does not answer, or says that the application is not well."""
    for step in steps_in(evidence):
        if step.scenario == HEALTH and step_failed(step) and step.status not in TURNED_AWAY:
            return dict(path=step.path, answer=_answer(step))
    return None


def turned_away(evidence: Evidence) -> Words | None:
    """The health check is answered by somebody who keeps us away from the application, or sends us elsewhere."""
    for step in steps_in(evidence):
        if step.scenario == HEALTH and step_failed(step) and step.status in TURNED_AWAY:
            return dict(path=step.path, answer=_answer(step), why=TURNED_AWAY[step.status])
    return None


def broken_steps(evidence: Evidence) -> list[StepSeen]:
    """Steps that fail although the application is there, and lets us in."""
    if outage(evidence):
        return []
    failed = [step for step in steps_beyond_health(evidence) if step_failed(step)]
    return [step for step in failed if step.status not in TURNED_AWAY] if turned_away(evidence) else failed


def feature_broken(evidence: Evidence) -> Words | None:
    """What people do ends in an error of the application."""
    found = [
        step for step in broken_steps(evidence) if step.status and step.status >= 500 and step.status not in _GATEWAY
    ]
    return dict(steps="; ".join(_step_line(step) for step in found)) if found else None


def feature_without_answer(evidence: Evidence) -> Words | None:
    """What people do gets no answer, or one that tells of somebody behind the application."""
    found = [step for step in broken_steps(evidence) if step.status is None or step.status in _GATEWAY]
    return dict(steps="; ".join(_step_line(step) for step in found)) if found else None


def is_login(step: StepSeen) -> bool:
    return any(_LOGIN.search(_HUMP.sub(" ", text)) for text in (step.scenario, step.step, step.path))


def _refused_login(step: StepSeen) -> bool:
    return step.status in (401, 403) and is_login(step)


def login_refused(evidence: Evidence) -> Words | None:
    """The right credentials, or the session of a login, are refused."""
    found = [step for step in broken_steps(evidence) if _refused_login(step)]
    return dict(steps="; ".join(_step_line(step) for step in found)) if found else None


def feature_otherwise(evidence: Evidence) -> Words | None:
    """What people do is answered otherwise than the scenario expects."""
    found = [
        step
        for step in broken_steps(evidence)
        if step.status is not None and step.status < 500 and not _refused_login(step) and not _is_late(evidence, step)
    ]
    return dict(steps="; ".join(_step_line(step) for step in found)) if found else None


def slow_after(evidence: Evidence) -> float:
    return evidence.http.slow_after if evidence.http else math.inf


def _is_late(evidence: Evidence, step: StepSeen) -> bool:
    late = step.seconds is not None and step.seconds > slow_after(evidence)
    # A scenario may limit the time itself (max_seconds); then being late is all that is wrong.
    return late and (step.verdict == "passed" or (step.status or 500) < 400 or step.reason.startswith("it took "))


def _late(evidence: Evidence) -> list[StepSeen]:
    return [step for step in steps_in(evidence) if _is_late(evidence, step)]


def _slow(evidence: Evidence) -> tuple[Words, bool] | None:
    late, timed = _late(evidence), [step for step in steps_in(evidence) if step.seconds is not None]
    if not late:
        return None
    words: Words = dict(
        late=len(late),
        all=len(timed),
        after="%g" % slow_after(evidence),
        longest="%.1f" % max(step.seconds or 0 for step in late),
    )
    return words, 2 * len(late) >= len(timed)


def slow(evidence: Evidence) -> Words | None:
    """Most answers are late."""
    words, most = _slow(evidence) or (None, False)
    return words if most else None


def partly_slow(evidence: Evidence) -> Words | None:
    """Some answers are late."""
    words, most = _slow(evidence) or (None, True)
    return None if most else words


def everything_passes(evidence: Evidence) -> Words | None:
    """People can do what they came for."""
    steps, beyond = evidence.http.steps if evidence.http else (), steps_beyond_health(evidence)
    left_out = evidence.http.left_out if evidence.http else ()
    played = all(step.verdict == "passed" or (step.cleans_up and not step.verdict) for step in steps)
    if not beyond or left_out or _late(evidence) or not played:
        return None
    return dict(scenarios=listed((step.scenario for step in steps), most=6))


def health_passes(evidence: Evidence) -> Words | None:
    """The health check answers, and nothing else was tried."""
    steps = steps_in(evidence)
    whole = steps and all(step.verdict == "passed" for step in steps) and not _late(evidence)
    return dict(count=len(steps)) if whole and not everything_passes(evidence) else None


def left_behind(evidence: Evidence) -> Words | None:
    """A scenario has written something, and nothing has shown that it took it away again."""
    steps = evidence.http.steps if evidence.http else ()
    wrote = {
        step.scenario
        for step in steps
        if step.verdict == "passed" and step.method not in unmeasured._READS and not step.cleans_up
    }
    kept = [
        step.scenario
        for step in steps
        if step.cleans_up and step.verdict not in ("passed", "") and step.scenario in wrote
    ]
    kept += [text.partition(": ")[0] for text in (evidence.http.left if evidence.http else ())]
    return dict(scenarios=listed(dict.fromkeys(kept))) if kept else None
