# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an error says that AWS is away for a while, or is an answer that will not change. Pure, and without botocore.

botocore's errors are told by the names of their classes, and by what AWS's answer holds (``error.response``), so that a wait need not
import botocore, which takes 0.3 s to start. The names are those of botocore.exceptions and of botocore.parsers; the codes those
that botocore itself tries again (botocore.retries.standard), without LimitExceededException, which ECS and Secrets Manager
mean as a quota.
"""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets

# The call was not sent: nothing can have come of it.
NEVER_SENT = ("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError")
# No answer came, or one that is not AWS's, such as the page of a gateway.
NO_ANSWER = (
    *NEVER_SENT,
    "ReadTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "HTTPClientError",
    "IncompleteReadError",
    "ResponseStreamingError",
    "ResponseParserError",
)
LATER = (
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
LONGEST = 300  # characters of what an error says


def absence(error: BaseException | None) -> str | None:
    """What an error says if it only says that AWS does not answer now (str); None if it is certain.

    An error of ours is what the one is that it was made of (``raise … from``).
    """
    while error is not None:
        if _is_away(error):
            return said(error)
        error = error.__cause__
    return None


def never_sent(error: BaseException) -> bool:
    """Whether an error says that a call has not left this machine."""
    return bool(_names(error) & set(NEVER_SENT))


def said(error: BaseException | str) -> str:
    """What an error says, in one line, without what looks like a secret, and not for pages."""
    text = without_secrets(" ".join(str(error).split()))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_away(error: BaseException) -> bool:
    if _names(error) & set(NO_ANSWER):
        return True
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return False
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return answer.get("Error", {}).get("Code") in LATER or status >= 500


def _names(error: BaseException) -> set[str]:
    """Of botocore's classes that an error is of: Python has a ConnectionError, too, which is no word of AWS."""
    return {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("botocore.")}
