# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No id is given twice, none is skipped back over, none is beyond what a column holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import (
    MARGIN,
    MOST_DRAWN,
    Sequence,
    SequenceKept,
    SequenceMove,
    ahead,
    came_to,
    foreseen,
    sequence_of,
)
from hypothesis import assume, given
from hypothesis import strategies as st

INTEGER = 2**31 - 1


def sequence(given=1830, **more):
    fields = dict(
        oid=16400, schema="public", name="Payment_id_seq", increment=1, minimum=1, maximum=INTEGER, cycles=False,
        columns=('public."Payment".id',), given=given,
    )  # fmt: skip
    return Sequence(**{**fields, **more})


def one(restored, *failed):
    (step,) = ahead([restored], list(failed))
    return step


MOVES = {
    "few were given since": (sequence(), sequence(1874), (1874 + MARGIN, MARGIN)),
    "as many were given since as would be a margin": (sequence(100), sequence(50_100), (100_100, 50_000)),
    "nothing was given since": (sequence(), sequence(), (1830 + MARGIN, MARGIN)),
    "neither was used yet": (sequence(None), sequence(None), (MARGIN, MARGIN)),
    "it was used since for the first time": (sequence(None), sequence(7), (7 + MARGIN, MARGIN)),
    "it begins elsewhere": (sequence(None, first=500), sequence(None, first=500), (499 + MARGIN, MARGIN)),
    "it was renamed": (sequence(), sequence(1874, name="renamed"), (1874 + MARGIN, MARGIN)),
    "it was made anew for the same column": (sequence(), sequence(1874, oid=9, name="new"), (1874 + MARGIN, MARGIN)),
    "it goes down": (
        sequence(-5, increment=-1, minimum=-INTEGER, maximum=-1),
        sequence(-9, increment=-1, minimum=-INTEGER, maximum=-1),
        (-9 - MARGIN, MARGIN),
    ),
    "it gives odd numbers": (
        sequence(101, increment=2),
        sequence(111, increment=2),
        (111 + 2 * MARGIN, MARGIN),
    ),
    "it gives odd numbers, and the failed one even ones now": (
        sequence(101, increment=2),
        sequence(112, increment=2),
        (113 + 2 * MARGIN, MARGIN),
    ),
    "near its bound": (sequence(INTEGER - 150), sequence(INTEGER - 100), (INTEGER - 51, 49)),
    "it may only be drawn from": (sequence(sets=False), sequence(1874), (1874 + MARGIN, MARGIN)),
    "it begins again at its end, which is far": (sequence(cycles=True), sequence(1874), (1874 + MARGIN, MARGIN)),
}


@pytest.mark.parametrize("case", MOVES)
def test_goes_ahead(case):
    restored, failed, expected = MOVES[case]
    step = one(restored, failed)
    assert isinstance(step, SequenceMove), step
    assert (step.to, step.margin) == expected
    assert abs(step.to - restored.position) == step.steps * abs(restored.increment)


STAYS = {
    "it is ahead": (sequence(50_000), [sequence(1874)], "ahead already", True),
    "only the restored one has it": (sequence(), [sequence(oid=1, name="b", columns=())], "no such sequence", False),
    "the failed one may not be read": (sequence(), [sequence(readable=False)], "may not read it in the failed", False),
    "the restored one may not be read": (
        sequence(readable=False),
        [sequence()],
        "in the database that goes into service",
        False,
    ),
    "it turns round": (sequence(), [sequence(increment=-1)], "counts the other way", False),
    "used up": (sequence(), [sequence(INTEGER)], "0 values left", False),
    "one is left": (sequence(), [sequence(INTEGER - 1)], "1 value left", False),
    "beyond the bound, since a migration has made it wider": (
        sequence(),
        [sequence(2**40, maximum=2**63 - 1)],
        "0 values left",
        False,
    ),
    "used up, and it begins again": (sequence(cycles=True), [sequence(INTEGER)], "CYCLE", False),
    "nothing is permitted": (sequence(sets=False, draws=False), [sequence(1874)], "GRANT UPDATE ON SEQUENCE", False),
    "drawing would take too long": (
        sequence(1, sets=False),
        [sequence(MOST_DRAWN)],
        "may not set it; it has to go to %d" % (2 * MOST_DRAWN - 1),
        False,
    ),
}


@pytest.mark.parametrize("case", STAYS)
def test_stays_and_says_why(case):
    restored, failed, words, safe = STAYS[case]
    step = one(restored, *failed)
    assert isinstance(step, SequenceKept), step
    assert words in step.why
    assert step.safe is safe
    findings = came_to([step])[1]
    assert [item.subject for item in findings] == ([] if safe else ["public.Payment_id_seq"])


def test_the_furthest_of_all_that_give_ids_to_the_same_rows_counts():
    others = [sequence(1900), sequence(2500, oid=7, name="new"), sequence(9000, oid=8, name="other", columns=())]
    assert one(sequence(), *others).beyond == 2500


@pytest.mark.parametrize(
    ("row", "value", "expected"),
    [
        ((True, True, True, 1830), (1831, True), dict(given=1831, first=1831)),
        ((True, True, True, None), (500, False), dict(given=None, first=500)),
        ((False, False, True, 1830), None, dict(given=1830, sets=False)),
        ((False, False, True, None), None, dict(given=None, sets=False)),
        ((False, True, False, None), None, dict(given=None, sets=False, readable=False)),
        ((True, False, False, None), (7, True), dict(given=7, first=7, sets=False, draws=False)),
    ],
    ids=["all", "restarted", "only drawn from", "only drawn from, and never", "only set", "only read"],
)
def test_reads_what_may_be_read(row, value, expected):
    known = (16400, "public", "Payment_id_seq", 1, 1, INTEGER, False, ['public."Payment".id'], 1)
    assert sequence_of((*known, *row), value) == sequence(**expected)


def test_what_is_foreseen_and_what_it_came_to_name_number_and_margin():
    told, findings = foreseen([sequence(), sequence(oid=2, name="b", columns=(), maximum=4000)])
    assert "go beyond the 2 of the failed one" in told
    assert "10,000 values" in told
    assert [(item.subject, item.verdict) for item in findings] == [("public.b", "noted")]
    assert "1,084 values ahead instead of 10,000" in findings[0].what
    far, near = (sequence(given, oid=2, name="b", columns=()) for given in (90_000, 5))
    words, _findings = came_to(ahead([sequence(), far], [sequence(), near]))
    assert words == "1 sequence went beyond those of the failed database, by 10,000 values or more; 1 was ahead already"
    assert came_to([])[0] == "there is no sequence"
    assert foreseen([])[0] == "there is no sequence, so ids come from elsewhere"


def test_a_hostile_name_begins_no_line():
    step = one(sequence(name="x\nDONE   all is well\x1b[2J"), sequence())
    assert "\n" not in step.line
    assert "\x1b" not in step.line


BOUNDS = st.sampled_from([2**15 - 1, INTEGER, 2**63 - 1])


@st.composite
def pairs(draw):
    """A sequence as the data have it, and as the failed database has it."""
    most, sign = draw(BOUNDS), draw(st.sampled_from([1, -1]))
    step = draw(st.integers(1, 50))
    values = st.one_of(st.none(), st.integers(1, most), st.integers(max(1, most - 200), most))
    low, high = (1, most) if sign > 0 else (-most, -1)

    def made(**more):
        value = draw(values)
        return sequence(
            None if value is None else sign * value,
            first=sign,
            increment=sign * step,
            minimum=low,
            maximum=high,
            cycles=draw(st.booleans()),
            **more,
        )

    return made(sets=draw(st.booleans())), made()


@given(pairs())
def test_never_back_never_beyond_the_bound_and_always_beyond_the_failed_one(pair):
    restored, failed = pair
    step, sign = one(restored, failed), 1 if restored.increment > 0 else -1
    if isinstance(step, SequenceKept):
        assume(step.safe)
        assert sign * restored.position >= sign * failed.position
        return
    assert sign * step.to > sign * restored.position
    assert sign * step.to >= sign * failed.position
    assert restored.minimum <= step.to <= restored.maximum
    # One more can be given.
    assert restored.minimum <= step.to + restored.increment <= restored.maximum
    assert (step.to - restored.position) % restored.increment == 0


@given(pairs())
def test_a_second_time_changes_nothing(pair):
    restored, failed = pair
    step = one(restored, failed)
    assume(isinstance(step, SequenceMove))
    assert one(replace(restored, given=step.to), failed) == SequenceKept(
        replace(restored, given=step.to), "it is ahead already", safe=True
    )


@given(pairs(), st.integers(0, 10**6))
def test_the_further_the_failed_one_went_the_further_it_goes(pair, more):
    restored, failed = pair
    further = replace(failed, given=failed.position + more * failed.increment)
    before, after = one(restored, failed), one(restored, further)
    assume(isinstance(before, SequenceMove) and isinstance(after, SequenceMove))
    sign = 1 if restored.increment > 0 else -1
    assert sign * after.to >= sign * before.to
