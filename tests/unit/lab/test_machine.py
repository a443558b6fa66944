# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine lacks is told in a sentence or two that say what to do, before anything is started."""

from __future__ import annotations

import errno
import os
import pathlib

import pytest

from loopback_aws import machine


def no_pidfd(_pid):
    raise OSError(errno.ENOSYS, "Function not implemented")


def broken(tmp_path, script: str) -> pathlib.Path:
    """A directory of programs whose postgres is this script."""
    (tmp_path / "postgres").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "postgres").chmod(0o755)
    return tmp_path


def test_this_machine_lacks_nothing():
    assert machine.lack() is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda patch, _: patch.setattr(os, "pidfd_open", no_pidfd), "needs Linux 5.3 or later"),
        (lambda patch, place: patch.setattr(machine, "BELOW", place / "none"), "cannot be written to (No such file or directory)"),
        (lambda patch, _: patch.setenv("PATH", "/nonexistent"), "Install the package util-linux."),
        (
            lambda patch, place: patch.setattr(machine, "programs", lambda: broken(place, "echo loading; echo no libz >&2; exit 127")),
            "no libz.",
        ),
        (lambda patch, place: patch.setattr(machine, "programs", lambda: broken(place, "exit 3")), "exit code 3."),
    ],
    ids=["kernel", "place", "setpriv", "library", "silent"],
)  # fmt: skip
def test_what_is_missing_is_said_in_one_line(change, words, monkeypatch, tmp_path):
    change(monkeypatch, tmp_path)
    told = machine.lack()
    assert words in told
    assert "\n" not in told
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("user", "words"), [([], "does not run on this machine"), (["--nnp"], "another user than root")]
)
def test_root_is_told_to_be_somebody_else(user, words, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "demotion", lambda: user)
    monkeypatch.setattr(machine, "programs", lambda: broken(tmp_path, "exit 1"))
    assert words in machine.lack()
