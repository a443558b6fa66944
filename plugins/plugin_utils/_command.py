# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command with which ansible-playbook was started, as it can be pasted to go on, or to play another of our playbooks. Pure.

What was typed may hold secrets (``-e admin_password=…``). Only the values of variables that this collection knows, and
knows to be no secret, are repeated. For the others stands a variable of the shell, which refuses the command until it is set.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import SECRET, VARIABLES, meant

COLLECTION = "spymeo.rollback."
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,-]+\Z")
_A_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")  # for Ansible as for a shell
_OF_A_RUN = (
    "rollback_run_id",
    "rollback_abandon",
    "rollback_undo_run",
)  # what another playbook is about is another run
_FLAGS = {
    "check": "--check", "diff": "--diff", "flush_cache": "--flush-cache", "become": "--become",
    "become_ask_pass": "--ask-become-pass", "ask_vault_pass": "--ask-vault-password",
}  # fmt: skip


def command(
    cliargs: Mapping[str, Any],
    cwd: str,
    playbook: str | None = None,
    variables: Iterable[tuple[str, Any]] = (),
    limit: str | None = None,
    without: Iterable[str] = (),
) -> str:
    """A command line (str).

    :param cliargs: mapping, as ``ansible.context.CLIARGS``.
    :param cwd: absolute; paths below it are given relative to it.
    :param playbook: a playbook of this collection, like ``undo``; without one, what was typed.
    :param variables: (name, value) to be set besides; they take the place of what was typed for them.
    :param limit: a host, where nothing was typed.
    :param without: names of variables that are left out.
    """
    typed = list(cliargs.get("args") or [])
    own = dict(variables)
    words = ["ansible-playbook", *(typed if playbook is None else [_other(typed, playbook, cwd)])]
    for source in cliargs.get("inventory") or []:
        words += ["-i", _short(source, cwd)]
    if cliargs.get("subset") or limit:
        words += ["--limit", cliargs.get("subset") or limit]
    words += _switches(cliargs, playbook) + _vault(cliargs, cwd)
    quoted = [shlex.quote(word) for word in words]
    for text in cliargs.get("extra_vars") or []:
        quoted += _repeated(text, {*own, *without}, playbook)
    for name, value in own.items():
        quoted += ["-e", shlex.quote(_assigned(name, value))]
    return " ".join(quoted)


def _switches(cliargs: Mapping[str, Any], playbook: str | None) -> list[str]:
    """Who only looks is led to no command that does it; but a hold is set or released by words of its own."""
    flags = [
        flag for name, flag in _FLAGS.items() if cliargs.get(name) and not (playbook == "hold" and name == "check")
    ]
    loud = ["-" + "v" * cliargs["verbosity"]] if cliargs.get("verbosity") else []
    forks = cliargs.get("forks") or constants.DEFAULT_FORKS
    return flags + loud + (["--forks", str(forks)] if forks != constants.DEFAULT_FORKS else [])


def _other(typed: Sequence[str], playbook: str, cwd: str) -> str:
    """Another playbook of ours, in the form in which the one at hand was typed."""
    last = typed[-1] if typed else ""
    if last.startswith(COLLECTION) or not last.endswith((".yml", ".yaml")):
        return COLLECTION + playbook
    beside = posixpath.join(posixpath.dirname(last), playbook + ".yml")
    # Somebody's own playbook that imports ours has none of them beside it.
    return beside if os.path.exists(os.path.join(cwd, beside)) else COLLECTION + playbook


def _short(path: str, cwd: str) -> str:
    return os.path.relpath(path, cwd) if path.startswith(cwd.rstrip("/") + "/") else path


def _vault(cliargs: Mapping[str, Any], cwd: str) -> list[str]:
    words = []
    for path in cliargs.get("vault_password_files") or []:
        words += ["--vault-password-file", _short(path, cwd)]
    for name in cliargs.get("vault_ids") or []:
        words += ["--vault-id", name]
    return words


def _repeated(text: str, own: Container[str], playbook: str | None) -> list[str]:
    """The quoted words for one ``-e``: nothing of the names in ``own``; for another playbook than the typed one, what that one uses, and no run's id."""
    text = str(text)
    if text.startswith("@"):
        return ["-e", shlex.quote(text)]
    words = []
    for typed, value in _pairs(text):
        name = typed if typed in VARIABLES else meant(typed) or typed
        if name in own or (playbook and name in VARIABLES and not _for(playbook, name)):
            continue
        if name in VARIABLES and name not in SECRET:
            words += ["-e", shlex.quote(_assigned(name, value))]
        elif _A_NAME.match(name):
            words += ["-e", _to_be_set(name, value)]
    return words


def _to_be_set(name: str, value: Any) -> str:
    """A value that is not shown, in double quotes: the shell takes it from a variable of the same name, and says which one if that is not set."""
    form = "%s='${%s:?}'" if isinstance(value, str) and name not in SECRET else "{%s: ${%s:?}}"
    return '"%s"' % (form % (name, name))


def _for(playbook: str, name: str) -> bool:
    return playbook in VARIABLES[name].playbooks and name not in _OF_A_RUN


def _pairs(text: str) -> list[tuple[str, Any]]:
    """(name, value) of what was typed after ``-e``; of what Ansible itself cannot read, none."""
    if text.lstrip().startswith(("{", "[")):
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            return []
        return [(str(name), value) for name, value in found.items()] if isinstance(found, dict) else []
    try:
        found = parse_kv(text)
    except AnsibleError:
        return []
    return [(name, value) for name, value in found.items() if name != "_raw_params"]


def _assigned(name: str, value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value):
        return "%s=%s" % (name, value)
    return json.dumps({name: value}, ensure_ascii=False, default=str)
