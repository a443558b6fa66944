# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tests of what a lab leaves behind: nothing, also where something was still being written."""

from __future__ import annotations

import shutil

from loopback_aws import guard


def test_a_directory_that_is_written_to_meanwhile_is_removed(tmp_path, monkeypatch):
    directory, removed, late = tmp_path / "lab", shutil.rmtree, [1, 2]

    def slow(path, **options):
        removed(path, **options)
        if late:
            (path / f"late-{late.pop()}").mkdir(parents=True)

    monkeypatch.setattr(guard.shutil, "rmtree", slow)
    directory.mkdir()
    guard.remove(directory)
    assert (directory.exists(), late) == (False, [])


def test_a_directory_that_cannot_be_removed_is_left_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(guard.shutil, "rmtree", lambda *_arguments, **_options: None)
    guard.remove(tmp_path, within=0.05)
    assert tmp_path.exists()
