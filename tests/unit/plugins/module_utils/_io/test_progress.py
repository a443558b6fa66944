# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is told about a wait arrives at whoever listens, is small, and costs the wait nothing when nobody does."""

from __future__ import annotations

import json
import os
import socket
import tempfile

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import (
    LARGEST,
    SOCKET,
    Progress,
    datagram,
    estimate,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def place():
    """A path for a socket; pytest's own directories may be too long for one."""
    with tempfile.TemporaryDirectory() as directory:
        yield os.path.join(directory, "socket")


@pytest.fixture
def listener(place):
    """A socket that hears what is told; ``heard()`` gives all of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(place)
        bound.setblocking(False)
        yield bound


def heard(listener):
    told = []
    while True:
        try:
            told.append(json.loads(listener.recv(2 * LARGEST)))
        except BlockingIOError:
            return told


def test_tells_who_listens_how_far_a_wait_is(listener, place):
    Progress({SOCKET: place}).tell("restore", 1, 4, "creating", 12.5, 30.0, "db")
    assert heard(listener) == [
        dict(pid=os.getpid(), what="restore", key="db", done=1, total=4, detail="creating", elapsed=12.5, estimate=30.0)
    ]


def test_a_wait_becomes_an_estimate_once_it_has_moved(listener, place):
    tell = Progress({SOCKET: place}).teller("snapshot")
    tell(Pending(40, 100, "40 %"), 10)
    tell(Pending(60, 100, "60 %"), 20)
    assert [told["estimate"] for told in heard(listener)] == [None, 20]


def test_several_services_are_told_apart_and_one_that_is_missing_is_over(listener, place):
    tell = Progress({SOCKET: place}).teller("deployment")
    tell.each([("app", 0, 2, "starting"), ("worker", 1, 2, "starting")], 1)
    tell.each([("app", 1, 2, "starting")], 2)
    assert [(told["key"], told.get("done"), told.get("over")) for told in heard(listener)] == [
        ("app", 0, None),
        ("worker", 1, None),
        ("worker", None, True),
        ("app", 1, None),
    ]


def test_one_kind_of_wait_is_over_while_the_process_goes_on(listener, place):
    tell = Progress({SOCKET: place}).teller("restore")
    tell(Pending(0, 1, "creating"), 1)
    tell.over()
    assert [(told["what"], told.get("over")) for told in heard(listener)] == [("restore", None), ("restore", True)]


def test_without_the_variable_no_socket_is_made(monkeypatch):
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was made"))
    progress = Progress({})
    progress.tell("restore", 0, 1, "creating", 0)
    progress.over("restore")


@pytest.mark.parametrize("there", ["nothing", "a socket nobody reads", "a file", "a name too long"])
def test_does_not_mind_that_nobody_listens(there, place):
    if there == "a socket nobody reads":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
            bound.bind(place)
    elif there == "a file":
        open(place, "w").close()
    path = place + "x" * 200 if there == "a name too long" else place
    assert Progress({SOCKET: path}).tell("restore", 0, 1, "creating", 0) is None


def test_what_a_full_listener_cannot_take_is_dropped(listener, place):
    progress = Progress({SOCKET: place})
    for number in range(5000):  # more than any system queues; a sender that blocks would stay here
        progress.tell("restore", number, 5000, "creating", 0)
    told = heard(listener)
    assert 0 < len(told) < 5000
    assert [message["done"] for message in told] == list(range(len(told)))


@given(st.text(max_size=3000), st.text(max_size=200), st.floats(allow_nan=False))
def test_a_datagram_is_never_too_large_and_keeps_its_numbers(detail, name, number):
    message = dict(
        what=name, key=name, done=number, total=number, detail=detail, elapsed=number, estimate=number, pid=1
    )
    sent = datagram(message)
    assert len(sent) <= LARGEST
    assert json.loads(sent)["done"] == number


def test_what_fits_is_not_cut():
    assert json.loads(datagram(dict(what="restore", key="", detail="é" * 300)))["detail"] == "é" * 300


@pytest.mark.parametrize(
    ("first", "done", "total", "elapsed", "seconds"),
    [
        ((0, 0), 50, 100, 10, 10),
        ((40, 5), 50, 100, 15, 50),  # joined when 40 of it were done
        ((0, 0), 0, 100, 10, None),  # nothing moves
        ((2, 0), 1, 2, 10, None),  # a task died
        ((0, 0), 2, 2, 10, None),  # all is done, and it is not ready
        ((0, 5), 1, 2, 5, None),
    ],
)
def test_estimates_from_the_speed_so_far(first, done, total, elapsed, seconds):
    assert estimate(first, done, total, elapsed) == seconds
