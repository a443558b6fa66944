# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The next step of a restore, decided from what is there. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import (
    MODIFIABLE,
    instance_ready,
    of_instance,
    parameter_group_ready,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import (
    refuse_a_stranger,
    refuse_what_cannot_be_restored,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    Difference,
    Kept,
    compare,
    felt_of,
    later_of,
    modify_request,
    needed_first,
    pending,
    restore_request,
    roles_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, Restorable

SETTLE = 120.0
"""Seconds without any change after which RDS is taken to have done all it will do: after a call, it shows `available` and the old
values for a while before it begins."""


@dataclass(frozen=True)
class Create:
    """Call ``operation`` with ``request``; ``what`` is restored, for people. ``first``: names of what comes before anybody may use it."""

    operation: str
    request: dict[str, Any]
    what: str
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Modify:
    """Call ModifyDBInstance with ``request``."""

    request: dict[str, Any]


@dataclass(frozen=True)
class Reboot:
    """Call RebootDBInstance."""


@dataclass(frozen=True)
class AddRole:
    """Call AddRoleToDBInstance."""

    role: str
    feature: str


@dataclass(frozen=True)
class Busy:
    """RDS is at work."""

    pending: Pending


@dataclass(frozen=True)
class Refuse:
    """It cannot be done, or will never be."""

    reason: str


@dataclass(frozen=True)
class Done:
    """RDS has done all it will do of what was asked for; ``differences`` of that stay. Without one, a restored instance may be used: what may
    still be missing nobody feels who uses it."""

    differences: tuple[Difference, ...]


Step = Union[Create, Modify, Reboot, AddRole, Busy, Refuse, Done]


@dataclass(frozen=True)
class RestoreSpecification:
    """The instance to be made, and the names of the parameters that this botocore knows.

    ``gives_password``: whether its master user gets another password than that of the data. ``safety``: the name of the safety snapshot of the
    instance that it replaces, or empty.
    """

    name: str
    run_id: str
    restore_accepts: frozenset[str]
    modify_accepts: frozenset[str]
    gives_password: bool = False
    safety: str = ""


@dataclass(frozen=True)
class LastAction:
    """The last that this process did (``create``, ``modify``, ``reboot``, ``role`` with its ARN, or ``join`` once it has seen the instance), and for how many
    seconds nothing has changed since."""

    verb: str | None = None
    quiet: float = 0.0


def next_step(
    source: DbInstance,
    snapshot: Restorable,
    new: DbInstance | None,
    wanted: RestoreSpecification,
    asked: LastAction = LastAction(),
) -> Step:
    """What brings the restore one step further until the new instance can be used, from what is there; a run that died anywhere goes on from
    here. ``finishing_step`` goes on with what nobody feels.

    :param source: DbInstance that the settings come from.
    :param snapshot: DbSnapshot or PointInTime that the data come from.
    :param new: DbInstance of the wanted name, or None.
    :return: Create, Modify, AddRole, Reboot, Busy, Done or Refuse.
    :raises BadInput: this restore cannot be begun, or the name is a stranger's.
    """
    if new is None:
        return _beginning(source, snapshot, wanted, asked)
    refuse_a_stranger(new, snapshot, wanted.run_id)
    ready = instance_ready(new)
    if isinstance(ready, Failed):
        return Refuse(ready.reason)
    if isinstance(ready, Pending):
        return Busy(ready)
    return (
        _equalling(source, new, wanted.modify_accepts, asked, felt_of)
        or _giving_roles(source, new, asked)
        or _rebooting(new, asked)
        or Done(felt_of(compare(source, new)))
    )


def finishing_step(
    source: DbInstance, new: DbInstance, accepts: Collection[str], asked: LastAction = LastAction()
) -> Modify | Busy | Done | Refuse:
    """What brings a restored instance, which may serve already, one step nearer to every setting of ``source`` that its cutover has not waited for.

    :param accepts: names of the parameters of ModifyDBInstance that this botocore knows.
    :return: Modify, Busy, Done or Refuse.
    """
    ready = instance_ready(new)
    if isinstance(ready, Failed):
        return Refuse(ready.reason)
    left = later_of(compare(source, new))
    if left and isinstance(ready, Pending):
        return Busy(ready)
    return _equalling(source, new, accepts, asked, later_of) or Done(left)


def _beginning(
    source: DbInstance, snapshot: Restorable, wanted: RestoreSpecification, asked: LastAction
) -> Create | Busy | Refuse:
    if asked.verb is None:
        refuse_what_cannot_be_restored(source, snapshot)
        first = needed_first(source, snapshot, wanted.restore_accepts, wanted.gives_password)
        request = restore_request(
            source, snapshot, wanted.name, wanted.run_id, wanted.restore_accepts, first, wanted.safety
        )
        return Create(snapshot.operation, request, snapshot.label, tuple(first))
    if asked.quiet < SETTLE:
        return _wait_of(wanted.name, "RDS does not show it yet")
    return Refuse("DB instance %s is gone: somebody has deleted it" % wanted.name)


def _equalling(
    source: DbInstance,
    new: DbInstance,
    accepts: Collection[str],
    asked: LastAction,
    kept: Kept,
) -> Modify | Busy | None:
    """The step that makes ``new`` more like ``source`` in the settings that are ``kept``, or None when there is none."""
    request = modify_request(source, new, accepts, kept)
    differing = kept(compare(source, new))
    names = [difference.setting for difference in differing if difference.setting != "AssociatedRoles"]
    if request and asked.verb and asked.verb not in ("create", "join"):
        return _still(asked, new, "has not applied %s yet" % ", ".join(names))
    if request and new.status not in MODIFIABLE:
        return _wait_of(new.name, "%s, then %s is to be set" % (new.status, ", ".join(names)))
    if request:
        return Modify(request)
    coming = sorted(pending(new).intersection(names))
    return _wait_of(new.name, "about to change %s" % ", ".join(coming)) if coming else None


def _giving_roles(source: DbInstance, new: DbInstance, asked: LastAction) -> AddRole | Busy | None:
    """The step that gives ``new`` a role of ``source``, or None when it has all that it can have."""
    there = roles_of(new)
    for (role, feature), status in sorted(roles_of(source).items()):
        has = there.get((role, feature))
        if has == "PENDING":
            return _wait_of(new.name, "taking the role %s" % role)
        if has or not feature or status == "INVALID":
            continue
        if asked.verb != "role %s" % role:
            return AddRole(role, feature) if new.status in MODIFIABLE else _wait_of(new.name, new.status)
        waits = _still(asked, new, "does not show the role %s yet" % role)
        if waits:
            return waits
    return None


def _rebooting(new: DbInstance, asked: LastAction) -> Reboot | Busy | Refuse | None:
    """The step that brings the parameter group into effect, or None when it is."""
    group = parameter_group_ready(new)
    if isinstance(group, Failed):
        return Refuse(group.reason)
    if not isinstance(group, Pending):
        return None
    if group.detail != "pending-reboot" or new.status not in MODIFIABLE:
        return _wait_of(new.name, "its parameter group is %s" % group.detail)
    if asked.verb != "reboot":
        return Reboot()
    return _still(asked, new, "still waits for the reboot") or Refuse(
        "the parameter group of DB instance %s still waits for a reboot after one" % new.name
    )


def _still(asked: LastAction, new: DbInstance, what: str) -> Busy | None:
    return _wait_of(new.name, what) if asked.quiet < SETTLE else None


def _wait_of(name: str, state: str) -> Busy:
    """The state before the name, which is long: a line is cut at the width of the terminal."""
    return Busy(Pending(0, 1, of_instance(name, state)))
