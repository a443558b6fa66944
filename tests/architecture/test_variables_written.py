# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defaults, argument_specs, docs/variables.md and README's rows say what the one table of variables says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tools import write_variables
from tools.write_variables import argument_specs, defaults, differences, options_of, table, texts, yaml_text

ROOT = Path(__file__).parents[2]
AGAIN = "Run .venv/bin/python tests/tools/write_variables.py"


@pytest.fixture
def copy(tmp_path):
    """A root with all that is written, and with what it is written from besides the table."""
    for path in [*texts(), str(write_variables.RUN / "role_options.yml")]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_everything_is_as_the_table_says():
    assert differences() == [], AGAIN


@pytest.mark.parametrize("path", sorted(texts()))
def test_a_file_that_was_changed_by_hand_is_found(path, copy):
    text = (copy / path).read_text()
    for name in ("rollback_cluster", "rollback_contacts", "rollback_secrets", "run_kind"):
        text = text.replace(name, name + "_x")
    (copy / path).write_text(text)

    (diff,) = differences(copy)

    assert diff.startswith(f"--- {path}\n")
    assert "\n+" in diff


def test_what_stands_around_the_rows_of_readme_is_left_alone(copy):
    (copy / "README.md").write_text("Mine.\n" + (copy / "README.md").read_text())

    assert differences(copy) == []


def test_a_readme_without_a_place_for_the_rows_is_told(copy):
    (copy / "README.md").write_text("Mine.\n")

    with pytest.raises(ValueError, match=r"README\.md lacks the lines"):
        differences(copy)


def test_a_change_of_what_roles_take_is_in_defaults_and_argument_specs(copy):
    path = copy / write_variables.RUN / "role_options.yml"
    path.write_text(path.read_text().replace("default: 7200", "default: 7300", 1))

    assert {diff.split()[1] for diff in differences(copy)} == {
        "roles/checkpoint/defaults/main.yml",
        "roles/checkpoint/meta/argument_specs.yml",
        "docs/variables.md",
    }


WORDS = dict(description="Why it is so.", type="str", default="{{ x | default('') }}")


def test_yaml_says_what_was_put_in():
    long = "It is, 'said': " + "word " * 60 + "end."
    options = {
        "code_a": dict(WORDS, description=long, why="They would meet."),
        "code_b": dict(WORDS, type="list", elements="str", choices=["", "no", "1"], default=[]),
        "code_c": dict(WORDS, default={"a": "{{ %s }}" % ("y ~ " * 50 + "y"), "b": {"c": "yes", "d": 1}}),
    }
    read = yaml.safe_load(argument_specs({"main": {"description": long}, "plan": {}}, options))["argument_specs"]

    assert yaml.safe_load(defaults(options)) == {name: row["default"] for name, row in options.items()}
    assert read["plan"]["options"] == read["main"]["options"]
    assert read["main"]["description"] == long
    assert read["main"]["options"] == {
        "code_a": {"description": [long], "type": "str"},
        "code_b": {
            "description": ["Why it is so."], "type": "list", "elements": "str", "choices": ["", "no", "1"], "default": []
        },
        "code_c": {"description": ["Why it is so."], "type": "str"},
    }  # fmt: skip
    assert "# They would meet.\ncode_a:" in defaults(options)


def test_an_option_that_takes_a_variable_is_what_the_variable_is():
    variables = {"rollback_served_at_least": table().VARIABLES["rollback_served_at_least"]}
    (option,) = options_of("code", variables, {}).values()

    assert option["type"] == "int"
    assert option["default"] == "{{ rollback_served_at_least | default(300, true) }}"
    assert option["description"].endswith("The default is C(rollback_served_at_least), else V(300).")


def test_an_option_says_its_own_words():
    variables = {"rollback_cluster": table().VARIABLES["rollback_cluster"]}
    words = {"code_cluster": {"description": "Where."}, "code_choose": WORDS}

    options = options_of("code", variables, words)

    assert options["code_cluster"]["description"] == "Where. The default is C(rollback_cluster)."
    assert options["code_choose"] == WORDS


def test_an_option_whose_default_nobody_tells_is_refused():
    variables = {"rollback_cluster": table().VARIABLES["rollback_cluster"]}

    with pytest.raises(ValueError, match="does not say what the default"):
        options_of("code", variables, {"code_cluster": {"default": "{{ a if rollback_cluster else b }}"}})


def test_an_option_of_no_role_is_refused(copy):
    path = copy / write_variables.RUN / "role_options.yml"
    path.write_text(path.read_text().replace("\nundo:\n", "\nredo:\n"))

    with pytest.raises(ValueError, match="there is no such role"):
        differences(copy)


def test_two_blanks_in_a_row_are_not_lost_silently():
    with pytest.raises(ValueError, match="two blanks"):
        yaml_text({"a": "{{ %s }}" % ("x  " * 200)})
