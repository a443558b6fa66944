# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command with which ansible-playbook was started, as it can be pasted to go on, or to play another of our playbooks. Pure.

What was typed may hold secrets (``-e admin_password=…``). Only the values of variables that this collection knows, and
knows to be no secret, are repeated; in the place of others stands a file that does not exist, so that the command is refused
until somebody puts the value there.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv
from ansible_collections.spymeo.rollback.plugins.module_utils._run.inputs import SECRET, VARIABLES

COLLECTION = "spymeo.rollback."
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,-]+\Z")


def command(cliargs, cwd, playbook=None, variables=(), limit=None):
    """A command line (str).

    :param cliargs: mapping, as ``ansible.context.CLIARGS``.
    :param cwd: absolute; paths below it are given relative to it.
    :param playbook: a playbook of this collection, like ``undo``; without one, what was typed.
    :param variables: (name, value) to be set besides; they take the place of what was typed for them.
    :param limit: a host, where nothing was typed.
    """
    typed = list(cliargs.get("args") or [])
    own = dict(variables)
    words = ["ansible-playbook", *(typed if playbook is None else [_other(typed, playbook, cwd)])]
    for source in cliargs.get("inventory") or []:
        words += ["-i", _short(source, cwd)]
    if cliargs.get("subset") or limit:
        words += ["--limit", cliargs.get("subset") or limit]
    words += _vault(cliargs, cwd)
    for text in cliargs.get("extra_vars") or []:
        words += _repeated(text, own, playbook)
    for name, value in own.items():
        words += ["-e", _assigned(name, value)]
    return " ".join(shlex.quote(word) for word in words)


def _other(typed, playbook, cwd):
    """Another playbook of ours, in the form in which the one at hand was typed."""
    last = typed[-1] if typed else ""
    if last.startswith(COLLECTION) or not last.endswith((".yml", ".yaml")):
        return COLLECTION + playbook
    beside = posixpath.join(posixpath.dirname(last), playbook + ".yml")
    # Somebody's own playbook that imports ours has none of them beside it.
    return beside if os.path.exists(os.path.join(cwd, beside)) else COLLECTION + playbook


def _short(path, cwd):
    return os.path.relpath(path, cwd) if path.startswith(cwd.rstrip("/") + "/") else path


def _vault(cliargs, cwd):
    words = ["--ask-vault-password"] if cliargs.get("ask_vault_pass") else []
    for path in cliargs.get("vault_password_files") or []:
        words += ["--vault-password-file", _short(path, cwd)]
    for name in cliargs.get("vault_ids") or []:
        words += ["--vault-id", name]
    return words


def _repeated(text, own, playbook):
    """What is repeated of one ``-e``: none of ``own``; for another playbook than the typed one, what that one uses, and no run's id."""
    text = str(text)
    if text.startswith("@"):
        return ["-e", text]
    words = []
    for name, value in _pairs(text):
        if name in own or (playbook and name in VARIABLES and not _for(playbook, name)):
            continue
        public = name in VARIABLES and name not in SECRET
        words += ["-e", _assigned(name, value) if public else "@YOUR-VALUE-OF-%s" % name]
    return words


def _for(playbook, name):
    return playbook in VARIABLES[name].playbooks and name not in ("rollback_run_id", "rollback_abandon")


def _pairs(text):
    """(name, value) of what was typed after ``-e``; what cannot be read is one unnamed value."""
    if text.lstrip().startswith(("{", "[")):
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            found = None
        return list(found.items()) if isinstance(found, dict) else [("EXTRA-VARIABLES", text)]
    try:
        found = parse_kv(text)
    except AnsibleError:
        found = {"_raw_params": text}
    return [("EXTRA-VARIABLES" if name == "_raw_params" else name, value) for name, value in found.items()]


def _assigned(name, value):
    if isinstance(value, str) and _PLAIN.match(value):
        return "%s=%s" % (name, value)
    return json.dumps({name: value}, ensure_ascii=False, default=str)
