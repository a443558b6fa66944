# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier plays of a run have done, as the outcome of a run that was never stopped tells it. Pure: by the journal, which has every call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import CURRENT, PINNED_LABEL
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import MADE, fate


def of_earlier_plays(
    journal: Iterable[Mapping[str, Any]], calls: Iterable[Mapping[str, Any]], details: Sequence[str], purpose: str
) -> list[str]:
    """The lines (list of str) that ``details`` lack.

    :param journal: the calls of the run, oldest first: dicts with service, operation, of and outcome.
    :param calls: those of this play, likewise.
    :param details: what this play has done, line by line.
    :param purpose: of the run. The secret of the database is told by another line of a rollback.
    """
    made = [call for call in journal if fate(call["outcome"]) == MADE]
    lines = [
        "SECRETS   %s: %s" % pair
        for pair in _secrets(made, purpose).items()
        if not _says(details, "SECRETS   %s:" % pair[0])
    ]
    lines += [
        "SECRETS   %s: a new version was written" % name
        for name in _parameters(made)
        if not _says(details, "SECRETS   %s:" % name)
    ]
    here = [call["of"] for call in calls if call["operation"] == "setval"]
    moved = [call["of"] for call in made if call["operation"] == "setval" and call["of"] not in here]
    lines += [
        "IDS       %s of %s went beyond those of the database that was left, in an earlier play of this run"
        % (of["sequences"], of["host"])
        for of in moved
    ]
    return lines


def _says(details: Iterable[str], beginning: str) -> bool:
    return any(line.startswith(beginning) for line in details)


def _secrets(made: Iterable[Mapping[str, Any]], purpose: str) -> dict[str, str]:
    """Name of a secret → from which version to which one AWSCURRENT was moved in all."""
    moves: dict[str, list[tuple[str, str]]] = {}
    of_database = set()
    for call in made:
        of = call["of"]
        if call["operation"] != "UpdateSecretVersionStage":
            continue
        if of.get("VersionStage") == PINNED_LABEL and purpose == ROLLBACK:
            of_database.add(of["SecretId"])
        if of.get("VersionStage") == CURRENT and "MoveToVersionId" in of:
            moves.setdefault(of["SecretId"], []).append((of.get("RemoveFromVersionId", ""), of["MoveToVersionId"]))
    return {
        name_of(arn): "%s → %s" % (steps[0][0], steps[-1][1]) for arn, steps in moves.items() if arn not in of_database
    }


def _parameters(made: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(call["of"].get("Name", "") for call in made if call["operation"] == "PutParameter"))


def name_of(secret: str) -> str:
    """The name in the ARN of a secret, which ends with six characters of Secrets Manager's own; a name is one already."""
    _head, separator, name = secret.partition(":secret:")
    return name[:-7] if separator else secret


_IDS = "IDS       "


def joined(details: Sequence[str], earlier: Sequence[str]) -> list[str]:
    """``details`` with the lines of earlier plays where those of this one would stand: before the checks. Sequences have one line: that they are ahead
    already is so because an earlier play has moved them."""
    moved = [line[len(_IDS) :] for line in earlier if line.startswith(_IDS)]
    told = [line for line in details if line.startswith(_IDS)]
    if moved and told:
        whole = "%s: %s" % (told[0], "; ".join(moved))
        details = [whole if line == told[0] else line for line in details]
        earlier = [line for line in earlier if not line.startswith(_IDS)]
    at = next((number for number, line in enumerate(details) if line.startswith("CHECK ")), len(details))
    return [*details[:at], *earlier, *details[at:]]
