# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small collections to show that each rule bites."""

from __future__ import annotations

import pytest


@pytest.fixture
def plant(tmp_path):
    """Write {path: text} as a collection and return its root; it finds itself by the link that a clone has."""

    def write(files):
        link = tmp_path / "collections/ansible_collections/spymeo/rollback"
        if not link.is_symlink():
            link.parent.mkdir(parents=True)
            link.symlink_to("../../..", target_is_directory=True)
            (tmp_path / "galaxy.yml").write_text("namespace: spymeo\nname: rollback\nversion: 0.1.0\n")
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return tmp_path

    return write
