# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real directories and files: nothing beside the directory is touched, nobody else's mode is changed, no link is followed."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._io.row_files import RowDirectory, TableFiles

ROW = ("1", "Ada")
NAME = "Person.new.csv"


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def salvage(path, *rows):
    """Write new rows of the table Person; gives whether something has changed."""
    with RowDirectory(path) as directory:
        files = TableFiles(directory, "Person", ["id", "name"])
        for row in rows or (ROW,):
            files.add("new", row, None)
        return files.finish()[0]


@pytest.fixture
def loose():
    """A umask that lets everybody do everything."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_made_is_for_its_owner_alone(tmp_path, loose):
    assert salvage(tmp_path / "a/b/rows")
    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/rows", f"a/b/rows/{NAME}")] == [0o700] * 3 + [0o600]
    assert not salvage(tmp_path / "a/b/rows")


@pytest.mark.parametrize("kept", [0o755, 0o700, 0o1777])
def test_what_is_there_keeps_its_mode(tmp_path, kept):
    tmp_path.chmod(kept)
    salvage(tmp_path)
    assert (mode(tmp_path), mode(tmp_path / NAME)) == (kept, 0o600)


@pytest.mark.parametrize("open_to_others", [0o777, 0o775, 0o722])
def test_a_directory_in_which_others_could_exchange_rows_is_refused(tmp_path, open_to_others):
    tmp_path.chmod(open_to_others)
    with pytest.raises(RollbackError, match="can be written to by others, who could exchange the rows"):
        salvage(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert mode(tmp_path) == open_to_others


@pytest.mark.parametrize(("user", "refused"), [(12345, True), (0, False)])
def test_a_directory_of_somebody_else_is_refused_but_for_root(tmp_path, monkeypatch, user, refused):
    seen = os.stat(tmp_path)
    monkeypatch.setattr(os, "fstat", lambda _descriptor: os.stat_result((*seen[:4], 4711, *seen[5:])))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if refused:
        with pytest.raises(RollbackError, match="belongs to somebody else"), RowDirectory(tmp_path):
            pass
    else:
        with RowDirectory(tmp_path):
            pass


@pytest.mark.parametrize("name", [NAME, NAME + ".partial"])
@pytest.mark.parametrize("kind", ["link", "dangling", "fifo"])
def test_what_stands_in_the_way_is_replaced_and_never_followed(tmp_path, name, kind):
    rows, outside = tmp_path / "rows", tmp_path / "outside"
    rows.mkdir(0o700)
    outside.write_text("precious")
    if kind == "fifo":
        os.mkfifo(rows / name)
    else:
        (rows / name).symlink_to(outside if kind == "link" else tmp_path / "nowhere")
    assert salvage(rows)
    assert outside.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()
    assert (rows / NAME).read_text() == '"id","name"\n"1","Ada"\n'
    assert sorted(path.name for path in rows.iterdir()) == [NAME]
    assert mode(rows / NAME) == 0o600


def test_a_file_that_everybody_may_read_is_replaced_by_one_that_nobody_may(tmp_path):
    (tmp_path / NAME).write_text('"id","name"\n"1","Ada"\n')
    (tmp_path / NAME).chmod(0o644)
    assert not salvage(tmp_path)
    assert mode(tmp_path / NAME) == 0o600


def test_a_directory_that_is_exchanged_meanwhile_gets_nothing(tmp_path):
    rows, elsewhere = tmp_path / "rows", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with RowDirectory(rows) as directory:
        rows.rename(tmp_path / "moved")
        rows.symlink_to(elsewhere)
        files = TableFiles(directory, "Person", ["id"])
        files.add("new", ("1",), None)
        files.finish()
    assert list(elsewhere.iterdir()) == []
    assert (tmp_path / "moved" / NAME).exists()


def test_of_two_salvages_at_once_the_second_waits_for_a_person(tmp_path):
    with (
        RowDirectory(tmp_path),
        pytest.raises(RollbackError, match="Another salvage writes into"),
        RowDirectory(tmp_path),
    ):
        pass
    with RowDirectory(tmp_path):
        pass


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/x", "/etc/hostname"])
def test_a_place_that_can_be_no_directory_is_told_with_its_cure(place):
    with pytest.raises(RollbackError, match="Set rollback_salvage_directory to"):
        salvage(place)


def test_a_directory_whose_name_would_not_fit_a_line_is_refused(tmp_path):
    with pytest.raises(RollbackError, match="control character"):
        salvage(tmp_path / "a\nb")


def test_a_directory_in_the_place_of_a_file_is_told(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(RollbackError, match="cannot be used"):
        salvage(tmp_path)
