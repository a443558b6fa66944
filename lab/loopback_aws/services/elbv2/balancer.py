# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An Application Load Balancer's data plane: an HTTP/1.1 reverse proxy on loopback, and the probe of a health check."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util import SKIP_HEADER
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CONNECT_TIMEOUT = 10  # seconds, as in AWS: "before the connection timeout expired (10 seconds)" gives a 504
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
PHRASES = {
    HTTPStatus.BAD_GATEWAY: "Bad Gateway",
    HTTPStatus.SERVICE_UNAVAILABLE: "Service Temporarily Unavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "Gateway Time-out",
}
CHUNK = 65536  # bytes

Failure = tuple[str, str]
"""(Reason, Description) of a health check that failed, as DescribeTargetHealth words them."""


class NoTarget(Exception):
    """Nothing is registered where the request goes: 503."""


class Front:
    """A listener: serves on 127.0.0.1:`port` (0: any free one) what `route` chooses.

    `route()` returns (target group, address, port, idle timeout in seconds) of the target for one request and raises NoTarget without one.
    `told` is given what has come of each: the target group or None, the status, and the seconds to the target's answer or None.
    """

    def __init__(
        self,
        port: int,
        route: Callable[[], tuple[str, str, int, float]],
        told: Callable[[str | None, int, float | None], None],
    ) -> None:
        self._route, self._told = route, told
        self._server = make_server("127.0.0.1", port, self._serve, threaded=True, request_handler=_Handler)
        self.port: int = self._server.port
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="alb", daemon=True).start()

    def close(self) -> None:
        """Listen no more, also where a process that is just being started still has a copy of the socket."""
        self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        group: str | None = None
        try:
            group, address, port, idle_timeout = self._route()
            sent = time.monotonic()
            answer = self._forward(request, address, port, idle_timeout)
        except NoTarget:
            return self._refuse(start_response, None, HTTPStatus.SERVICE_UNAVAILABLE)
        except NewConnectionError:  # refused: nobody listens there
            return self._refuse(start_response, group, HTTPStatus.BAD_GATEWAY)
        except (ConnectTimeoutError, ReadTimeoutError):
            return self._refuse(start_response, group, HTTPStatus.GATEWAY_TIMEOUT)
        except HTTPError:  # closed or reset before the answer was whole, or no HTTP at all
            return self._refuse(start_response, group, HTTPStatus.BAD_GATEWAY)
        self._told(group, answer.status, time.monotonic() - sent)
        headers = [(name, value) for name, value in answer.headers.iteritems() if name.lower() not in HOP_BY_HOP]
        start_response(f"{answer.status} {answer.reason or ''}", headers)
        return _stream(answer)

    def _refuse(self, start_response: StartResponse, group: str | None, status: HTTPStatus) -> list[bytes]:
        self._told(group, status.value, None)
        return _refuse(start_response, status)

    def _forward(self, request: Request, address: str, port: int, idle_timeout: float) -> urllib3.BaseHTTPResponse:
        pool = urllib3.HTTPConnectionPool(
            address, port, timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=idle_timeout)
        )
        return pool.urlopen(
            request.method,
            request.environ["REQUEST_URI"],
            body=request.get_data() or None,
            headers=self._headers(request),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in HOP_BY_HOP | {"content-length", "expect"}
        }
        given = {name.lower() for name in headers}
        headers.update({name: SKIP_HEADER for name in ("User-Agent", "Accept-Encoding") if name.lower() not in given})
        data = request.get_data()
        if data or "Content-Length" in request.headers:
            headers["Content-Length"] = str(len(data))
        client = [value for value in (request.headers.get("X-Forwarded-For"), request.remote_addr) if value]
        headers["X-Forwarded-For"] = ", ".join(client)
        headers["X-Forwarded-Proto"] = "http"
        headers["X-Forwarded-Port"] = str(self.port)
        headers.setdefault("X-Amzn-Trace-Id", f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}")
        return headers


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_response(self, code: int, message: str | None = None) -> None:
        """The status line alone: Server and Date are the target's."""
        self.send_response_only(code, message)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the targets log what they are asked."""


def _stream(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield b""  # the head goes out before the body is there
        yield from answer.stream(CHUNK, decode_content=False)
    finally:
        answer.close()


def _refuse(start_response: StartResponse, status: HTTPStatus) -> list[bytes]:
    title = f"{status.value} {PHRASES[status]}"
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n".encode()
    start_response(title, [("Server", "awselb/2.0"), ("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


def probe(address: str, port: int, path: str, accepted: Callable[[int], bool], timeout: float) -> Failure | None:
    """One health check: None when the target answers `GET path` with an accepted status within `timeout` seconds."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        status = connection.getresponse().status
    except TimeoutError:
        return "Target.Timeout", "Request timed out"
    except (OSError, http.client.HTTPException):
        return "Target.FailedHealthChecks", "Health checks failed"
    finally:
        connection.close()
    return (
        None
        if accepted(status)
        else ("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")
    )
