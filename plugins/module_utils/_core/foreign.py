# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one gate for text that others wrote: logs, answers, events, reasons, names, messages of AWS and PostgreSQL. Pure.

A terminal obeys what it is shown, and a person pastes a line that begins with ``NEXT``. So nothing foreign may move a cursor, hide or reorder
text, or begin a line. ``foreign`` is for where such a text enters our own values, ``printable`` for where a module ends. Template delimiters
stay as they are: ansible-core renders nothing that a module returns (since 2.19 only what it read from playbooks and inventories is a template).
"""

from __future__ import annotations

import re
from typing import Any

LONGEST = 2000  # characters of a text that is reported
LONGEST_VALUE = 65536  # characters of any value that a module returns
_CUT = "…"
_TEMPLATE = re.compile(r"\{(?=[{%#])")

# ECMA-48: control sequences, and strings with their terminator (titles, hyperlinks), whole; a colour leaves nothing, a hyperlink its text.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x90\x98\x9c-\x9f\r\n]{0,2000}(?:\x07|\x1b\\\\|\x9c))?"
    "|\x1b[ -/]*[0-~]?"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Other controls, and what has no width: it hides letters, or shows them in another order.
_NOTHING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def foreign(text: str, limit: int = LONGEST) -> str:
    """A foreign text as one line without control characters, of up to ``limit`` characters."""
    if text.isprintable() and len(text) <= limit:
        return text
    return _cut(" ".join(line for line in _lines(text, limit) if line).strip(), text, limit)


def foreign_lines(text: str, limit: int = LONGEST_VALUE) -> str:
    """The same where lines are meant, as in a log: they stay, ended by a line feed each, with their indentation."""
    if text.isprintable() and len(text) <= limit:
        return text
    return _cut("\n".join(_lines(text, limit)), text, limit)


def printable(value: Any) -> Any:
    """JSON types as a module may return them: every text in them is one line, but for an ``example``, which is indented, and a ``diff``.

    It is the second net: what had to go through ``foreign`` and did not is caught here.
    """
    if isinstance(value, str):
        return foreign(value, LONGEST_VALUE)
    if isinstance(value, dict):
        return _members(value)
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    return value


def no_template(value: Any) -> Any:
    """JSON types for whoever hands them on as variables, which are templates: an opening brace of one stands alone in every text."""
    if isinstance(value, str):
        return _TEMPLATE.sub("{ ", value)
    if isinstance(value, dict):
        return {no_template(key): no_template(item) for key, item in value.items()}
    return [no_template(item) for item in value] if isinstance(value, (list, tuple)) else value


def message(text: str) -> str:
    """A message of several lines: none but the first begins at the margin, whoever wrote it."""
    first, *more = foreign_lines(text).split("\n")
    return "\n".join([first, *(line if line.startswith("  ") else "  " + line for line in more)])


def _members(value: dict[Any, Any]) -> dict[Any, Any]:
    """Two foreign names that become one stay two."""
    told = {}
    for key, item in value.items():
        name = printable(key)
        while name in told:
            name += "'"
        told[name] = _WITH_LINES.get(key, printable)(item)
    return told


def _example(item: Any) -> Any:
    return message(item) if isinstance(item, str) else printable(item)


def _diff(item: Any) -> Any:
    """Ansible itself puts something before each line of a diff."""
    return {key: foreign_lines(text) for key, text in item.items()} if _is_diff(item) else printable(item)


def _is_diff(item: Any) -> bool:
    return isinstance(item, dict) and all(isinstance(text, str) for text in item.values())


_WITH_LINES = {"example": _example, "diff": _diff}


def _lines(text: str, limit: int) -> list[str]:
    text = _SEQUENCE.sub("", text[: 8 * limit]).replace("\t", " ")
    return [_line(line) for line in _LINE_BREAK.split(text)]


def _line(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\ufffd"
        for character in _NOTHING.sub("", line)
    )


def _cut(clean: str, text: str, limit: int) -> str:
    """``clean``, what became of ``text``, with a mark where something is left out."""
    if len(clean) > limit or len(text) > 8 * limit:
        return clean[: limit - 1] + _CUT
    return clean
