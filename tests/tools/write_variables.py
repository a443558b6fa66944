# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what the one table of variables says elsewhere: defaults and argument_specs of roles, docs/variables.md, README's rows.

    .venv/bin/python tests/tools/write_variables.py            # write
    .venv/bin/python tests/tools/write_variables.py --check    # fail with a diff where a file is not what would be written

The table is plugins/module_utils/_core/run/variables.py; what roles take besides is in role_options.yml beside it.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
import textwrap
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RUN = Path("plugins/module_utils/_core/run")
WIDTH = 160
HOW = "Written by tests/tools/write_variables.py from variables.py and role_options.yml in plugins/module_utils/_core/run: change those, and run it."
VERSION_ADDED = "0.1.0"
README_BEGIN, README_END = (
    "   <!-- begin of what tests/tools/write_variables.py writes -->\n",
    "   <!-- end of it -->\n",
)
LICENCE = """\
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""


def table():
    """The variables of the inventory (dict name → Variable), as the collection at hand has them."""
    if str(ROOT / "collections") not in sys.path:
        sys.path.insert(0, str(ROOT / "collections"))
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run import variables

    return variables


def role_options(root=ROOT):
    """What role_options.yml says (dict role → entry_points, options)."""
    return yaml.safe_load((root / RUN / "role_options.yml").read_text())


# YAML


def _plain(text, within="- %s"):
    """A scalar on one line, quoted where YAML would read something else."""
    for written in (text, json.dumps(text, ensure_ascii=False)):
        try:
            if written == written.strip() and yaml.safe_load(within % written)[0] == text:
                return written
        except yaml.YAMLError:
            continue
    raise ValueError(text)


def _scalar(value, indent, lead):
    """The text of a value after its key or dash, which takes ``lead`` characters of the first line."""
    if not isinstance(value, str):
        return json.dumps(value) if not isinstance(value, (list, dict)) else _flow(value)
    if "{{" in value:
        quoted = '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
        if lead + len(quoted) <= WIDTH:
            return quoted
        return ">-\n" + textwrap.indent(_wrapped(value, WIDTH - indent), " " * indent)
    written = _plain(value)
    if lead + len(written) <= WIDTH:
        return written
    return _wrapped(written, WIDTH - indent, WIDTH - lead).replace("\n", "\n" + " " * indent)


def _wrapped(text, width, first=None):
    """``text`` in lines of at most ``width`` characters, the first of at most ``first``; YAML folds it back to what it was."""
    if first is None:
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    else:
        lines = textwrap.wrap("x" * (width - first) + text, width, break_long_words=False, break_on_hyphens=False)
        lines[0] = lines[0][width - first :]
    if " ".join(lines) != text:
        raise ValueError("two blanks in a row would be lost: %s" % text)
    return "\n".join(lines)


def _flow(value):
    if isinstance(value, list):
        return "[%s]" % ", ".join(_flow(item) for item in value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (key, _flow(item)) for key, item in value.items())
    return _plain(value, "[%s, 1]") if isinstance(value, str) else json.dumps(value)


def yaml_text(value, indent=0):
    """A mapping as YAML, in its order; descriptions, and mappings outside literals, as blocks."""
    lines = []
    for key, item in value.items():
        lead = " " * indent + key + ":"
        if isinstance(item, dict) and item and (indent < 6 or "description" in item):
            lines += [lead, yaml_text(item, indent + 2).rstrip("\n")]
        elif key == "description" and isinstance(item, list):
            lines.append(lead)
            lines += [" " * (indent + 2) + "- " + _scalar(part, indent + 4, indent + 4) for part in item]
        else:
            lines.append(lead + " " + _scalar(item, indent + 2, len(lead) + 1))
    return "\n".join(lines) + "\n"


# Options of roles


def _default_of(name, variable):
    """The expression that takes a variable where it is set."""
    if variable.default is None:
        return "{{ %s }}" % name
    return "{{ %s | default(%s, true) }}" % (name, _jinja(variable.default))


def _jinja(value):
    return "'%s'" % value if isinstance(value, str) else json.dumps(value)


def _telling(description, name, default):
    """What an option is, with its default."""
    if "The default is" in description or "The default are" in description:
        return description
    found = re.fullmatch(r"\{\{ %s(?: \| default\((.*), true\))? \}\}" % re.escape(name), default)
    if not found:
        raise ValueError("role_options.yml does not say what the default %s is: %s" % (default, description))
    return description + " The default is C(%s)%s." % (name, ", else %s" % _named(found[1]) if found[1] else "")


def _named(literal):
    """A literal of Jinja, in words."""
    value = yaml.safe_load(literal)
    if value == "":
        return "empty"
    if value in ([], {}):
        return "none"
    return "V(%s)" % (str(value).lower() if isinstance(value, bool) else value)


def options_of(role, variables, described):
    """The options of a role (dict name → description, why, type, elements, choices, default, inventory)."""
    found = {}
    for name, variable in variables.items():
        mine = [option for option in variable.options if option.partition("_")[0] == role]
        for option in [name] if name.startswith(role + "_") else mine:
            found[option] = _taking(option, name, variable, described.get(option, {}))
    for option, words in described.items():
        found.setdefault(option, words)
    return found


def _taking(option, name, variable, words):
    """The option of a role that takes a variable."""
    row = dict(
        description=variable.what, type=variable.type, elements=variable.elements, choices=list(variable.choices)
    )
    row["default"] = variable.default if option == name else _default_of(name, variable)
    row.update(words)
    if option != name:
        row["description"] = _telling(row["description"], name, row["default"])
    return row


def is_expression(default):
    """Whether Ansible has to evaluate a default."""
    return "{{" in str(default)


def argument_specs(entry_points, options):
    """The text of meta/argument_specs.yml."""
    specified = {}
    for name, row in options.items():
        specified[name] = {"description": [row["description"]], "type": row["type"]}
        specified[name].update({key: row[key] for key in ("elements", "choices") if row.get(key)})
        if not is_expression(row["default"]):
            specified[name]["default"] = row["default"]
    text = ["---\n# %s\nargument_specs:\n" % HOW]
    for number, (entry_point, words) in enumerate(entry_points.items()):
        text.append(yaml_text({entry_point: {"version_added": VERSION_ADDED, **words}}, 2))
        text.append("    options: *options\n" if number else "    options: &options\n" + yaml_text(specified, 6))
    if len(entry_points) == 1:
        text[-1] = text[-1].replace(" &options", "")
    return "".join(text)


def defaults(options):
    """The text of defaults/main.yml."""
    text = ["---\n# %s\n" % HOW]
    for name, row in options.items():
        text += ["# %s\n" % row["why"]] if row.get("why") else []
        text.append(yaml_text({name: row["default"]}))
    return "".join(text)


def names(variables, roles, described):
    """The text of role_options.py: which options of roles playbooks set themselves, without YAML for who starts."""
    options = {option for rows in roles.values() for option, row in rows.items() if not row.get("inventory")}
    derived = {option for option in options if option.startswith("verify_")} - set(variables)
    published = {name for said in described.values() for name in said.get("publishes", {})}
    why = "Options of roles that playbooks set themselves; set in an inventory, they would win over what it says under our names."
    return "%s\n# %s\n\n%s\n\nfrom __future__ import annotations\n\n%s\n%s\n%s" % (
        LICENCE,
        HOW,
        '"""%s"""' % why,
        _frozenset("DERIVED", "The role verify makes them of others.", sorted(derived)),
        _frozenset("OF_ROLES", "Of all other roles.", sorted(options - derived - set(variables))),
        _frozenset(
            "PUBLISHED", "What roles publish is there when a second play of ours looks at the names.", sorted(published)
        ),
    )


def _frozenset(name, why, items):
    return "# %s\n%s = frozenset(\n    [\n%s    ]\n)\n" % (
        why,
        name,
        "".join('        "%s",\n' % item for item in items),
    )


# For people


def markdown(text):
    """Ansible's markup as Markdown's."""
    text = re.sub(r"\b[VCOMP]\(([^()]*)\)", lambda found: "`%s`" % found[1].partition("#")[0], text)
    return text.replace("|", "\\|")


def _type(variable):
    if variable.choices:
        return ", ".join("`%s`" % choice for choice in variable.choices)
    return {"raw": "see there"}.get(variable.type, variable.type) + (
        " of %s" % variable.elements if variable.elements else ""
    )


def _default(variable):
    if variable.default is None:
        return "must be set"
    return "" if variable.default == "" else "`%s`" % _flow(variable.default)


def _playbooks(variable, everyone, rollbacks):
    told = [
        (word, _short(these, everyone, rollbacks))
        for word, these in (("needed", variable.required), ("used", variable.optional))
    ]
    return "; ".join("%s: %s" % (word, these) for word, these in told if these)


def _short(these, everyone, rollbacks):
    if set(these) >= set(everyone):
        return "all"
    several = set(these) >= set(rollbacks)
    rest = [name for name in these if not (several and name in rollbacks)]
    return ", ".join((["`rollback_*`"] if several else []) + ["`%s`" % name for name in rest])


def _what(variable):
    """What it is, with an example where there is one that it does not hold already."""
    example = re.search(r"\blike (.+?)(?=$|; |, or |, sha256)", variable.form)
    if not example or example[1] in variable.what or variable.type in ("int", "float"):
        return markdown(variable.what)
    return "%s Like `%s`." % (markdown(variable.what), example[1])


def reference(module, roles, described):
    """The text of docs/variables.md."""
    rows = module.VARIABLES
    parts = [
        ("What an inventory has to say", lambda name, row: row.required),
        ("What it may say", lambda name, row: not (row.required or row.asked or checks(name))),
        ("What is said for one run: with `-e`, or in a survey of AWX", lambda name, row: row.asked),
        ("The checks with which a rollback ends", lambda name, row: checks(name) and not row.asked),
    ]

    def checks(name):
        return name.startswith(("verify_", "rollback_e2e_"))

    text = [_REFERENCE % HOW]
    for title, has in parts:
        text.append(
            "\n## %s\n\n| variable | type | default | what it is | playbooks |\n| --- | --- | --- | --- | --- |\n"
            % title
        )
        for name, row in rows.items():
            if has(name, row):
                playbooks = _playbooks(row, module.ALL, module.ROLLBACKS)
                text.append("| `%s` | %s | %s | %s | %s |\n" % (name, _type(row), _default(row), _what(row), playbooks))
    text.append(
        "\n## Options of roles that an inventory may set\n\n| option | type | default | what it is |\n| --- | --- | --- | --- |\n"
    )
    for options in roles.values():
        for name, row in options.items():
            if row.get("inventory"):
                text.append(
                    "| `%s` | %s | `%s` | %s |\n" % (name, row["type"], row["default"], markdown(row["description"]))
                )
    text.append("\n## What roles publish, for other roles and playbooks\n\n| name | what it is |\n| --- | --- |\n")
    for said in described.values():
        for name, words in said.get("publishes", {}).items():
            text.append("| `%s` | %s |\n" % (name, markdown(words)))
    return "".join(text)


_REFERENCE = """\
<!-- %s -->
# Variables

What an inventory, `-e` or a survey of AWX may say. A mistake in it, also in a name, is reported before anything is touched. A value that is empty, or null,
counts as not set. A time has a zone, and is in quotes: `'2026-11-22T03:00:00Z'`. The column "playbooks" tells which of them stop without it, and which use it.

Roles have options of their own, which playbooks set from these (`ansible-doc -t role spymeo.rollback.code`). An inventory that sets one of them is refused,
except for those at the end of this page: it would win over what the inventory says under the names here.
"""


def readme_rows(variables):
    """README's table."""
    rows = ["| variable | what it says |", "| --- | --- |"]
    for name, row in variables.items():
        if row.readme:
            rows.append("| `%s` | %s%s |" % (name, markdown(row.what), _readme_default(row)))
    return "".join("   %s\n" % line for line in rows)


def _readme_default(variable):
    plain = variable.default not in (None, "", [], {}, False)
    return " Empty: `%s`." % _flow(variable.default) if plain else ""


def texts(root=ROOT):
    """What is to be written (dict path in the collection → text)."""
    module, described = table(), role_options(root)
    roles = {role: options_of(role, module.VARIABLES, said["options"]) for role, said in described.items()}
    _every_option_has_a_role(module.VARIABLES, roles)
    written = {
        str(RUN / "role_options.py"): names(module.VARIABLES, roles, described),
        "docs/variables.md": reference(module, roles, described),
    }
    for role, options in roles.items():
        written["roles/%s/defaults/main.yml" % role] = defaults(options)
        written["roles/%s/meta/argument_specs.yml" % role] = argument_specs(described[role]["entry_points"], options)
    readme = (root / "README.md").read_text()
    before, _begin, rest = readme.partition(README_BEGIN)
    _rows, end, after = rest.partition(README_END)
    if not end:
        raise ValueError(
            "README.md lacks the lines between which the variables stand: %s%s" % (README_BEGIN, README_END)
        )
    written["README.md"] = before + README_BEGIN + readme_rows(module.VARIABLES) + README_END + after
    return written


def _every_option_has_a_role(variables, roles):
    for name, variable in variables.items():
        for option in variable.options:
            if option not in roles.get(option.partition("_")[0], {}):
                raise ValueError("%s names the option %s, and there is no such role" % (name, option))


def differences(root=ROOT):
    """The files that are not what would be written, each as a diff (list of str)."""
    found = []
    for path, text in texts(root).items():
        there = (root / path).read_text() if (root / path).exists() else ""
        diff = difflib.unified_diff(
            there.splitlines(True), text.splitlines(True), path, path + ", as it would be written"
        )
        found += ["".join(diff)] if there != text else []
    return found


def main(arguments):
    """0, or 1 where --check has found a difference."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    found = differences()
    if arguments:
        print(
            "\n".join(found) + "\nRun .venv/bin/python tests/tools/write_variables.py"
            if found
            else "All files are as they would be written."
        )
        return 1 if found else 0
    for path, text in texts().items():
        if not (ROOT / path).exists() or (ROOT / path).read_text() != text:
            (ROOT / path).write_text(text)
            print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
