# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``rollback_aws`` may say, told by its own names, and never with its values. Pure."""

from __future__ import annotations

import difflib
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import CONNECTION

KNOWN = {alias: spec for name, spec in CONNECTION.items() for alias in [name, *spec.get("aliases", [])]}
FORMS = {"bool": "true or false", "dict": "a mapping"}  # else: text


def usable(given: Any) -> dict[str, Any]:
    """The part of ``rollback_aws`` that a module takes (dict); what is wrong with the rest is told by ``problems``."""
    return (
        {name: value for name, value in given.items() if _wrong(name, value) is None} if isinstance(given, dict) else {}
    )


def connection_problems(given: Any) -> list[str]:
    """Every mistake in ``rollback_aws``, one sentence each; None and an empty text are none."""
    if given is None or given == "":
        return []
    if not isinstance(given, dict):
        return ["rollback_aws is %s, not a mapping. It must be like {profile: production}." % _called(given)]
    return [text for text in (_wrong(name, value) for name, value in given.items()) if text]


def _wrong(name: str, value: Any) -> str | None:
    if name not in KNOWN:
        near = difflib.get_close_matches(str(name), KNOWN, 1, 0.6)
        cure = "did you mean %s?" % near[0] if near else "there are %s." % ", ".join(sorted(CONNECTION))
        return "rollback_aws has %s, which is no connection option of amazon.aws; %s" % (name, cure)
    kind = KNOWN[name]["type"]
    if value is None or _fits(kind, value):
        return None
    return "rollback_aws: %s is %s. It must be %s." % (name, _called(value), FORMS.get(kind, "text"))


def _called(value: Any) -> str:
    """What a value is, for people; Ansible's own types are called by the plain ones."""
    return next(
        (kind.__name__ for kind in (str, bool, int, float, list, dict) if isinstance(value, kind)), "something else"
    )


def _fits(kind: str, value: Any) -> bool:
    if kind == "bool":
        try:
            boolean(value)
        except TypeError:
            return False
        return True
    return isinstance(value, dict if kind == "dict" else str)
