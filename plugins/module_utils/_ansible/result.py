# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of this collection shares: errors told to a person, the shape of results and diffs. No AWS here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import (
    LONGEST_VALUE,
    foreign,
    message,
    printable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.unforeseen import DETAILED, details, unforeseen

if TYPE_CHECKING:

    class _Module:
        """What a Telling has of Ansible's class, which has no types."""

        params: dict[str, Any]
        check_mode: bool
        _diff: bool
        _name: str
        _verbosity: int

        def __init__(self, *, argument_spec: dict[str, Any], supports_check_mode: bool, **kwargs: Any) -> None: ...

        def exit_json(self, **result: Any) -> NoReturn: ...

        def fail_json(self, msg: str, **result: Any) -> NoReturn: ...
else:
    _Module = object


class Telling(_Module):
    """How a module ends: with ``finish`` or with a message. To be mixed into a class of modules."""

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Turn whatever stops the work inside into one message for a person, once, here."""
        try:
            yield
        except RollbackError as error:
            self.fail_json(msg=_with_evidence(error), **dict(error.result, evidence=error.evidence))
        except Exception as error:  # noqa: BLE001 - a parser's or a library's; a person gets a sentence, not its traceback
            told = details(error, self._verbosity)
            # Ansible adds what the current exception says, secrets and all, unless it is given a text.
            trace = "\n".join(details(error, DETAILED)["traceback"])
            self.fail_json(msg=unforeseen(error, self._name), exception=trace, evidence=[], **told)

    def exit_json(self, **result: Any) -> NoReturn:
        """End well. What others wrote in the result has gone through the gate, if not before, then here."""
        super().exit_json(**printable(result))

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with a message of which no foreign part begins a line: also one that a library has written."""
        super().fail_json(msg=message(msg), **printable(result))

    def finish(
        self, changed: bool, before: Any, after: Any, reason: str, plan: Sequence[str] | None = None, **own: Any
    ) -> NoReturn:
        """End with the result that all our modules have.

        :param before: what was there (JSON types).
        :param after: what is there now, or would be in check mode.
        :param reason: one sentence: why this was done, or why nothing was.
        :param plan: list of str, the steps that were (or would be) taken.
        """
        result = dict(changed=changed, before=before, after=after, plan=plan or [], reason=reason, **own)
        if self._diff:
            result["diff"] = dict(before=as_text(before), after=as_text(after))
        self.exit_json(**result)


def as_text(value: Any) -> str:
    """A value as YAML for a diff that a person reads."""
    from ansible.module_utils.common.yaml import (
        yaml_dump,
    )  # takes longer to start than most modules need for all they do

    return yaml_dump(value, default_flow_style=False, sort_keys=True) if value else ""


class PlainModule(Telling, AnsibleModule):  # type: ignore[misc]  # Ansible has no types
    """A module that does not talk to AWS. It starts 0.2 s sooner than one that imports boto3 (measured)."""

    def __init__(self, argument_spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(argument_spec=argument_spec, supports_check_mode=True, **kwargs)


def _with_evidence(error: RollbackError) -> str:
    return "\n".join([foreign(error.message, LONGEST_VALUE)] + ["  - %s" % foreign(line) for line in error.evidence])
