# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table in lab/README.md names tests that exist: a fact about AWS is shown, or it says "not yet"."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADER = "| AWS | shown by |"
NOT_YET = "not yet"
REFERENCE = re.compile(r"`([^`]+\.py)::(\w+)`")


def facts(text):
    """{fact: what the second column says} of every table under HEADER."""
    found = {}
    for table in text.split(HEADER)[1:]:
        for line in table.splitlines()[2:]:
            if not line.startswith("|"):
                break
            fact, shown = (cell.strip() for cell in line.strip("|").rsplit("|", 1))
            found[fact] = shown
    return found


def mistakes(text, root):
    """Rows that name no test, or one that is not there."""
    found = []
    for fact, shown in facts(text).items():
        references = REFERENCE.findall(shown)
        rest = REFERENCE.sub("", shown).strip(", ")
        if rest != ("" if references else NOT_YET):
            found.append(f"{fact}: {shown!r} is neither a list of tests nor {NOT_YET!r}")
        found += [
            f"{fact}: there is no {path}::{name}" for path, name in references if name not in names_in(root / path)
        ]
    return found


def names_in(path):
    """Names of the test functions in a file; none when there is no such file."""
    if not path.is_file():
        return set()
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}


def test_every_fact_is_shown_by_a_test_that_exists_or_is_not_yet():
    text = (ROOT / "lab/README.md").read_text()
    assert mistakes(text, ROOT) == []
    assert len([fact for fact, shown in facts(text).items() if shown != NOT_YET]) > 40


@pytest.mark.parametrize(
    ("shown", "mistake"),
    [
        ("`tests/test_x.py::test_a`", None),
        ("`tests/test_x.py::test_a`, `tests/test_x.py::test_b`", None),
        ("not yet", None),
        ("", "neither"),
        ("soon", "neither"),
        ("`tests/test_x.py::test_a` mostly", "neither"),
        ("`tests/test_x.py::test_gone`", "there is no tests/test_x.py::test_gone"),
        ("`tests/test_y.py::test_a`", "there is no tests/test_y.py::test_a"),
        ("`tests/test_x.py::helper`", "there is no tests/test_x.py::helper"),
    ],
)
def test_the_rule_bites(tmp_path, shown, mistake):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_x.py").write_text("def test_a(): ...\ndef test_b(): ...\ndef helper(): ...\n")
    found = mistakes(f"{HEADER}\n| --- | --- |\n| `?a ?b` is OR | {shown} |\n\nText.\n", tmp_path)
    assert len(found) == (0 if mistake is None else 1)
    assert mistake is None or mistake in found[0]
