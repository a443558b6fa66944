# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which data are where: every history that went wrong once, and any other one that hypothesis thinks of."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import holders
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import (
    Tree,
    never_deployed,
    staged_only,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import decide_rollback
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import (
    RestoreSelector,
    against,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import InstanceData, PointInTime
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import (
    MOST,
    as_tag,
    entered,
    read_periods,
    taken_out,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .history import BEGIN, History


@pytest.fixture
def history(db_instance_answer, db_snapshot_answer):
    """A new history."""
    return lambda older=False: History(db_instance_answer, db_snapshot_answer, older)


def decide(story, wanted, run_id="rb-now"):
    host = story.instance(story.serves).host
    return decide_rollback("app-db", wanted, host, run_id, story.instances(), story.all_snapshots(), story.now)


def kept(rollback):
    return {holder.name for holder in rollback.kept}


@pytest.fixture
def second_night(history):
    """app-db with S; harm; rolled back to S as R1; nightly snapshots of both, and more written into R1."""

    def make(older=False):
        story = history(older)
        story.write()
        story.s = story.snapshot("app-db", "s")
        story.write()
        story.snapshot("app-db", "before-the-cutover")
        first = decide(story, RestoreSelector("s"))
        story.r1 = story.rollback(first.source, story.rows_of(first.source))
        story.write()
        story.snapshot(story.r1, "nightly-of-production")
        story.write()
        story.stray("app-db")
        story.snapshot("app-db", "nightly-of-the-failed-one")
        return story

    return make


@pytest.mark.parametrize("older", [False, True])
def test_a_time_takes_the_snapshot_of_what_serves_though_it_has_inherited_our_tags(second_night, older):
    story = second_night(older)
    rollback = decide(story, RestoreSelector(before=story.now))
    assert rollback.source.name == "nightly-of-production"
    assert rollback.source.tags["spymeo:rollback-run"] == story.instance(story.r1).run_id
    assert rollback.lost.since == rollback.source.data_from


@pytest.mark.parametrize("older", [False, True])
def test_of_an_ancestor_a_time_takes_what_is_in_what_serves(second_night, older):
    story = second_night(older)
    early = decide(story, RestoreSelector(before=story.machines[story.r1].created)).source
    assert early.name == "s", "and not what the failed one held later, before the cutover"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nightly-of-the-failed-one", "app-db had been taken out of service at"),
        ("nightly-of-production", None),
        ("before-the-cutover", None),
        ("s", None),
    ],
)
@pytest.mark.parametrize("older", [False, True])
def test_what_speaks_against_a_snapshot_of_a_name(second_night, name, words, older):
    rollback = decide(second_night(older), RestoreSelector(name, again=True))
    assert (words is None and rollback.against is None) or words in rollback.against


@pytest.mark.parametrize("older", [False, True])
def test_what_is_lost_begins_where_the_lineages_were_one_last(second_night, older):
    story = second_night(older)
    of_s = next(item for item in story.all_snapshots() if item.name == "s").data_from
    for name in ("nightly-of-the-failed-one", "before-the-cutover"):
        lost = decide(story, RestoreSelector(name)).lost
        assert lost.since == of_s, name
        assert "were one" in lost.how_known


def test_a_strangers_snapshot_has_nothing_in_common_and_all_is_lost(second_night):
    story = second_night()
    hand = story.by_hand(0)
    story.write()
    story.snapshot(hand, "of-by-hand")
    rollback = decide(story, RestoreSelector("of-by-hand"))
    assert "is not known to have come" in rollback.against
    assert rollback.lost.since == BEGIN
    assert "no moment in common" in rollback.lost.how_known
    assert decide(story, RestoreSelector(before=story.now)).source.name == "nightly-of-production"


def test_an_instance_that_has_inherited_our_tags_stands_for_nothing(second_night):
    story = second_night()
    index = [item["name"] for item in story.snapshots].index("nightly-of-production")
    hand = story.by_hand(index)
    assert story.machines[hand].tags["spymeo:rollback-replaces"] == "app-db"
    assert story.instance(hand).replaces is None
    story.serves = hand
    with pytest.raises(BadInput, match="neither its endpoint"):
        decide(story, RestoreSelector("s"))


@pytest.mark.parametrize("tag", ["spymeo:rollback-run", "spymeo:rollback-replaces"])
def test_an_instance_that_somebody_has_taken_a_tag_of_ours_from_keeps_its_line_and_is_told(second_night, tag):
    story = second_night()
    del story.machines[story.r1].tags[tag]
    assert Tree(story.instances(), story.all_snapshots()).family_of("app-db") == {"app-db", story.r1}
    assert decide(story, RestoreSelector("nightly-of-production")).state == "restore"
    with pytest.raises(RollbackError, match=f"{story.r1} was restored by a run.* Key={tag},Value="):
        decide(story, RestoreSelector("s"))


def test_a_time_that_is_not_known_is_not_known_to_the_tag_either():
    data = InstanceData("db-APPDB", "app-db", None)
    assert InstanceData.from_tag(data.as_tag("app-db-rb-1")) == data


def test_another_instance_that_had_the_name_is_a_stranger(second_night, db_instance_answer):
    story = second_night()
    snapshot = story.snapshots[-2]
    snapshot.update(
        DBInstanceIdentifier=story.r1, DbiResourceId="db-ANOTHERONEWITHTHISNAMEONCE", name="of-its-namesake"
    )
    rollback = decide(story, RestoreSelector("of-its-namesake"))
    assert f"another DB instance that had the name {story.r1} (db-ANOTHERONEWITHTHISNAMEONCE)" in rollback.against


def test_after_the_second_rollback_every_instance_that_holds_something_else_is_named(second_night):
    story = second_night()
    rollback = decide(story, RestoreSelector("s", again=True))
    assert kept(rollback) == {"app-db", story.r1}
    story.r2 = story.rollback(rollback.source, story.rows_of(rollback.source))
    story.write()
    done = decide(story, RestoreSelector("s"))
    assert (done.state, kept(done)) == ("done", {"app-db", story.r1})
    assert kept(decide(story, RestoreSelector("s", again=True))) == {"app-db", story.r1, story.r2}


def test_after_an_undo_the_undone_instance_is_the_first_that_holds_something_else(second_night):
    story = second_night()
    story.undo()
    story.write()
    tree = Tree(story.instances(), story.all_snapshots())
    current = story.instance("app-db")
    found = [holder for holder in holders(tree, current, tree.line_of(current, story.now)) if not holder.serves]
    assert [holder.name for holder in found] == [story.r1]
    again = decide(story, RestoreSelector("s"))
    assert kept(again) == {"app-db", story.r1}
    assert again.lost.since == again.source.data_from


def test_an_instance_that_is_gone_is_told_with_the_snapshots_that_are_left(second_night):
    story = second_night()
    rollback = decide(story, RestoreSelector("nightly-of-production"))
    story.rollback(rollback.source, story.rows_of(rollback.source))
    del story.machines["app-db"]
    host = story.instance(story.serves).host
    found = decide_rollback(
        story.r1, RestoreSelector(before=story.now), host, "rb-now", story.instances(), story.all_snapshots(), story.now
    )
    gone = next(holder for holder in found.kept if holder.name == "app-db")
    assert (gone.status, "nightly-of-the-failed-one" in gone.snapshots) == ("", True)
    assert "app-db is gone" in gone.line


def test_the_same_data_again_is_done_once_this_run_has_done_it(second_night):
    story = second_night()
    assert decide(story, RestoreSelector("s")).state == "done"
    again = decide(story, RestoreSelector("s", again=True))
    assert (again.state, again.replaced) == ("restore", story.r1)
    assert "restored again" in again.reason
    story.rollback(again.source, story.rows_of(again.source))
    run_id = story.instance(story.serves).run_id
    assert decide(story, RestoreSelector("s", again=True), run_id).state == "done"
    assert decide(story, RestoreSelector("s", again=True), "rb-20261123-000000").state == "restore"


@pytest.mark.parametrize("older", [False, True])
def test_a_point_in_time_is_of_the_instance_that_was_in_service_then(second_night, older):
    story = second_night(older)
    before, after = BEGIN + timedelta(minutes=3), story.now
    early = decide(story, RestoreSelector(point_in_time=before))
    assert early.source.instance == "app-db"
    assert early.against is None
    assert decide(story, RestoreSelector(point_in_time=after)).source.instance == story.r1
    story.rollback(early.source, story.rows_of(early.source))
    assert decide(story, RestoreSelector(point_in_time=before)).state == "done"


def test_a_point_in_time_of_an_instance_that_is_gone_is_refused(second_night):
    story = second_night()
    del story.machines["app-db"]
    host = story.instance(story.serves).host
    with pytest.raises(BadInput, match="app-db was in service then, and is there no longer"):
        decide_rollback(
            story.r1,
            RestoreSelector(point_in_time=BEGIN + timedelta(minutes=1)),
            host,
            "rb-now",
            story.instances(),
            story.all_snapshots(),
            story.now,
        )


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_time_that_the_backups_have_not_is_told_with_both_ends(history, minutes):
    story = history()
    for _write in range(10):
        story.write()
    earliest = BEGIN + timedelta(minutes=5)
    moment = earliest + timedelta(minutes=minutes)
    instances = story.instances()
    windows = {instances[0].resource_id: earliest}
    host = instances[0].host
    wanted = RestoreSelector(point_in_time=moment)
    found = decide_rollback("app-db", wanted, host, "rb-now", instances, [], story.now, windows).source.problem
    if minutes > 0:
        assert found is None
    else:
        assert found == (
            "2026-11-22T00:00:00+00:00 is asked for, and RDS can restore app-db from 2026-11-22T00:05:00+00:00 to "
            "2026-11-22T00:10:00+00:00 only"
        )


# Properties

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "write",
                "write",
                "snapshot",
                "snapshot of another",
                "stray",
                "copy",
                "by hand",
                "rollback",
                "to a time",
                "undo",
            ]
        ),
        st.integers(0, 50),
    ),
    max_size=25,
)


def play(story, steps):
    """Take the steps; those that cannot be taken are left out."""
    story.write()
    story.snapshot("app-db")
    for step, number in steps:
        names = list(story.machines)
        other = names[number % len(names)]
        if step == "write":
            story.write()
        elif step == "snapshot":
            story.snapshot(story.serves)
        elif step == "snapshot of another":
            story.snapshot(other)
        elif step == "stray":
            story.stray(other)
        elif step == "copy":
            story.copy(number)
        elif step == "by hand":
            story.by_hand(number)
        elif step == "undo":
            story.undo()
        else:
            roll_back(story, step, number)
        story.tick()


def roll_back(story, step, number):
    snapshot = story.snapshots[number % len(story.snapshots)]
    wanted = RestoreSelector(snapshot["name"], again=True)
    if step == "to a time":
        wanted = RestoreSelector(point_in_time=BEGIN + timedelta(minutes=number), again=True)
    with contextlib.suppress(BadInput):
        rollback = decide(story, wanted)
        if rollback.against is None and rollback.source.problem is None:
            story.rollback(rollback.source, story.rows_of(rollback.source))


def asked(number, story):
    """What is wanted then."""
    snapshot = story.snapshots[number % len(story.snapshots)]["name"]
    moment = BEGIN + (story.now - BEGIN) * (number % 10) / 9
    return (
        RestoreSelector(snapshot, again=True),
        RestoreSelector(before=moment, again=True),
        RestoreSelector(point_in_time=moment, again=True),
    )[number % 3]


HISTORIES = settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(steps=STEPS, number=st.integers(0, 200), older=st.booleans())
@HISTORIES
def test_what_is_lost_is_never_less_than_the_truth_and_never_negative(history, steps, number, older):
    story = history(older)
    play(story, steps)
    there = story.machines[story.serves].rows
    for wanted in (asked(number, story), *(RestoreSelector(item["name"], again=True) for item in story.snapshots)):
        with contextlib.suppress(BadInput):
            rollback = decide(story, wanted)
            then = story.rows_of(rollback.source)
            lost = [at for row, at in there.items() if row not in then]
            assert rollback.lost.seconds >= 0
            assert all(at >= rollback.lost.since for at in lost), (rollback.source.label, rollback.lost)


@given(steps=STEPS, hours=st.integers(0, 10), older=st.booleans())
@HISTORIES
def test_a_time_never_takes_rows_that_what_serves_has_not(history, steps, hours, older):
    story = history(older)
    play(story, steps)
    moment = BEGIN + (story.now - BEGIN) * hours / 10
    try:
        source = decide(story, RestoreSelector(before=moment, again=True)).source
    except BadInput:
        return
    assert set(story.rows_of(source)) <= set(story.machines[story.serves].rows)
    assert source.data_from <= moment
    assert source.instance in story.ancestors()
    assert not source.of_harm


@given(steps=STEPS, number=st.integers(0, 200), older=st.booleans())
@HISTORIES
def test_what_nothing_speaks_against_is_of_an_ancestor_from_before_it_was_replaced(history, steps, number, older):
    story = history(older)
    play(story, steps)
    tree = Tree(story.instances(), story.all_snapshots())
    line = tree.line_of(story.instance(story.serves), story.now)
    for source in tree.snapshots:
        if against(source, line) is None:
            assert source.instance in story.ancestors()
            if source.instance != story.serves:
                assert source.data_from <= story.served[source.instance][-1][1]
    with contextlib.suppress(BadInput):
        source = decide(story, RestoreSelector(point_in_time=BEGIN + timedelta(minutes=number))).source
        assert isinstance(source, PointInTime)
        assert source.instance in story.ancestors()


@given(steps=STEPS, number=st.integers(0, 200))
@HISTORIES
def test_every_row_that_was_written_in_service_is_where_it_is_told_to_be(history, steps, number):
    story = history()
    play(story, steps)
    try:
        rollback = decide(story, asked(number, story))
    except BadInput:
        return
    then = story.rows_of(rollback.source)
    for name, machine in story.machines.items():
        for row, at in machine.rows.items():
            if row in then or row in story.strays:
                continue
            wrote = [one for one, other in story.machines.items() if row in other.rows and serving(story, one, at)]
            assert wrote, "the model wrote it into what served"
            assert any(holder.name in wrote and covers(holder, at) for holder in rollback.kept), (
                row,
                name,
                rollback.kept,
            )


def serving(story, name, at):
    return any(since <= at and (until is None or at <= until) for since, until in story.served.get(name, []))


def covers(holder, at):
    return any(period.since <= at and (period.until is None or at <= period.until) for period in holder.periods)


# A run that has died between making its instance ready and deploying what reads it


@pytest.fixture
def given_up(history):
    """(app-db with S and harm, which serves; the instance that a run has made ready and not deployed with)."""
    story = history()
    story.write()
    story.s = story.snapshot("app-db", "s")
    story.write()
    source = decide(story, RestoreSelector("s")).source
    story.ready = story.staged(source, story.rows_of(source))
    story.write()
    return story


def plan(story, deployed=(), serves=None):
    host = story.instance(serves or story.serves).host
    ready = never_deployed(staged_only(story.instances(), host), deployed)
    return decide_rollback(
        "app-db",
        RestoreSelector("s", again=True),
        host,
        "rb-now",
        story.instances(),
        story.all_snapshots(),
        story.now,
        staged=ready,
    )


def test_what_nothing_was_deployed_with_was_never_in_service_and_is_named_as_that(given_up):
    story = given_up
    told = {holder.name: holder for holder in plan(story).kept}
    assert told[story.ready].periods == ()
    assert "was never in service" in told[story.ready].line
    assert "what was written" not in told[story.ready].line
    assert [holder.name for holder in plan(story).kept][-1] == story.ready, "what holds something comes first"


def test_what_something_was_deployed_with_is_taken_for_one_that_was_in_service(given_up):
    story = given_up
    holder = next(item for item in plan(story, [story.instance(story.ready).run_id]).kept if item.name == story.ready)
    assert holder.periods
    assert not holder.never_served


def test_what_serves_is_never_called_that(given_up):
    story = given_up
    holders_now = {holder.name: holder for holder in plan(story, serves=story.ready).kept}
    assert not any(holder.never_served for holder in holders_now.values())


def test_one_that_was_taken_out_of_service_or_that_no_run_has_made_is_not_in_doubt(second_night):
    story = second_night()
    assert staged_only(story.instances(), story.instance(story.serves).host) == []
    story.undo()
    assert staged_only(story.instances(), story.instance(story.serves).host) == []


def test_the_line_and_the_times_of_the_others_are_as_if_it_were_not_there(history):
    """Without the tags that tell periods: the failed one gave way when the next one was made, and not when that one was."""
    story = history()
    story.write()
    story.snapshot("app-db", "s")
    source = decide(story, RestoreSelector("s")).source
    ready = story.staged(source, story.rows_of(source))
    story.write()
    restored = story.rollback(source, story.rows_of(source))
    story.machines["app-db"].tags.pop("spymeo:rollback-served")
    host = story.instance(restored).host
    staged = never_deployed(staged_only(story.instances(), host), [story.instance(restored).run_id])
    assert staged == {ready}
    tree = Tree(story.instances(), story.all_snapshots(), staged)
    line = tree.line_of(story.instance(restored), story.now)
    assert line[1].left == story.machines[restored].created


# The tag

MOMENTS = st.lists(st.integers(1, 5000), min_size=1, max_size=30)


@given(gaps=MOMENTS)
def test_the_tag_is_never_shorter_than_the_truth_and_always_fits(gaps):
    periods, now, truth = (), BEGIN, []
    for number, gap in enumerate(gaps):
        now += timedelta(seconds=gap, microseconds=1)
        if number % 2:
            periods = taken_out(periods, BEGIN, now, True)
            truth[-1][1] = now
        else:
            periods = entered(periods, now)
            truth.append([now, None])
        text = as_tag(periods, "db-" + "A" * 26)
        assert len(text) <= 256
        periods = read_periods(text, "db-" + "A" * 26)
        assert len(periods) <= MOST
    for since, until in truth:
        assert any(
            period.since <= since and (period.until is None or (until and until <= period.until)) for period in periods
        )


def test_a_tag_that_was_inherited_tells_nothing():
    assert read_periods("db-OTHER 20261122T000000Z/", "db-OWN") == ()
    assert read_periods("", "db-OWN") == ()
