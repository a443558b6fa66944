# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which label keeps the current version of a secret from being pruned. Pure.

A secret has 20 labels at most, AWS's own included (quota of Secrets Manager), so a label is put only where the version has none of ours
yet: there is one for each value that a release has had, not one for each release.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import LABELS, Secret, SecretVersion
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import current_of

# A rotation needs AWSPENDING, and a rollback that writes a version needs a label for it.
LEFT_FREE = 2


@dataclass(frozen=True)
class Labelling:
    """The current version of a secret is kept by ``label``, which is put on it where it is ``new``. Before that, label ``dropped`` goes
    from version ``loser``, unless None."""

    name: str
    arn: str
    version: SecretVersion
    label: str
    new: bool = True
    dropped: str | None = None
    loser: str | None = None


def plan_label(secret: Secret, label: str, ours: str) -> Labelling:
    """The Labelling of a Secret.

    :param label: the new label.
    :param ours: how labels of this kind begin.
    :raises BadInput: it has as many labels as it may have, and none is of this kind.
    """
    current = current_of(secret)
    mine = next((stage for stage in current.stages if stage.startswith(ours)), None)
    if mine:
        return Labelling(secret.name, secret.arn, current, mine, new=False)
    used = [stage for item in secret.versions for stage in item.stages]
    if len(used) < LABELS - LEFT_FREE:
        return Labelling(secret.name, secret.arn, current, label)
    older = [(item, stage) for item in reversed(secret.versions) for stage in item.stages if stage.startswith(ours)]
    if older:
        loser, dropped = older[0]
        return Labelling(secret.name, secret.arn, current, label, True, dropped, loser.id)
    if len(used) < LABELS:
        return Labelling(secret.name, secret.arn, current, label)
    raise BadInput(
        "secrets",
        secret.name,
        "it has %d labels, which is as many as AWS allows, and none of them is of a release point" % len(used),
        "Take one that nobody needs away: %s." % ", ".join(sorted(used)),
    )


def describe_labelling(step: Labelling) -> list[str]:
    """A Labelling for people, one sentence for each call."""
    lines = []
    if step.dropped:
        what = "%s: %s is taken away from version %s, the oldest, because the secret has no label left; AWS may prune that version"
        lines.append(what % (step.name, step.dropped, step.loser))
    if step.new:
        lines.append("%s: version %s is kept by the label %s" % (step.name, step.version.id, step.label))
    return lines
