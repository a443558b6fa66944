# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 is moto's; here is what S3 answers otherwise, above all when it refuses: a rollback must tell "no such key" from "you may not look"."""

from __future__ import annotations

import collections
import threading
import uuid
from collections.abc import Callable

from werkzeug.wrappers import Request, Response

CONDITIONS = {"If-Match", "If-None-Match"}


def refusal(method: str, code: str, message: str, status: int) -> Response:
    """An error as S3 gives it. A HEAD has no body, so its client learns the HTTP status alone."""
    number = uuid.uuid4().hex[:16].upper()
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{number}</RequestId></Error>'
    response = Response("" if method == "HEAD" else body, status, content_type="application/xml")
    response.headers["x-amz-request-id"] = number
    return response


def denied(method: str) -> Response:
    """For who may not, and for who does not sign the request."""
    return refusal(method, "AccessDenied", "Access Denied", 403)


def unknown_key(method: str) -> Response:
    """For an access key that there is not."""
    return refusal(
        method, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
    )


class S3:
    """Asks moto, unless somebody wants S3 to refuse."""

    def __init__(self) -> None:
        self._left: collections.Counter[str] = collections.Counter()
        self._order = threading.Lock()

    def controls(self) -> dict[str, Callable[..., None]]:
        """What can be asked for."""
        return {"s3_conflicts": self._set_conflicts, "s3_denied": self._set_denied}

    def _set_conflicts(self, times: int) -> None:
        """The next `times` conditional writes fail as if another one were under way: moto does one after the other."""
        self._left["conflicts"] = times

    def _set_denied(self, times: int) -> None:
        """The next `times` calls are refused, whatever they are; 0 ends it."""
        self._left["denied"] = times

    def answer(self, request: Request, ask: Callable[[str], Response]) -> Response:
        """`ask` has moto answer the request by the method given."""
        if self._due("denied"):
            return denied(request.method)
        if CONDITIONS & set(request.headers.keys()) and self._due("conflicts"):
            message = "The conditional request cannot succeed due to a conflicting operation against this resource."
            return refusal(request.method, "ConditionalRequestConflict", message, 409)
        with self._order:  # S3 decides on one conditional write after the other; moto looks and writes in two steps
            # HeadObject needs the right to get the object; moto asks for none.
            is_object = "/" in request.path.strip("/")
            if request.method == "HEAD" and is_object and ask("GET").status_code == 403:
                return denied("HEAD")
            response = ask(request.method)
        if response.status_code == 403 and not response.get_data():  # moto's for what a bucket policy denies
            return denied(request.method)
        if response.status_code >= 400 and request.method == "HEAD":
            response.set_data(b"")
        return response

    def _due(self, what: str) -> bool:
        with self._order:
            due = self._left[what] > 0
            self._left[what] -= due
        return due
