# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every writing call of a boto3 client becomes an intent before and an outcome after, by botocore's own events.

No gateway can forget it. botocore emits ``before-call`` once for a call, not for each try, and what a handler raises there keeps
the call from being made. ``needs-retry`` comes after each try. ``after-call`` has the answer, also one that is an error;
``after-call-error`` says that none came.

A call that could not be sent, since there was no way to AWS, is tried again for PATIENCE seconds: nothing can have come of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence, never_sent, said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import NOT_SENT, UNKNOWN
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.writing_calls import identifiers, writes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import minutes
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import OK
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import Progress
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import PATIENCE, Clock, pause

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Intent
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Lease

# In the context that botocore hands from event to event.
_OF, _INTENT, _SENT, _SINCE = ("spymeo_rollback_%s" % name for name in ("of", "intent", "sent", "since"))
WHAT = "call"  # of the line that tells of one that cannot be sent


def record_calls(client: Any, lease: Lease, clock: Clock | None = None) -> None:
    """Have the writing calls of ``client`` recorded in ``lease``."""
    recorder = _Recorder(client.meta.service_model.service_name, lease, clock or Clock())
    for event, handler in (
        ("before-parameter-build", recorder.remember),
        ("before-call", recorder.intend),
        ("after-call", recorder.record),
        ("after-call-error", recorder.record_silence),
    ):
        client.meta.events.register("%s.%s" % (event, client.meta.service_model.service_id.hyphenize()), handler)
    # First, since of several handlers the first that has an answer is heard, and botocore's own has no patience.
    client.meta.events.register_first(
        "needs-retry.%s" % client.meta.service_model.service_id.hyphenize(), recorder.try_again
    )


class _Recorder:
    """The handlers of one client."""

    def __init__(self, service: str, lease: Lease, clock: Clock) -> None:
        self._service, self._lease, self._clock = service, lease, clock
        self._progress = Progress()

    def remember(self, params: Mapping[str, Any], context: dict[str, Any], **_event: Any) -> None:
        context[_OF] = identifiers(params)

    def intend(self, model: Any, context: dict[str, Any], **_event: Any) -> None:
        if writes(model.name):
            context[_INTENT] = self._lease.intend(self._service, model.name, context.get(_OF, {}))

    def try_again(
        self, request_dict: Mapping[str, Any], caught_exception: BaseException | None = None, **_event: Any
    ) -> int | None:
        """0: try again now. None leaves it to botocore's own handlers."""
        context = request_dict["context"]
        if _INTENT not in context:
            return None
        if caught_exception is None or not never_sent(caught_exception):
            context[_SENT] = True
            return None
        if context.get(_SENT):
            return None
        since = context.setdefault(_SINCE, self._clock.now())
        self._pause(context[_INTENT], caught_exception, since)
        return 0

    def _pause(self, intent: Intent, error: BaseException, since: float) -> None:
        """Return when the call may be sent again; raises ``error`` when patience is over, and Lost when the lock is somebody else's."""
        while True:
            elapsed = self._clock.now() - since
            if elapsed >= PATIENCE:
                raise error
            told = "could not be sent (%s); it is tried again until %s" % (said(error), minutes(PATIENCE))
            self._progress.tell(WHAT, 0, 1, told, elapsed, key=intent.operation)
            self._clock.sleep(pause(elapsed, PATIENCE - elapsed))
            try:
                self._lease.prove()
                return
            except StoreError as unproven:
                if not absence(unproven):
                    raise

    def record(self, context: Mapping[str, Any], parsed: Mapping[str, Any], **_event: Any) -> None:
        self._close(context, parsed["Error"]["Code"] if "Error" in parsed else OK)

    def record_silence(self, context: dict[str, Any], exception: BaseException | None = None, **_event: Any) -> None:
        unsent = exception is not None and not context.get(_SENT) and _never_sent(exception)
        self._close(context, NOT_SENT if unsent else UNKNOWN)

    def _close(self, context: Mapping[str, Any], outcome: str) -> None:
        if _SINCE in context:
            self._progress.over(WHAT, context[_INTENT].operation)
        if _INTENT in context:
            self._lease.record(context[_INTENT], outcome)


def _never_sent(error: BaseException) -> bool:
    """An error of ours was raised between two tries."""
    return isinstance(error, RollbackError) or never_sent(error)
