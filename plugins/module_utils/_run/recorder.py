# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every writing call of a boto3 client becomes an intent before and an outcome after, by botocore's own events.

No gateway can forget it. botocore emits ``before-call`` once for a call, not for each try, and what a handler raises there keeps
the call from being made. ``after-call`` has the answer, also one that is an error; ``after-call-error`` says that none came.
"""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._run.calls import identifiers, writes
from ansible_collections.spymeo.rollback.plugins.module_utils._run.lease import UNKNOWN

_OF, _INTENT = "spymeo_rollback_of", "spymeo_rollback_intent"  # in the context that botocore hands from event to event


def record_calls(client, lease):
    """Have the writing calls of ``client`` recorded in ``lease``."""
    service = client.meta.service_model.service_name

    def remember(params, context, **_event):
        context[_OF] = identifiers(params)

    def intend(model, context, **_event):
        if writes(model.name):
            context[_INTENT] = lease.intend(service, model.name, context.get(_OF, {}))

    def record(context, parsed, **_event):
        if _INTENT in context:
            lease.record(context[_INTENT], parsed["Error"]["Code"] if "Error" in parsed else "ok")

    def record_silence(context, **_event):
        if _INTENT in context:
            lease.record(context[_INTENT], UNKNOWN)

    for event, handler in (
        ("before-parameter-build", remember),
        ("before-call", intend),
        ("after-call", record),
        ("after-call-error", record_silence),
    ):
        client.meta.events.register("%s.%s" % (event, client.meta.service_model.service_id.hyphenize()), handler)
