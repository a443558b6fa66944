# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes, and what becomes of an error in any of them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from spymeo_app import admin, health, logs, payments, practitioners, prisma_errors
from spymeo_app.config import Config
from spymeo_app.database import Pool
from spymeo_app.http_json import answer
from spymeo_app.prisma_errors import PrismaError
from spymeo_app.sessions import Sessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROUTES = Map(
    [
        Rule("/api/health", methods=["GET"], endpoint=health.health),
        Rule("/api/practitioners", methods=["POST"], endpoint=practitioners.sign_up),
        Rule("/api/practitioners/login", methods=["POST"], endpoint=practitioners.log_in),
        Rule("/api/practitioners/<identity>", methods=["DELETE"], endpoint=practitioners.remove),
        Rule("/api/admin/login", methods=["POST"], endpoint=admin.log_in),
        Rule("/api/admin/dashboard", methods=["GET"], endpoint=admin.dashboard),
        Rule("/api/payments", methods=["POST"], endpoint=payments.pay),
    ]
)
_SLOW = 3.0  # seconds, of the defect "slow"


class Application:
    """The WSGI application. ``sleep`` is what the defect "slow" waits with."""

    def __init__(self, config: Config, sleep: Callable[[float], None] = time.sleep) -> None:
        self.config = config
        self.pool = Pool(config.database)
        self.admin_sessions = Sessions(config.session_secret, "admin")
        self.practitioner_sessions = Sessions(config.session_secret, "practitioner")
        self._sleep = sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        started = time.monotonic()
        response = self._respond(request)
        # The load balancer asks for the health all the time: only its failures are worth a line.
        if request.path != "/api/health" or response.status_code != 200:
            took = round((time.monotonic() - started) * 1000)
            logs.event(
                "info", "request", method=request.method, path=request.path, status=response.status_code, ms=took
            )
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if self.config.release.has("slow"):
            self._sleep(_SLOW)
        try:
            handler, arguments = ROUTES.bind_to_environ(request.environ).match()
            response: Response = handler(self, request, **arguments)
            return response
        except HTTPException as error:
            return answer(error.code or 500, {"error": error.description})
        except PrismaError as error:
            logs.write(prisma_errors.render(error))
            return answer(500, {"error": "Internal Server Error", "code": error.code})
        except Exception as error:  # noqa: BLE001 - the last resort of a request: logged whole, answered 500
            where = traceback.format_tb(error.__traceback__)
            logs.event("error", "unhandled error", type=type(error).__name__, path=request.path, stack=where)
            return answer(500, {"error": "Internal Server Error"})
