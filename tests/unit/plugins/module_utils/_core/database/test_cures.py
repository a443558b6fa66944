# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cure is never refused for the reason that it was to cure: whatever a plan of the database proposes is followed, and planned again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.known_migrations import Release
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.moment import (
    PlannedData,
    how_again,
    moment_findings,
    since_restored,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import decide_rollback
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import DatabaseObservation
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import (
    database_findings as of_rds,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import RestoreSelector
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import PointInTime
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .history import BEGIN, History

PROPOSED = re.compile(r"-e (rollback_\w+)=(\S+?)[.,]?(?= |$)")
TOGETHER = re.compile(r"(?:-e rollback_\w+=\S+ ?)+")
GOOD = Release("app", "app:1", False, ((BEGIN - timedelta(days=9), None),))


@dataclass
class Night:
    """A History, and what else a plan looks at: when the bad release began (the last time), and which migrations were applied when."""

    story: History
    bad_since: datetime | None = None
    migrations: list = field(default_factory=list)

    def bad(self, migrates):
        self.bad_since = self.story.tick()
        if migrates:
            self.migrations.append(Migration("m%d" % len(self.migrations), self.story.tick()))
        self.story.write()

    def rollback(self):
        self.story.rollback(self.plan({"rollback_snapshot": "s"}).source, {})
        self.bad_since, self.migrations = None, []

    def plan(self, given):
        story = self.story
        before, moment = (
            datetime.fromisoformat(given[name]) if name in given else None
            for name in ("rollback_snapshot_before", "rollback_point_in_time")
        )
        wanted = RestoreSelector(given.get("rollback_snapshot", ""), before, moment, "rollback_database_again" in given)
        host, run_id = story.instance(story.serves).host, given.get("rollback_run_id", "rb-now")
        return decide_rollback("app-db", wanted, host, run_id, story.instances(), story.all_snapshots(), story.now)

    def refusals(self, given):
        """The findings of a plan that keep it from being carried out, as (check, cure); raises what ends the plan."""
        found, plan = [], self.plan(given)
        release = Release("app", "app:1", False, ((GOOD.began, self.bad_since),)) if self.bad_since else GOOD
        despite = "rollback_despite_moment" in given
        migrations = tuple(self.migrations)
        if plan.state == "done":
            again = how_again(plan.current.run_id, given.get("rollback_run_id", "rb-now"))
            found = since_restored(
                [release],
                plan.current.created,
                plan.current.served,
                migrations,
                self.bad_since,
                self.story.now,
                despite,
                again,
            )
        else:
            data = PlannedData(
                plan.data_from,
                plan.lost.since,
                plan.source.label,
                migrations,
                isinstance(plan.source, PointInTime),
                bool(plan.current.run_id),
            )
            despites = (despite, "rollback_despite_migrations" in given)
            seen = DatabaseObservation(
                plan, "rb-now", self.story.now, despite_lineage="rollback_despite_lineage" in given
            )
            lineage = [item for item in of_rds(seen) if item.check == "lineage"]
            found = [*moment_findings([release], data, self.bad_since, self.story.now, *despites), *lineage]
        return [(item.check, item.cure) for item in found if item.verdict == FAILED]

    def refused(self, given):
        """As ``refusals``; None where another reason ends the plan: there are no data that are that old."""
        try:
            return self.refusals(given)
        except BadInput as error:
            if error.option not in ("snapshot_before", "point_in_time") or "is given, too" in error.message:
                raise
            return None


@pytest.fixture
def night(db_instance_answer, db_snapshot_answer):
    """A new one: app-db with one row, and then the snapshot s."""

    def make():
        story = History(db_instance_answer, db_snapshot_answer)
        story.write()
        story.snapshot("app-db", "s")
        story.write()
        return Night(story)

    return make


def follow(night, given):
    """Follow each thing that each refusal of a plan proposes: (the check, the options proposed). None leads to the same refusal."""
    followed = []
    for check, cure in night.refusals(given):
        proposed = [dict(PROPOSED.findall(one)) for one in TOGETHER.findall(cure)]
        assert proposed, cure
        for options in proposed:
            then = {**given, **options}
            then = {key: value for key, value in then.items() if key not in ("rollback_run_id", "rollback_abandon")}
            again = night.refused(then)
            if again is None:  # nothing is that old
                continue
            followed += [(check, name) for name in options]
            assert check not in [other for other, _cure in again], (given, options, again)
    return followed


@pytest.mark.parametrize("migrates", [False, True])
def test_what_was_restored_and_harmed_again_is_restored_once_more(night, migrates):
    """As on the night on which rollback_snapshot_before led to the very same refusal."""
    night = night()
    night.bad(migrates)
    night.rollback()
    night.bad(migrates)
    followed = follow(night, {"rollback_snapshot": "s"})
    assert ("moment", "rollback_database_again") in followed
    assert not [name for _check, name in followed if name == "rollback_snapshot_before"]
    assert (("migrations", "rollback_database_again") in followed) == migrates


def test_a_run_that_has_restored_it_itself_is_given_up_for_that(night):
    night = night()
    night.bad(False)
    night.rollback()
    night.bad(False)
    own = night.story.instance(night.story.serves).run_id
    ((_check, cure),) = night.refusals({"rollback_snapshot": "s", "rollback_run_id": own})
    assert f"-e rollback_abandon={own} -e rollback_database_again=true, without rollback_run_id" in cure
    follow(night, {"rollback_snapshot": "s", "rollback_run_id": own})


def test_data_of_a_point_in_time_are_cured_by_another_one(night):
    night = night()
    night.bad(False)
    given = {"rollback_point_in_time": night.story.now.isoformat()}
    assert ("moment", "rollback_point_in_time") in follow(night, given)


def test_a_snapshot_that_holds_the_harm_is_cured_by_a_time(night):
    night = night()
    night.bad(True)
    night.story.snapshot("app-db", "late")
    assert ("moment", "rollback_snapshot_before") in follow(night, {"rollback_snapshot": "late"})


STEPS = ("write", "snapshot", "bad", "bad and migrates", "rollback", "undo", "by hand")


@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=9),
    how=st.sampled_from(["snapshot", "snapshot_before", "point_in_time"]),
    which=st.integers(0, 20),
    again=st.booleans(),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cure_is_refused_for_the_reason_that_it_was_to_cure(night, steps, how, which, again):
    night = night()
    for step in steps:
        if step == "snapshot":
            night.story.snapshot(night.story.serves)
        elif step.startswith("bad"):
            night.bad(step != "bad")
        elif step == "rollback":
            night.rollback()
        elif step == "by hand":
            night.story.by_hand(which)
        else:
            getattr(night.story, step)()
    moment = BEGIN + (night.story.now - BEGIN) * (which / 20)
    snapshots = [item["name"] for item in night.story.snapshots]
    value = snapshots[which % len(snapshots)] if how == "snapshot" else moment.isoformat()
    given = {"rollback_" + how: value, **({"rollback_database_again": "true"} if again else {})}
    try:
        follow(night, given)
    except RollbackError:
        assert how != "snapshot"  # nothing is that old


def test_a_snapshot_of_after_the_harm_leads_past_what_was_restored_and_harmed_again(night):
    """Found by chance: the older data were those that the first night had restored, and "take older ones" was refused in turn."""
    night = night()
    night.rollback()
    night.bad(False)
    night.story.snapshot(night.story.serves, "late")
    assert ("moment", "rollback_database_again") in follow(night, {"rollback_snapshot": "late"})
