# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
from hashlib import sha256

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._io import migration_files
from ansible_collections.spymeo.rollback.plugins.module_utils._io.migration_files import LARGEST, read_migrations


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def names(path):
    return [item.name for item in read_migrations(str(path))]


def test_prismas_folders_are_read_in_their_order(tmp_path):
    write(tmp_path / "20260102_b/migration.sql", "SELECT 1; SELECT 2;")
    write(tmp_path / "20260101_a/migration.sql", "-- This is an empty migration.")
    write(tmp_path / "migration_lock.toml", 'provider = "postgresql"')
    write(tmp_path / "seed.sql", "SELECT 1")
    found = read_migrations(str(tmp_path))
    assert [(item.name, len(item.statements)) for item in found] == [("20260101_a", 0), ("20260102_b", 2)]


def test_files_and_one_file_are_read_by_their_names(tmp_path):
    write(tmp_path / "V2__b.sql", "SELECT 1")
    write(tmp_path / "V1__a.sql", "SELECT 1")
    assert names(tmp_path) == ["V1__a", "V2__b"]
    assert names(tmp_path / "V2__b.sql") == ["V2__b"]
    assert names(write(tmp_path / "20260101_a/migration.sql", "SELECT 1")) == ["20260101_a"]


@pytest.mark.parametrize("given", [b"SELECT 1;\nSELECT 2;\n", b"SELECT 1;\r\nSELECT 2;\r\n"])
def test_a_checksum_is_prismas_with_either_kind_of_line_end(tmp_path, given):
    (found,) = read_migrations(str(write(tmp_path / "a.sql", given)))
    wanted = {sha256(b"SELECT 1;\nSELECT 2;\n").hexdigest(), sha256(b"SELECT 1;\r\nSELECT 2;\r\n").hexdigest()}
    assert set(found.checksums) == wanted
    assert found.checksums[0] == sha256(given).hexdigest()


def test_a_byte_order_mark_is_no_statement(tmp_path):
    (found,) = read_migrations(str(write(tmp_path / "a.sql", b"\xef\xbb\xbfSELECT 1")))
    assert list(found.statements[0]) == ["SelectStmt"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1;\n\nSELEKT 2", "line 3 of "),
        ("SELECT 1;\0 DROP TABLE a", "has a zero byte in it"),
        (b"SELECT '\xff'", "cannot be read (UnicodeDecodeError)"),
        ("SELECT 1".encode("utf-16"), "cannot be read (UnicodeDecodeError)"),
        (b" " * (LARGEST + 1), "has more than 4 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, text, words):
    write(tmp_path / "a.sql", text)
    with pytest.raises(BadInput) as refused:
        read_migrations(str(tmp_path))
    assert words in str(refused.value)
    assert "a.sql" in str(refused.value)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="there is no such directory or file"):
        read_migrations(str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match=r"no NAME/migration.sql and no NAME.sql"):
        read_migrations(str(tmp_path))


def test_without_the_parser_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(migration_files, "HAS_PGLAST", False)
    with pytest.raises(RollbackError, match="pip install 'pglast"):
        read_migrations(str(tmp_path))


@pytest.mark.parametrize("given", ["~nosuchuser/migrations", "/" + "x" * 300])
def test_a_path_that_cannot_be_meant_is_refused(given):
    with pytest.raises(BadInput):
        read_migrations(given)


def test_a_folder_without_its_file_is_refused_as_prisma_does(tmp_path):
    write(tmp_path / "1_init/migration.sql", "SELECT 1")
    write(tmp_path / "2_drop/Migration.sql", "DROP TABLE a")
    with pytest.raises(BadInput, match=r"there is no migration.sql in 2_drop"):
        read_migrations(str(tmp_path))


def test_what_is_no_file_and_what_is_too_deep_are_refused(tmp_path):
    (tmp_path / "1").mkdir()
    os.mkfifo(tmp_path / "1/migration.sql")
    with pytest.raises(BadInput, match="is no file"):
        read_migrations(str(tmp_path))
    deep = write(tmp_path / "deep.sql", "SELECT " + " + ".join(["1"] * 10_000))
    with pytest.raises(BadInput, match="too deep"):
        read_migrations(str(deep))
