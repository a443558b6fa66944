# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which release a service goes back to: every history that was seen to be judged wrongly, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import (
    candidate_line,
    candidates,
    eligible,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import (
    Ambiguous,
    option_of,
    resolve,
    same_content,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import running_revision, short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import OWN, Timeline
from hypothesis import given
from hypothesis import strategies as st

from .stories import arn, chosen, digest, history, minute_of, revision, service, timeline


@pytest.mark.parametrize(
    ("story", "target", "bad"),  # bad: the number of the part with which the harm began
    [
        ("1, 2", 1, 1),
        ("1, 2 running", 1, 1),  # a crash loop never ends
        ("1, 3", 1, 1),  # revision 2 was registered and never deployed
        ("1, 2 stopped, 3 running", 1, 1),  # a failed retry is not the release before
        ("1, 2, 3", 2, 2),
        ("1, 2, 1", 1, 1),  # brought back already: a second run changes nothing
        ("0, 1, 2 stopped, 1", 1, 2),  # and does not go on to an even older one
        ("0, 1, 2 back-to-1", 1, 2),  # ECS's circuit breaker has done it already
        ("1, 2, 1, 3", 1, 3),  # 2 was rolled back from; 1 has served since
        ("1, 2, 3, 1, 4", 1, 4),  # so were 2 and 3
        ("1, 2 back-to-0, 3", 1, 2),
        ("1, 2, 1, 2", 1, 3),  # the rollback was undone; 2 failed again
        ("1, 1, 2", 1, 2),  # deploying the same again is no rollback
        ("1, 2, 2", 1, 1),
        # Rolled back from ends when it was deployed again and served: three good weeks of 2 are not forgotten.
        ("1 9d, 2 1h, 1 1h, 2 21d, 3", 2, 4),
        ("1 9d, 2 1h, 1 1h, 2 8s, 3", 1, 3),  # moments prove nothing: flapping is no lifting
        ("1 9d, 2 20s, 1 20s, 2 20s", 1, 1),  # nor do they make a good end of a bad time
        ("1 9d, 2 20s, 1 20s, 2 20s, 1", 1, 1),
        ("1 8s, 2 3s, 1 3s, 2 5s, 3 2s", 2, 4),  # where nobody served longer, the newest that has served at all
        # The same image is the same release: a bad one, then its hotfix of the configuration.
        ("1 9d, 2 1h, 3/image-2 1h", 1, 1),
        ("0 9d, 1 9d, 2 1h, 3/image-2 1h, 4/image-2 1h", 1, 2),
        ("1 9d, 2 1h, 3/image-1", 3, 1),  # a pipeline that went back to the old image has brought it back
        # One task definition, whose tag was moved: each image is a release of its own.
        ("1/a 9d, 1/b 1h", 1, 1),
        ("1/a 9d, 1/b 3d, 1/c 1h", 1, 2),
        ("1/a 9d, 1/a 3d, 1/b", 1, 2),  # forced again and again, with the same image
        # Two bad ones in a row: the first had served for moments only.
        ("1 9d, 2 2s, 3", 1, 1),
        ("1 9d, 2 1h, 3", 2, 2),
        # What did not come up the last time is not tried again where there is another one.
        ("0 9d, 1 9d, 2 1h, 1 1m back-to-2", 0, 1),
        ("1 9d, 2 1h, 1 1m back-to-1", 1, 1),
    ],
)
def test_goes_back_to_the_release_that_has_proven_itself_last(story, target, bad):
    choice = chosen(story)
    assert (short(choice.target.task_definition), choice.bad_since) == ("app:%d" % target, minute_of(story, bad))


@pytest.mark.parametrize(
    ("story", "image"), [("1/a 9d, 1/b 1h", "a"), ("1/a 9d, 1/b 3d, 1/c 1h", "b"), ("1/a 9d, 1/b 9d, 1/a 1h, 1/c", "a")]
)
def test_of_a_tag_that_was_moved_it_is_the_image_that_served(story, image):
    assert chosen(story).target.image_set == {digest(image)}


def test_what_the_oldest_deployment_replaced_is_known_although_its_own_is_out_of_the_record():
    choice = chosen("2 1h", before="1")
    assert (short(choice.target.task_definition), choice.bad_since) == ("app:1", minute_of("2 1h", 0))
    assert choice.target.image_set == {digest("image-1")}


@pytest.mark.parametrize(
    ("story", "before", "why"),
    [
        ("1", "", "nothing older than app:1 has served"),
        ("1 stopped, 2", "", "nothing older than app:2 has served"),
        ("1 9d, 1@wrong 1h", "", "but with the same images"),
        ("3/image-2", "2", "but with the same images"),
    ],
)
def test_refuses_to_guess_and_says_what_each_name_would_bring(story, before, why):
    with pytest.raises(RollbackError, match=why) as refused:
        chosen(story, before)
    assert "rollback_task_definition" in refused.value.message
    others = [line for line in refused.value.evidence if "  running" not in line]
    assert all("-e rollback_task_definition=" in line for line in others)
    assert refused.value.evidence


def test_a_group_that_came_with_the_same_image_is_named_with_the_revision_that_stood_in_the_right_one():
    with pytest.raises(RollbackError) as refused:
        chosen("1@right 9d, 1@wrong 1h")
    (line,) = [line for line in refused.value.evidence if "securityGroups" in line]
    assert "securityGroups: wrong -> right" in line
    assert "service-revision/production/app/0" in line


def test_a_task_definition_that_was_deleted_is_told_and_blocks_nothing():
    choice = chosen("0 9d, 1 9d, 2 1h", gone=[1])
    assert short(choice.target.task_definition) == "app:0"
    verdicts = {short(item.task_definition): item.verdict for item in choice.candidates}
    assert verdicts == {"app:2": "running", "app:1": "deleted", "app:0": "served"}
    assert choice.next == ()


def test_where_the_newest_revision_of_a_release_is_deleted_another_one_of_it_comes_back():
    choice = chosen("1 9d, 2/image-1 9d, 3 1h", gone=[2])
    assert short(choice.target.task_definition) == "app:1"


def test_tells_what_comes_next_and_what_is_known_against_it():
    choice = chosen("0 9d, 1 9d, 2 20s, 3 1h")
    assert [short(item.task_definition) for item in choice.next] == ["app:0", "app:2"]
    assert [item.option for item in choice.next] == ["app:0", "app:2"]
    (note,) = choice.notes
    assert note.startswith("passed over: app:2")
    assert "served for 19 s only" in note


def test_what_is_said_against_a_named_target():
    def notes(story, name):
        return chosen(story, named=name).notes

    assert "never deployed" in notes("1 9d, 2", revision("7", 77))[0]
    past, _now = history("1 9d, 2 1h, 3/image-2 1h")
    assert "images of what runs" in chosen("1 9d, 2 1h, 3/image-2 1h", named=past[1].revision).notes[0]
    past, _now = history("1 9d, 2 3s, 3 1h")
    assert "served for 2 s only" in chosen("1 9d, 2 3s, 3 1h", named=past[1].revision).notes[0]
    past, _now = history("1 9d, 2 1h, 1 1h, 3 1h")
    assert "rolled back from" in chosen("1 9d, 2 1h, 1 1h, 3 1h", named=past[2].revision).notes[0]
    assert notes("1 9d, 2", history("1 9d, 2")[0][1].revision) == ()


def test_a_release_that_was_brought_back_into_the_wrong_group_is_told():
    (note,) = chosen("1@right 9d, 2@wrong 1h, 1@wrong").notes
    assert "securityGroups: wrong -> right" in note
    assert "-e rollback_task_definition=" in note


def test_the_operators_word_comes_first_then_the_release_point():
    story = "1 9d, 2 9d, 3 1h"
    past, _now = history(story)
    named, recorded = past[2].revision, (past[1].revision, "release point cp-a has recorded it", False)
    choice = chosen(story, named=named, recorded=recorded)
    assert (short(choice.target.task_definition), choice.first_bad, choice.bad_since) == (
        "app:1",
        arn(2),
        minute_of(story, 1),
    )
    assert chosen(story, recorded=(named, "cp-a", False)).target == named
    brought_back = "1 9d, 2 9d, 3 1h, 2"
    assert short(chosen(brought_back, recorded=(named, "cp-a", False)).target.task_definition) == "app:2"
    assert short(chosen(brought_back, recorded=(named, "cp-a", True)).target.task_definition) == "app:1"


def test_a_named_target_that_was_never_deployed_takes_the_place_of_what_runs():
    choice = chosen("1, 3", named=revision("2", 77))
    assert (choice.first_bad, choice.bad_since) == (arn(3), minute_of("1, 3", 1))


def named_part(story, number, **more):
    """The Choice where the operator named the service revision of a part of a story."""
    return chosen(story, named=history(story)[0][::-1][number].revision, **more)


@pytest.mark.parametrize(
    ("story", "named", "good", "bad"),  # numbers of parts
    [
        # The bad one has the images of the good one: only its environment, its secrets or its network are others.
        ("2 9d, 3/image-2 1h", 0, 0, 1),
        ("1 9d, 2 9d, 3/image-2 1h", 1, 1, 2),
        ("1 9d, 2@right 9d, 2@wrong 1h", 1, 1, 2),
        ("1 9d, 2 9d, 3/image-2 1h, 4/image-2 1h", 1, 1, 2),
        ("1 9d, 2 9d, 3/image-2 1h, 4/image-2 1h", 2, 2, 3),
        ("1 9d, 2 9d, 3/image-2 stopped, 4/image-2 1h", 1, 1, 2),
        ("1 9d, 2 9d, 3/image-2 running", 1, 1, 2),
        ("1 9d, 2 9d, 2 9d, 3/image-2 1h", 1, 1, 3),  # forced again, it is the same
        ("1 9d, 2 9d, 3/image-2 1h, 2 9d, 3/image-2 1h", 1, 3, 4),
        ("1 9d, 2 9d, 3/image-2 1h, 2 3s, 3/image-2 1h", 1, 1, 2),  # moments prove nothing
        ("2 3s, 3/image-2 1h", 0, 0, 1),  # unless there is nothing else
        # The images were brought back before, with the good configuration and then with the bad one.
        ("1 9d, 2 1h, 1 9d, 3/image-1 1h", 2, 2, 3),
        ("1 9d, 2 1h, 3/image-1 1h", 0, 0, 1),
        ("1@right 9d, 2 1h, 1@wrong 1h", 0, 0, 1),
        # Another release runs, and what is named is not the newest configuration of its own.
        ("1 9d, 2/image-1 9d, 3 1h", 0, 0, 1),
        ("1 9d, 2/image-1 9d, 3 1h", 1, 1, 2),
        ("1@right 9d, 1@wrong 9d, 2 1h", 0, 0, 1),
        # A second run: it was brought back already, by the operator or by ECS.
        ("1 9d, 2 9d, 3/image-2 1h, 2", 1, 1, 2),
        ("1 9d, 2@right 9d, 2@wrong 1h, 2@right", 1, 1, 2),
        ("1 9d, 2 9d, 3/image-2 1h back-to-1", 1, 1, 2),
        ("1 9d, 2 1h, 3/image-1", 2, 0, 1),
    ],
)
def test_of_a_named_target_bad_is_what_came_after_it_though_it_has_the_same_images(story, named, good, bad):
    choice = named_part(story, named)
    assert (choice.good_since, choice.bad_since) == (minute_of(story, good), minute_of(story, bad))
    assert choice.first_bad == history(story)[0][::-1][bad].task_definition
    assert not any("never deployed" in note for note in choice.notes)


def test_a_release_point_that_is_named_is_the_operators_word_too():
    story = "1 9d, 2 9d, 3/image-2 1h"
    recorded = history(story)[0][::-1][1].revision, "cp-a has recorded it", True
    assert chosen(story, recorded=recorded).bad_since == minute_of(story, 2)


def test_a_copy_is_no_other_configuration():
    story = "1 9d, 2 9d, 3/image-2 9d, 4/image-2 1h"
    assert named_part(story, 1, origins={arn(3): arn(2)}).bad_since == minute_of(story, 3)
    assert named_part(story, 1).bad_since == minute_of(story, 2)


def test_what_runs_and_was_not_brought_back_is_not_bad_by_being_named():
    assert named_part("1 9d, 2 9d, 3/image-2 1h", 2).bad_since is None


def test_without_the_operators_word_a_release_is_its_images():
    story = "1 9d, 2 9d, 3/image-2 1h"
    assert chosen(story).bad_since == minute_of(story, 1)
    story = "1 9d, 2/image-1 9d, 3 1h"
    choice = chosen(story, gone=[2])
    assert (short(choice.target.task_definition), choice.bad_since) == ("app:1", minute_of(story, 2))


def test_of_another_configuration_of_what_runs_the_times_are_its_own():
    story = "1 9d, 2 9d, 3/image-2 1h"
    (item,) = [item for item in chosen(story).candidates if item.verdict == "same image"]
    ((since, until),) = item.spans
    assert (until, item.seconds) == (minute_of(story, 2), until - since)
    assert "served 8 d 23 h until 2026-11-19T03:00:00+00:00" in candidate_line(item)


def test_going_forward_by_the_operators_word_finds_nothing_bad():
    past, _now = history("1, 2, 1")
    choice = chosen("1, 2, 1", named=past[1].revision)
    assert (short(choice.target.task_definition), choice.first_bad, choice.bad_since) == ("app:2", None, None)


def test_a_copy_without_recorded_digests_is_the_release_that_it_is_a_copy_of():
    origins = {arn(3): arn(1)}
    assert short(chosen("1/?, 2/?, 3/?", origins=origins).target.task_definition) == "app:3"  # brought back already
    choice = chosen("1/?, 2/?, 3/?, 4/?", origins=origins)
    assert short(choice.target.task_definition) == "app:3"
    assert len(choice.candidates) == 3


def test_a_rollback_of_ecs_that_a_newer_deployment_ended_is_not_what_runs():
    """It ends when the newer one begins, or a moment later."""
    past, now = history("1 9d, 2 1h, 3 1h")
    ended = replace(past[1], status="ROLLBACK_FAILED", back=past[2].revision, brought_back=arn(1))
    ended = replace(ended, finished_at=past[0].created_at + timedelta(seconds=1))
    line = Timeline([past[0], ended, past[2]], {}, now, timedelta(minutes=5))
    assert line.stays[-1].revision == past[0].revision


def test_an_image_that_is_not_known_yet_is_not_taken_for_the_one_before():
    assert chosen("1/a 9d, 1/? 1h running").target.image_set == {digest("a")}


@pytest.mark.parametrize(
    ("story", "name", "number"),
    [
        ("1 9d, 2, 3", "app:1", 0),
        ("1 9d, 2, 3", arn(2), 1),
        ("1 9d, 2, 3", digest("image-2"), 1),
        ("1 9d, 2, 3", "2.0", 1),  # the tag of its image
        ("1/a 9d, 1/b 1h", digest("a"), 0),
        ("1/a 9d, 1/b 1h, 1/a", "app:1", 2),  # it was brought back to that: a second run stays
        ("1/a 9d, 1/b 1h, 1/a 1h, 2", "app:1", 2),  # b was rolled back from
        ("1@right 9d, 1@wrong 1h, 2", "app:1", 1),
        ("1 9d, 2, 1 1m back-to-1", "app:1", 0),  # where it did not come up the last time, as it served before
        ("1, 2", "app:9", None),
        ("1, 2", digest("never"), None),
        ("1, 2", "9.0", None),
    ],
)
def test_what_a_name_means(story, name, number):
    past, _now = history(story)
    meant = resolve(name, timeline(story), {})
    assert meant == (None if number is None else past[::-1][number].revision)


@pytest.mark.parametrize(
    ("story", "name"),
    [
        ("1/a 9d, 1/b 1h", "app:1"),
        ("1/a 9d, 1/b 1h", "1.0"),
        ("1/a 9d, 1/b 1h, 2", "1.0"),
        ("1/a 9d, 1/b 1h, 2", "app:1"),
        ("1@right 9d, 1@wrong 1h", "app:1"),
    ],
)
def test_a_name_that_means_several_is_ambiguous(story, name):
    with pytest.raises(Ambiguous) as several:
        resolve(name, timeline(story), {})
    assert len(several.value.revisions) == 2


REVISIONS = st.sampled_from(["1", "2", "3", "4", "3/image-2", "1/b", "1@wrong", "2@wrong"])
LASTS = st.sampled_from(["3s", "20s", "10m", "9d"])
OUTCOMES = st.sampled_from(["ok", "ok", "ok", "stopped", "running", "failed"])
STORIES = st.lists(st.tuples(REVISIONS, LASTS, OUTCOMES), min_size=1, max_size=10).map(
    lambda told: ", ".join(" ".join(part) for part in told)
)


def attempt(story, **more):
    """The Choice, or None where it is refused."""
    try:
        return chosen(story, **more)
    except RollbackError:
        return None


@given(STORIES)
def test_never_the_image_that_runs_nor_what_never_served_nor_what_was_rolled_back_from(story):
    past, _now = history(story)
    choice, line = attempt(story), timeline(story)
    if choice is None or same_content(choice.target, running_revision(service(past), past), {}):
        return
    release = next(stay.release for stay in line.stays if choice.target in stay.revisions)
    assert choice.target.image_set != running_revision(service(past), past).image_set
    assert release != line.running
    assert line.has_served(release)
    assert not line.rolled_back_from(release, moments_count=True)


@given(STORIES)
def test_never_moments_where_something_served_longer_and_can_be_chosen(story):
    choice = attempt(story)
    if choice is None:
        return
    mine = next(item for item in choice.candidates if item.is_of(choice.target, {}))
    if mine.verdict == "moments":
        assert not any(item.verdict == "served" for item in choice.candidates)


@given(STORIES)
def test_a_second_run_stays_where_the_first_one_went(story):
    choice = attempt(story)
    past, _now = history(story)
    if choice is None or same_content(choice.target, running_revision(service(past), past), {}):
        return
    name = next(
        part.split()[0] for number, part in enumerate(story.split(", ")) if past[::-1][number].revision == choice.target
    )
    again = chosen("%s, %s 10m" % (story, name))
    assert same_content(again.target, choice.target, {})


@given(STORIES)
def test_every_option_that_is_told_picks_what_it_is_told_with(story):
    past, _now = history(story)
    line = timeline(story)
    for item in candidates(line, running_revision(service(past), past), frozenset(), {}):
        meant = resolve(option_of(item.revision, line, {}), line, {})
        assert same_content(meant, item.revision, {})


@given(STORIES, st.sets(st.integers(1, 4)))
def test_nothing_that_was_deleted_is_chosen_and_nothing_else_is_lost_by_it(story, gone):
    past, _now = history(story)
    line, running = timeline(story), running_revision(service(past), past)
    found = candidates(line, running, frozenset(map(arn, gone)), {})
    assert not {item.task_definition for item in eligible(found)} & set(map(arn, gone))
    assert len(found) >= len(line.releases)


@given(STORIES, st.integers(0, 9))
def test_what_is_bad_for_a_named_target_is_never_the_target_and_nothing_it_proved_itself_in_comes_later(story, number):
    past, _now = history(story)
    number %= len(past)
    named = past[::-1][number].revision
    choice, line = chosen(story, named=named), timeline(story)
    if choice.bad_since is None:
        return
    stays = line.stays_of(lambda one: same_content(one, named, {}))
    own = [stay for stay in stays if stay.release is OWN]
    assert choice.bad_since in {stay.began for stay in stays if stay not in own}
    proven = [stay for stay in own if stay.served and stay.seconds(line.now) >= line.moments]
    brought_back = same_content(running_revision(service(past), past), named, {})
    assert all(stay.began < choice.bad_since for stay in (proven[:-1] if brought_back else proven))


@given(STORIES)
def test_what_is_bad_began_after_the_target_had_served(story):
    choice = attempt(story)
    if choice is None or choice.bad_since is None:
        return
    mine = next(item for item in choice.candidates if item.is_of(choice.target, {}))
    assert mine.first_deployed < choice.bad_since
    assert choice.good_since is None or choice.good_since <= choice.bad_since


@pytest.mark.parametrize(
    ("story", "named", "bad"),
    [
        ("1 9d, 2 1h", None, [1]),
        # brought back, forward by an undo, and brought back by the undo of it: both times
        ("1 9d, 2 1h, 1 1s, 2 1h failed, 1", None, [1, 3]),
        ("1 9d, 2 1h, 3 1h, 1", None, [1, 2]),
        # what was there before the good one is not what it was brought back from
        ("1 9d, 2 9d, 3 1h, 2", None, [2]),
        # by its name, its own images with another configuration are bad, too
        ("1 9d, 2 9d, 3/image-2 1h, 4 1h", 1, [2, 3]),
        ("1 9d, 2 9d", 1, []),
    ],
)
def test_each_time_that_what_is_bad_ran_is_known(story, named, bad):
    choice = chosen(story) if named is None else named_part(story, named)
    ends = [minute_of(story, number + 1) if number + 1 < story.count(",") + 1 else None for number in bad]
    assert [(stay.began, stay.ended) for stay in choice.bad] == [
        *zip((minute_of(story, each) for each in bad), ends, strict=True)
    ]
