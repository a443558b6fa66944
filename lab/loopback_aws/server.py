# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API endpoint: one HTTP server on loopback; the lab's own services first, moto for the others."""

from __future__ import annotations

import collections
import datetime
import io
import json
import os
import socket
import threading
import time
import traceback
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from . import wire
from .errors import NotStarted
from .interruption import AFTER, BEFORE, UNHEARD, Interruptions, hang_up
from .services import s3

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .lab import Lab

# No instance of the lab starts from an AMI; making up moto's 1,282 takes 0.4 s a region.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

READ_VERBS = ("Describe", "List", "Get", "BatchGet", "Filter", "Head", "Lookup", "Search", "Test", "Simulate", "Check")


class CallLog:
    """What CloudTrail is in AWS: every API call with its outcome, never its values. Tests count the writing ones."""

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []

    def add(self, service: str, operation: str, parameters: list[str], error: str | None) -> None:
        """Record one call. `parameters` are names only: values may be secrets."""
        self._calls.append(
            {
                "time": datetime.datetime.now(datetime.UTC).isoformat(),
                "service": service,
                "operation": operation,
                "parameters": parameters,
                "error": error,
                "writes": not operation.startswith(READ_VERBS),
            }
        )

    def all(self) -> list[dict[str, Any]]:
        """Every call since the lab came up, oldest first."""
        return list(self._calls)


class Throttle:
    """Operations that answer "Rate exceeded" for a while, as when somebody else has used up the account's rate."""

    def __init__(self) -> None:
        self._left: collections.Counter[str] = collections.Counter()

    def set(self, operation: str, times: int) -> None:
        """The next `times` calls of `operation` (`UpdateService`) are refused; 0 ends it."""
        self._left[operation] = times

    def check(self, operation: str) -> None:
        """Count a call.

        :raises ApiError: it is refused, with the code that JSON services such as ECS use.
        """
        if self._left[operation] > 0:
            self._left[operation] -= 1
            raise wire.ApiError("ThrottlingException", "Rate exceeded")


class Api:
    """The WSGI application behind the endpoint."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.calls = CallLog()
        self._throttle = Throttle()
        lab.world_controls["throttle"] = self._throttle.set
        self._interruptions = Interruptions()
        lab.world_controls["interrupt"] = self._interruptions.add
        lab.world_controls["interrupted"] = self._interruptions.clear
        self._s3 = s3.S3()
        lab.world_controls |= self._s3.controls()
        self._services = {wire.service_model(service.model).signing_name: service for service in lab.services}
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()  # kept by the request: operation_name, parse and moto read it one after the other
        if request.path.startswith("/_lab/"):
            return self._control(request)(environ, start_response)
        if self.lab.durations.call_latency:
            time.sleep(self.lab.durations.call_latency)
        scope = wire.credential_scope(request)
        if scope is None or scope[0] != self.lab.access_key:
            return self._refuse(scope, request.method)(environ, start_response)
        service = self._services.get(scope[2])
        if service is None or wire.operation_name(request) in service.of_moto:
            return self._pass_on(scope[2], request, body)(environ, start_response)
        return self._interrupted(service, request, scope[1])(environ, start_response)

    def _pass_on(self, service: str, request: Request, body: bytes) -> Response:
        """Let moto answer. The call log gets the HTTP status of an error: AWS's code is inside moto's body."""

        def ask(method: str) -> Response:
            environ = {**request.environ, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body)}
            return Response.from_app(self._moto.get_application(environ), environ, buffered=True)

        response = self._s3.answer(request, ask) if service == "s3" else ask(request.method)
        operation = wire.operation_name(request) or request.method.capitalize()
        error = str(response.status_code) if response.status_code >= 400 else None
        self.calls.add(service, operation, [], error)
        return response

    def _interrupted(self, service: wire.Service, request: Request, region: str) -> Response:
        """The answer, unless this is the call at which the client dies."""
        name = wire.operation_name(request)
        due = None if name.startswith(READ_VERBS) else self._interruptions.due(name)
        if due and due.when == BEFORE:
            due.kill()
            return Response(status=503)
        response = self._serve(service, request, region)
        if due and due.when == UNHEARD:
            due.kill()
        elif due and due.when == AFTER:
            response.call_on_close(due.kill)
        elif due:
            hang_up(request.environ)
        return response

    def _serve(self, service: wire.Service, request: Request, region: str) -> Response:
        name = wire.operation_name(request)
        model = wire.service_model(service.model)
        method = service.find(name)
        if method is None:
            message = f"The lab has no {service.model} {name}."
            self.calls.add(service.model, name, [], "UnknownOperationException")
            if name in model.operation_names:
                return wire.answer(
                    model.operation_model(name), wire.ApiError("InvalidAction", message), str(uuid.uuid4())
                )
            return Response(json.dumps({"__type": "UnknownOperationException", "message": message}), 400)
        operation, parameters = model.operation_model(name), {}
        try:
            parameters = wire.parse(request, operation)
            if region != self.lab.region:
                raise wire.ApiError("InvalidClientTokenId", f"The lab is in {self.lab.region}, not in {region}.")
            with self.lab.lock:
                self._throttle.check(name)
                result = method(parameters)
            if callable(result):
                result = result()
            result = wire.fitting(operation, result or {})
        except wire.ApiError as error:
            result = error
        except Exception as error:  # noqa: BLE001 - a client is to see it as AWS's own failure
            traceback.print_exc()
            result = wire.ApiError("InternalFailure", f"the lab failed in {name}: {error!r}")
        code = result.code if isinstance(result, wire.ApiError) else None
        self.calls.add(service.model, name, sorted(parameters), code)
        return wire.answer(operation, result, str(uuid.uuid4()))

    def _refuse(self, scope: tuple[str, str, str] | None, method: str) -> Response:
        if scope is None and method in ("GET", "HEAD", "PUT", "DELETE"):  # S3's; the other services are asked by POST
            return s3.denied(method)
        if scope is None:
            return Response(
                json.dumps(
                    {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"}
                ),
                403,
            )
        if scope[2] == "s3":
            return s3.unknown_key(method)
        message = "The security token included in the request is invalid."
        if scope[2] in ("ecs", "secretsmanager", "logs", "ecr"):
            return Response(json.dumps({"__type": "UnrecognizedClientException", "message": message}), 400)
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>{message}</Message></Error></ErrorResponse>"
        return Response(body, 403, content_type="text/xml")

    def _control(self, request: Request) -> Response:
        """What a person or a test asks the lab itself; not AWS's API."""
        if request.path == "/_lab/calls":
            return Response(json.dumps(self.calls.all()), content_type="application/json")
        with self.lab.lock:
            status, answer = self.lab.control(request.path.removeprefix("/_lab/"), request.get_json(silent=True) or {})
        return Response(json.dumps(answer), status, content_type="application/json")


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: /_lab/calls tells what was asked."""


def start(api: Api, port: int, poll_interval: float = 0.5, *, or_any: bool = False) -> BaseWSGIServer:
    """Serve on 127.0.0.1:`port` (0: any free one) from a thread of its own. Returns werkzeug's server.

    `poll_interval` is how many seconds its `shutdown()` may take. With `or_any` another port does when this one is taken.

    :raises NotStarted: the port is taken.
    """
    with _listening(
        port, or_any=or_any
    ) as listener:  # werkzeug has a duplicate of it; by itself it would end the process
        host, port = listener.getsockname()
        server = make_server(host, port, api, threaded=True, request_handler=_Handler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, args=(poll_interval,), name="api", daemon=True).start()
    return server


def _listening(port: int, *, or_any: bool) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        if or_any:
            return socket.create_server(("127.0.0.1", 0), backlog=128)
        raise NotStarted(f"somebody listens on port {port} of 127.0.0.1; end that first.") from error
