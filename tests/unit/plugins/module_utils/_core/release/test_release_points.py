# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which release point a rollback uses. Stories are deployments and checkpoints in order: "1, cp-a, 2" deploys 1, makes cp-a, deploys 2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import running_revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import (
    NONE,
    ReleasePoint,
    ServicePast,
    read_release_points,
    select_release_point,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Timeline
from hypothesis import example, given
from hypothesis import strategies as st

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def arn(revision):
    return "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:%s" % revision


def revision(name, number):
    """The Revision of ``REVISION`` or ``REVISION/IMAGE``; without an image AWS has recorded no digest."""
    definition, _slash, image = name.partition("/")
    return Revision(f"r/{number}", arn(definition), (("app:1", f"sha256:{image}" if image else ""),))


def told(story):
    """(ServicePast, ReleasePoints newest first) at the end of a story of one service. ``2x1``: ECS's circuit breaker went from 2 back to 1."""
    history, points, running = [], [], None
    for place, part in enumerate(story.split(", ")):
        at = START + timedelta(minutes=place)
        if part.startswith("cp-"):
            ran = {"release": running.task_definition, "task_definition": running.task_definition}
            services = {"app": {**ran, "digest": dict(running.digests)}}
            points.append(ReleasePoint.from_record({"id": part, "created": at.isoformat(), "services": services}))
            continue
        name, _x, back = part.partition("x")
        deployed, returned = revision(name, place), revision(back, f"{place}-back") if back else None
        status = "ROLLBACK_SUCCESSFUL" if back else "SUCCESSFUL"
        brought_back = returned.task_definition if back else None
        history.append(
            ServiceDeployment(
                str(place), status, "", at, deployed.task_definition, brought_back, revision=deployed, back=returned
            )
        )
        running = returned or deployed
    return looked_at(history, running), list(reversed(points))


def looked_at(history, running):
    """The ServiceRecord at the end of a history, oldest first."""
    service = Service("app", "ACTIVE", "ECS", running.task_definition, 2, 2, (), ())
    line = Timeline(history, {}, START + timedelta(hours=1), timedelta(minutes=5))
    newest = history[::-1]
    return ServiceRecord(service, newest, line, running_revision(service, newest), {})


def picked(story, named=None, wanted="", code_stays=False):
    looked, points = told(story)
    past = looked.as_past_of_definition if code_stays else looked.as_past
    ran = {item.target.task_definition: item.target.image_set for item in looked.history}
    images = {"app": ran[arn(named)]} if ran.get(arn(named)) else {}
    point = select_release_point(points, [past], {"app": arn(named)} if named else {}, wanted, images).point
    return point and point.id


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("1, cp-a, 2", "cp-a"),
        ("1, cp-a, 2, cp-b, 3", "cp-b"),
        ("1, cp-a, cp-b, 2", "cp-b"),  # the deployment after the first checkpoint was given up
        ("1, cp-a, 2, cp-b", "cp-a"),  # what comes next was not deployed yet
        ("1, cp-a", None),
        ("1, 2", None),
        ("1, 2, cp-a", None),
        ("1, cp-a, 2, 1", "cp-a"),  # brought back already: the database and the secrets go back to the same point
        ("1, cp-a, 2, cp-b, 3, 1", "cp-a"),
        ("1, cp-a, 2x1", "cp-a"),  # and when ECS's circuit breaker did it
        ("1, cp-a, 2, 1, cp-b", "cp-a"),  # the next deployment has not come yet
        ("1, cp-a, 2, 1, cp-b, 3", "cp-b"),
        ("1, cp-a, 2, 1, cp-b, 3x1", "cp-b"),  # what was written after the first rollback stays
        ("1, cp-a, 2, 1, cp-b, 2", "cp-b"),  # the rollback was undone, and 2 failed again
        ("1, cp-a, 2, cp-b, 2, 3", "cp-b"),  # deploying the same again is no other release
        ("0, cp-z, 1, cp-a, 2, 1, cp-b, 2, 1", "cp-b"),
        ("1, cp-a, 2, cp-b, 3, 1, cp-c, 4", "cp-c"),
        ("1, cp-a, 2, 1, 2, cp-b, 3", "cp-b"),  # 2 was rolled back from once, and has served again since
        # One task definition, whose tag was moved: what a point has recorded is an image.
        ("1/a, cp-a, 1/b", "cp-a"),
        ("1/a, cp-a, 1/b, 1/a, cp-b, 1/c", "cp-b"),
        ("1/a, cp-a, 1/b, cp-b, 1/a, cp-c, 1/c", "cp-c"),
        # A hotfix with the same image is no newer release, and nor is what was recorded before it.
        ("1/a, cp-a, 2/b, cp-b, 3/b", "cp-a"),
    ],
)
def test_uses_the_newest_point_that_is_older_than_what_runs(story, expected):
    assert picked(story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("1/a, cp-a, 2/a", "cp-a"),  # the same image with other secrets: they go back to before it came
        ("1/a, cp-a, 2/a, cp-b, 2/a", "cp-a"),
        ("1/a, cp-a, 2/b, cp-b, 3/b", "cp-b"),
        ("1, cp-a, 2, 1", "cp-a"),
        ("1, cp-a, 2x1", "cp-a"),
        ("1/a, cp-a", None),
    ],
)
def test_where_the_code_stays_the_configuration_counts_too(story, expected):
    assert picked(story, code_stays=True) == expected


@pytest.mark.parametrize(
    ("story", "named", "expected"),
    [
        ("1, cp-a, 2, cp-b, 3", 1, "cp-a"),
        ("1, cp-a, 2, cp-b, 3", 2, "cp-b"),
        ("1, cp-a, 2, cp-b, 3", 9, None),
        ("1, cp-a, 2, 1", 1, "cp-a"),
        # The same image with another configuration: what recorded the one that is named, before what runs came.
        ("1/a, cp-a, 2/b, cp-b, 3/b", 2, "cp-b"),
        ("1/a, cp-a, 2/b, cp-b, 3/b, cp-c", 2, "cp-b"),
        ("1/a, cp-a, 2/b, cp-b, 3/b, cp-c, 3/b", 2, "cp-b"),
        ("1/a, cp-a, 2/b, cp-b, 3/b, cp-c", 3, None),
        ("1/a, cp-a, 2/b, 1/a, cp-b, 3/a", 1, "cp-b"),  # although that image was brought back once
        ("1/a, cp-a, 2/b, 3/b", 2, None),
    ],
)
def test_a_target_that_is_named_takes_the_point_that_recorded_it(story, named, expected):
    assert picked(story, named) == expected


def test_the_operators_word_comes_first():
    assert picked("1, cp-a, 2, cp-b, 3", wanted="cp-a") == "cp-a"
    assert picked("1, cp-a, 2", wanted=NONE) is None
    with pytest.raises(
        BadInput, match=r"rollback_release_point .* 'cp-x': there is no such release point\. There are: cp-b, cp-a"
    ):
        picked("1, cp-a, 2, cp-b, 3", wanted="cp-x")


def test_tells_of_each_point_why_it_is_not_used():
    looked, points = told("1, cp-a, 2, cp-b, 3, cp-c")
    chosen = select_release_point(points, [looked.as_past], {})
    assert chosen.reason == "it is the newest one older than app:3"
    assert chosen.verdicts == {"cp-c": "what it has recorded runs", "cp-b": "", "cp-a": "cp-b is newer"}


def two(point_releases, running, since):
    pasts = [
        ServicePast(name, arn(running[name]), START + timedelta(minutes=since[name]), False, None, frozenset())
        for name in running
    ]
    services = {name: {"release": arn(n), "task_definition": arn(n)} for name, n in point_releases.items()}
    point = ReleasePoint.from_record(
        {"id": "cp-a", "created": (START + timedelta(minutes=5)).isoformat(), "services": services}
    )
    return select_release_point([point], pasts, {})


def test_a_service_that_was_not_deployed_since_stays_and_the_others_go_back():
    assert two({"app": 1, "worker": 7}, {"app": 2, "worker": 7}, {"app": 6, "worker": 0}).point.id == "cp-a"


@pytest.mark.parametrize(
    ("releases", "running", "since", "why"),
    [
        ({"app": 1}, {"app": 2, "worker": 7}, {"app": 6, "worker": 0}, "it has not recorded worker"),
        ({"app": 1, "worker": 6}, {"app": 2, "worker": 7}, {"app": 6, "worker": 4}, "it was made after app:7 began"),
        ({"app": 2, "worker": 7}, {"app": 2, "worker": 7}, {"app": 0, "worker": 0}, "what it has recorded runs"),
    ],
)
def test_all_services_have_to_agree(releases, running, since, why):
    chosen = two(releases, running, since)
    assert (chosen.point, chosen.verdicts) == (None, {"cp-a": why})


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": "cp-a", "created": "x"},
        {"id": "cp-a", "services": {"app": []}},
        {"id": "cp-a", "created": "", "services": {}},
    ],
)
def test_a_record_that_lacks_something_is_an_error(record):
    with pytest.raises(RollbackError):
        ReleasePoint.from_record(record)


def test_a_record_that_cannot_be_read_is_never_skipped_in_favour_of_an_older_one():
    good = {"id": "cp-a", "created": START.isoformat(), "services": {}}
    with pytest.raises(RollbackError, match="cp-b in the store cannot be used: it lacks 'services'"):
        read_release_points([{"id": "cp-b", "created": START.isoformat()}, good])
    assert [point.id for point in read_release_points([{"id": "cp-b"}, good], "cp-a")] == ["cp-a"]
    assert read_release_points([{"id": "cp-b"}], NONE) == []
    with pytest.raises(RollbackError):
        read_release_points([{"id": "cp-b"}, good], "cp-b")


@example(["1", "1", "1", "1", "2x1", "cp-", "2"])  # no stay is longer than moments, but 1 served through the attempt
@example(["1", "1", "1", "1", "2", "1", "cp-", "2"])  # 2 was served before, so the point may hold what it has done
@given(st.lists(st.sampled_from(["1", "2", "3", "2x1", "3x2", "cp-"]), min_size=1, max_size=9))
def test_after_going_back_to_a_point_the_same_point_is_used_again(parts):
    parts = ["1", *(f"{part}{place}" if part == "cp-" else part for place, part in enumerate(parts))]
    looked, points = told(", ".join(parts))
    past = looked.as_past
    first = select_release_point(points, [past], {}).point
    if first is None:
        return
    target = first.releases["app"][-1]
    assert first.created < START + timedelta(minutes=len(parts))
    assert arn(target) not in past.bad
    if past.running != arn(target):
        again = picked(", ".join([*parts, target]))
        assert again == first.id


@pytest.mark.parametrize(
    ("image", "copied"), [("app:1", True), ("app:1@sha256:a", True), ("app:2", False), ("", False)]
)
def test_a_copy_that_is_being_deployed_is_its_origin_only_where_it_names_the_same_images(image, copied):
    """A pipeline that derives its next task definition from a copy may carry the copy's tag to a release of its own."""
    good, bad = revision("1/a", 1), Revision("r/2", arn("2"), (("app:2", "sha256:b"),))
    new = Revision("r/3", arn("3"), ((image, ""),) if image else ())
    history = [
        ServiceDeployment(
            str(number), status, "", START + timedelta(minutes=number), item.task_definition, revision=item
        )
        for number, (item, status) in enumerate(((good, "SUCCESSFUL"), (bad, "SUCCESSFUL"), (new, "IN_PROGRESS")))
    ]
    line = Timeline(history, {arn("3"): arn("1")}, START + timedelta(hours=1), timedelta(minutes=5))
    assert (line.running == good.image_set, line.brought_back) == (copied, copied)
