# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tests of what is kept of compiled sources: for this collection's modules alone, and never an old one."""

from __future__ import annotations

import importlib
import os
import sys

import pytest
from ansible_collections.spymeo.rollback.plugins.plugin_utils._bytecode import BytecodeFinder

PACKAGE = "package_of_a_test"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of which one module lies in a folder without __init__.py."""
    for name, text in {"__init__": "", "inner/__init__": "", "inner/module": "WORD = 'old'", "bare/module": ""}.items():
        path = tmp_path / PACKAGE / (name + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [BytecodeFinder(PACKAGE), *sys.meta_path])
    yield tmp_path / PACKAGE
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def word() -> str:
    sys.modules.pop(PACKAGE + ".inner.module", None)
    return importlib.import_module(PACKAGE + ".inner.module").WORD


def test_it_is_kept_beside_the_source(package):
    assert word() == "old"
    assert list((package / "inner/__pycache__").glob("module.*.pyc"))


def test_a_source_that_has_changed_is_compiled_anew(package):
    assert word() == "old"
    source = package / "inner/module.py"
    source.write_text("WORD = 'new'")
    os.utime(source, (1, 1))
    assert word() == "new"


def test_a_folder_that_cannot_be_written_to_is_no_error(package):
    (package / "inner/__pycache__").write_text("no folder")
    assert word() == "old"


def test_others_packages_and_bare_folders_are_left_to_others(package):
    finder = BytecodeFinder(PACKAGE)
    assert finder.find_spec("another.module", [str(package / "inner")]) is None
    assert finder.find_spec(PACKAGE, [str(package.parent)]) is None
    assert finder.find_spec(PACKAGE + ".bare", [str(package)]) is None
    assert finder.find_spec(PACKAGE + ".inner", None) is None
    assert finder.find_spec(PACKAGE + ".inner", [str(package)]) is not None
