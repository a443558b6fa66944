# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is signed in: a cookie that carries an id and our signature."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Request, Response

_LIFETIME = 12 * 3600  # seconds


class Sessions:
    """The cookies of one role, ``admin`` or ``practitioner``. A cookie of one role is worth nothing as the other's."""

    def __init__(self, secret: str, role: str) -> None:
        self._cookie = f"{role}_session"
        self._signer = URLSafeTimedSerializer(secret, salt=self._cookie)

    def open(self, response: Response, identity: str) -> None:
        """Sign this person in."""
        response.set_cookie(
            self._cookie, self._signer.dumps(identity), max_age=_LIFETIME, httponly=True, samesite="Lax"
        )

    def close(self, response: Response) -> None:
        """Sign whoever it is out."""
        response.delete_cookie(self._cookie)

    def identity(self, request: Request) -> str | None:
        """The id of the person signed in; None without a cookie, or with one that is forged or too old."""
        try:
            return str(self._signer.loads(request.cookies.get(self._cookie, ""), max_age=_LIFETIME))
        except BadSignature:
            return None
