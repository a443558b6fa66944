# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab's directory: a clone's own, short, private, and one lab's at a time."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from loopback_aws import place

LONGEST = "x" * 40
DEEPEST = "rds/9999/.s.PGSQL.65535"


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "BELOW", tmp_path)
    return place.directory_of("mine")


def claimed(directory: pathlib.Path) -> bool:
    """Whether somebody has the claim."""
    try:
        os.close(place.claim(directory))
    except place.Taken:
        return True
    return False


@pytest.mark.parametrize(("name", "clone"), [("other", "/srv/a"), ("mine", "/srv/b"), ("mine", "/srv/à")])
def test_each_lab_of_each_clone_has_its_own(name, clone):
    assert place.directory_of(name, pathlib.Path(clone)) != place.directory_of("mine", pathlib.Path("/srv/a"))
    assert place.directory_of(name, pathlib.Path(clone)) == place.directory_of(name, pathlib.Path(clone))


def test_a_socket_fits_whatever_the_clones_path_and_tmpdir_are(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "getuid", lambda: 2**32 - 2)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert place.NAME.fullmatch(LONGEST)
    assert not place.NAME.fullmatch(LONGEST + "x")
    longest = place.directory_of(LONGEST, pathlib.Path("/" + "long/" * 200))
    assert len(os.fsencode(longest / DEEPEST)) <= 107


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a b", "é"])
def test_no_name_leads_elsewhere(name):
    assert not place.NAME.fullmatch(name)


def test_nobody_else_may_enter_and_what_a_lost_lab_left_is_gone(directory):
    (directory / "rds").mkdir(parents=True, mode=0o777)
    (directory / "lab.json").write_text("{}")
    (directory / "link").symlink_to(directory.parent)
    directory.chmod(0o777)
    os.close(place.claim(directory))
    assert list(directory.iterdir()) == []
    assert directory.stat().st_mode & 0o777 == 0o700
    assert directory.parent.exists()


def test_the_claim_ends_with_the_last_process_that_has_it(directory):
    claim = place.claim(directory)
    heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[claim])
    try:
        os.close(claim)
        assert claimed(directory)
    finally:
        heir.kill()
        heir.wait()
    assert not claimed(directory)


def test_a_directory_that_goes_while_it_is_opened_is_made_again(directory, monkeypatch):
    gone, lock = [], place.fcntl.flock

    def flock(descriptor, how):
        if not gone:
            gone.append(shutil.rmtree(directory))
        lock(descriptor, how)

    monkeypatch.setattr(place.fcntl, "flock", flock)
    claim = place.claim(directory)
    assert os.path.samestat(os.fstat(claim), directory.stat())
    os.close(claim)


def test_a_server_that_is_gone_is_not_taken_for_a_process_that_has_its_id_now(directory):
    directory.mkdir()
    (directory / "lab.json").write_text(json.dumps({"pid": os.getpid()}))
    assert place.state_of("mine") is None
    server = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        server.stdout.readline()  # Popen comes back while exec is under way, and its command is empty until that is over
        (directory / "lab.json").write_text(json.dumps({"pid": server.pid}))
        assert place.state_of("mine") == {"pid": server.pid}
    finally:
        server.communicate()
    assert place.state_of("mine") is None
