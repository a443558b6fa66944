# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether ansible-playbook was started so that a playbook of ours is played whole, for somebody. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_A_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")  # neither a pattern nor a file
LISTINGS = ("listhosts", "listtasks", "listtags", "syntax")  # with these, nothing is played


def problem(cliargs: Mapping[str, Any], groups: Mapping[str, Sequence[str]], writes: bool, several: bool) -> str | None:
    """What keeps a playbook from doing all of its work (str), or None.

    Ansible itself ends with exit code 0 where no host, or no task, was selected.

    :param cliargs: mapping, as ``ansible.context.CLIARGS``.
    :param groups: the inventory: group → hosts, as Ansible's variable of that name.
    :param writes: whether the playbook changes something.
    :param several: whether the operator said that several hosts are meant.
    """
    if any(cliargs.get(name) for name in LISTINGS):
        return None
    hosts = list(groups["all"])
    answer = _no_host(hosts) or _nobody(cliargs, groups) or _a_part(cliargs) or _many(cliargs, hosts, writes, several)
    return answer and answer + " Nothing was changed."


def _no_host(hosts: Sequence[str]) -> str | None:
    if hosts:
        return None
    return (
        "The inventory has no host, so nothing would be done. A host is one application in one environment; "
        "name an inventory that has one, like: -i inventories/production"
    )


def _nobody(cliargs: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> str | None:
    """Ansible plays for those words of a limit that name somebody, and warns of the others."""
    known = {*groups, *(host for hosts in groups.values() for host in hosts)}
    words = (cliargs.get("subset") or "").replace(":", ",").split(",")
    strange = [word for word in words if _A_NAME.match(word) and word not in known]
    if not strange:
        return None
    return "--limit names %s, and the inventory has no host and no group of that name. There are: %s." % (
        strange[0], ", ".join(sorted(known - {"all", "ungrouped"})[:20]),
    )  # fmt: skip


def _a_part(cliargs: Mapping[str, Any]) -> str | None:
    tags, skipped = list(cliargs.get("tags") or ["all"]), list(cliargs.get("skip_tags") or [])
    if "all" not in tags:
        return _PART % ("--tags %s" % ",".join(tags), "--tags, ANSIBLE_RUN_TAGS, and Job Tags in AWX")
    if skipped:
        return _PART % ("--skip-tags %s" % ",".join(skipped), "--skip-tags, ANSIBLE_SKIP_TAGS, and Skip Tags in AWX")
    if cliargs.get("start_at_task"):
        return _PART % ("--start-at-task '%s'" % cliargs["start_at_task"], "--start-at-task")
    return _PART % ("--step", "--step") if cliargs.get("step") else None


_PART = (
    "%s would play a part of this playbook, and a part proves nothing. Play it whole, without %s. "
    "A run that has stopped is gone on with by -e rollback_run_id= and its id; to look first, there is --check."
)


def _many(cliargs: Mapping[str, Any], hosts: Sequence[str], writes: bool, several: bool) -> str | None:
    if not writes or several or len(hosts) == 1 or cliargs.get("subset"):
        return None
    return (
        "The inventory has %d hosts (%s), each of them an application, and this playbook would change all of them. "
        "Name the one that is meant: --limit %s. If all of them are meant: -e rollback_several_hosts=true."
        % (len(hosts), ", ".join(hosts[:5]) + (", …" if len(hosts) > 5 else ""), hosts[0])
    )
