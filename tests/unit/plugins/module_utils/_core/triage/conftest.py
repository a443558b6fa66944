# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evidence for tests: a whole recorded look, and what is otherwise, in a few words."""

from __future__ import annotations

import copy
import functools
from pathlib import Path

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import WORST
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import from_json

CASES = Path(__file__).parent / "cases"


def merged(whole, changes):
    """``whole`` with ``changes``; mappings are merged, everything else is replaced."""
    if not isinstance(whole, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    return {**copy.deepcopy(whole), **{key: merged(whole.get(key), value) for key, value in changes.items()}}


def _service(told, changes):
    told["services"][0].update(changes)


def _broken(told, steps):
    """``scenario/step``: what its answer was. What comes after it in the scenario was left out, but for cleaning up."""
    for name, answer in steps.items():
        scenario, _slash, wanted = name.partition("/")
        stopped = False
        for step in told["http"]["steps"]:
            if step["scenario"] == scenario and stopped:
                step.update(verdict="", status=None, seconds=None, reason="a step before it did not pass")
            elif (step["scenario"], step["step"]) == (scenario, wanted):
                step.update({"verdict": "failed", **answer})
                stopped = True
        assert stopped, f"no step {name}"


def _outage(told, status):
    """Every scenario fails at its first step with this status."""
    seen = set()
    for step in told["http"]["steps"]:
        first = step["scenario"] not in seen
        seen.add(step["scenario"])
        step.update(
            verdict="failed" if first else "", status=status if first else None, seconds=0.01 if first else None
        )


def _late(told, seconds):
    for step in told["http"]["steps"]:
        step["seconds"] = seconds


def _ended(told, changes):
    """So many tasks of the release that runs ended, one a minute."""
    service = told["services"][0]
    count, exit_code = changes.pop("count"), changes.pop("exit", None)
    how = {
        "code": "EssentialContainerExited",
        "reason": "Essential container in task exited",
        "release": service["release"],
        **changes,
    }
    exits = [] if exit_code is None else [{"container": "app", "code": exit_code}]
    told["tasks"] = told["tasks"] + [
        {"service": service["name"], "at": f"2026-11-22T02:{50 + number}:00Z", "exits": exits, **how}
        for number in range(count)
    ]


def _errors(told, errors):
    told["logs"]["errors"] = errors


def _migrations(told, names):
    """Migrations that came with the release; ``failed`` ones came to no end; a kind of effect is that of one that a checkpoint has read."""
    for name, fate in names.items():
        effects = [{"kind": fate, "words": "column x of y is changed"}]
        told["database"]["migrations"].append(
            {
                "name": name,
                "started": "2026-11-22T02:35:00Z",
                "finished": fate != "failed",
                "rolled_back": fate == "rolled back",
                "classified": {"name": name, "effects": effects} if fate in WORST else None,
            }
        )


def _rule(told, verdicts):
    told["database"]["rules"] = [
        {"table": "Practitioner", "verdict": verdict, "words": words} for verdict, words in verdicts.items()
    ]


def _missing(told, parts):
    for part, why in parts.items():
        told[part] = None
        told.setdefault("not_measured", []).append({"part": part, "why": why})


SHORT = {
    "service": _service,
    "broken": _broken,
    "outage": _outage,
    "late": _late,
    "ended": _ended,
    "errors": _errors,
    "migrations": _migrations,
    "rules": _rule,
    "missing": _missing,
}


@functools.cache
def _base(name):
    return yaml.safe_load((CASES / f"base/{name}.yml").read_text())


def whole(told):
    """The evidence in JSON types of one of CASES: ``like`` names what it is like, and the keys of SHORT and of Evidence what is otherwise."""
    told = dict(told)
    like = told.pop("like", None)
    seen = whole(_base(like)) if like else {}
    short = {key: told.pop(key) for key in list(told) if key in SHORT}
    seen = merged(seen, told)
    for key, write in SHORT.items():
        if key in short:
            write(seen, copy.deepcopy(short[key]))
    return seen


@pytest.fixture
def evidence():
    """Makes an Evidence that is like a release that came 20 minutes ago and is well, but for what is given."""

    def make(like="fresh", **otherwise):
        return from_json(whole({"like": like, **otherwise}))

    return make
