# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command with which ansible-playbook was started, as it can be pasted to go on. Pure."""

from __future__ import annotations

import shlex

from ansible_collections.spymeo.rollback.plugins.module_utils._redact import without_secrets


def command(cliargs, cwd, playbook=None, variables=(), limit=None):
    """A command line (str).

    :param cliargs: mapping, as ``ansible.context.CLIARGS``.
    :param cwd: absolute; paths below it are given relative to it.
    :param playbook: instead of those that were typed.
    :param variables: (name, value) to be set besides.
    :param limit: a host, where nothing was typed.
    """
    words = ["ansible-playbook", *([playbook] if playbook else cliargs.get("args") or [])]
    for source in cliargs.get("inventory") or []:
        words += ["-i", source.removeprefix(cwd.rstrip("/") + "/")]
    if cliargs.get("subset") or limit:
        words += ["--limit", cliargs.get("subset") or limit]
    given = [name for name, _value in variables]
    for text in cliargs.get("extra_vars") or []:
        if str(text).partition("=")[0] not in given:
            words += ["-e", without_secrets(str(text))]
    for name, value in variables:
        words += ["-e", "%s=%s" % (name, value)]
    return " ".join(shlex.quote(word) for word in words)
