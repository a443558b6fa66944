# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible.parsing.dataloader import DataLoader
from ansible_collections.spymeo.rollback.plugins.filter.lines import lines
from ansible_collections.spymeo.rollback.plugins.plugin_utils import _ansible_core

TEXT = """\
- name: health
  steps:
    - path: /api/health
      expect:
        status: 200
        json:
          status:
            deep: 1
    - method: POST
      path: >-
        /long
        er
"""


def test_every_part_has_its_line_and_what_lies_deeper_than_an_expectation_has_none(tmp_path, monkeypatch):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/scenarios.yml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    found = lines(DataLoader().load_from_file(str(tmp_path / "group_vars/scenarios.yml")))
    assert {path: place.rpartition(":")[2] for path, place in found.items()} == {
        "0": "1",
        "0.name": "1",
        "0.steps": "2",
        "0.steps.0": "3",
        "0.steps.0.path": "3",
        "0.steps.0.expect": "4",
        "0.steps.0.expect.status": "5",
        "0.steps.0.expect.json": "6",
        "0.steps.1": "9",
        "0.steps.1.method": "9",
        "0.steps.1.path": "10",
    }
    assert {place.rpartition(":")[0] for place in found.values()} == {"group_vars/scenarios.yml"}


def test_a_file_elsewhere_is_named_whole(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "scenarios.yml").write_text("[a]\n")
    monkeypatch.chdir(tmp_path / "here")
    assert lines(DataLoader().load_from_file(str(tmp_path / "scenarios.yml"))) == {"0": f"{tmp_path}/scenarios.yml:1"}


def test_what_comes_from_no_file_has_no_line():
    assert lines([{"name": "health", "steps": [{"path": "/"}]}]) == {}


def test_where_ansible_does_not_say_what_it_has_read_from_where_nothing_has_a_line(tmp_path, monkeypatch):
    (tmp_path / "scenarios.yml").write_text("[a]\n")
    read = DataLoader().load_from_file(str(tmp_path / "scenarios.yml"))
    assert lines(read)
    monkeypatch.setattr(_ansible_core, "Origin", None)
    assert lines(read) == {}
