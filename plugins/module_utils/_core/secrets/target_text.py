# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of which version a secret is to have, and the text that comes of it. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.json_members import (
    differing,
    exchange,
    keys,
    members,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret

_TOKENS = uuid.UUID("e3f0a2a4-5f0e-5a3c-8a40-6f6b2c0f7a55")  # any fixed namespace will do


@dataclass(frozen=True)
class SecretTarget:
    """Where a secret goes back to.

    ``only`` are the JSON keys that alone go back, ``keep`` those that stay; without both, the version comes back as a whole.
    ``backup`` is the ARN of the secret that has the version, empty for the secret itself.
    """

    version_id: str
    only: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    backup: str = ""

    @classmethod
    def from_option(cls, name: str, given: Any) -> SecretTarget:
        """From what a module's option gives for the secret ``name``: a version id, or a dict.

        :raises RollbackError: it is neither.
        """
        if isinstance(given, str):
            return cls(given)
        if not isinstance(given, dict) or not isinstance(given.get("version_id"), str):
            raise RollbackError(
                "The target of secret %s is neither a version id nor a mapping that has version_id." % name
            )
        return cls(
            given["version_id"], tuple(given.get("only", ())), tuple(given.get("keep", ())), given.get("backup", "")
        )

    def to_option(self) -> str | dict[str, Any]:
        """As ``from_option`` takes it."""
        if self.whole:
            return self.version_id
        return dict(version_id=self.version_id, only=list(self.only), keep=list(self.keep), backup=self.backup)

    @property
    def whole(self) -> bool:
        """Whether a version of the secret itself comes back untouched, so that moving a label does it and no value is read."""
        return not (self.only or self.keep or self.backup)


@dataclass(frozen=True)
class Write:
    """A text that becomes the current version of a secret, ``token`` the id of that version. The text shows in no repr."""

    name: str
    arn: str
    source: str
    token: str
    keys: tuple[str, ...]
    text: str = field(repr=False)


def wanted_text(name: str, target: SecretTarget, current: str, back: str) -> str:
    """The text that a secret is to have.

    :param current: its current text.
    :param back: the text of the target's version.
    :raises BadInput: keys are named, and one of the texts is no JSON object, or none of the two has such a key.
    """
    if not (target.only or target.keep):
        return back
    if members(current) is None or members(back) is None:
        problem = "some of its keys are to go back or to stay, and its value is not a JSON object"
        raise BadInput(
            "secrets", name, problem, "Name no keys of it in rollback_secret_keys, or bring it back by hand."
        )
    missing = [key for key in target.only if key not in {*keys(current), *keys(back)}]
    if missing:
        problem = "rollback_secret_keys names %s, which neither its current value nor the one to come has" % ", ".join(
            missing
        )
        raise BadInput("secrets", name, problem, "Its keys are: %s." % ", ".join(keys(current)))
    if target.only:
        return exchange(current, back, [key for key in target.only if key not in target.keep])
    return exchange(back, current, target.keep)


def changed_keys(current: str, wanted: str) -> tuple[str, ...]:
    """The JSON keys that differ between two texts; none where one of them is no JSON object."""
    if members(current) is None or members(wanted) is None:
        return ()
    return tuple(differing(current, wanted))


def write_of(run_id: str, secret: Secret, source: str, target: SecretTarget, current: str, wanted: str) -> Write | None:
    """The Write that gives a Secret the text ``wanted``, None when it has it already.

    The token is the same for every try of a run, as long as nobody changes the secret in between.

    :param source: the id of the current version.
    """
    if wanted == current:
        return None
    parts = (run_id, secret.arn, source, target.version_id, target.backup, *target.only, "", *target.keep)
    token = str(uuid.uuid5(_TOKENS, "\n".join(parts)))
    return Write(secret.name, secret.arn, source, token, changed_keys(current, wanted), wanted)
