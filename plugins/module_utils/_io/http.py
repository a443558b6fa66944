# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that sends HTTP requests to the application."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
except ImportError:
    HAS_REQUESTS = False  # Session tells the person which library to install
else:
    HAS_REQUESTS = True

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer

# ansible.module_utils.urls installs one opener for the whole process, so two scenarios side by side would share cookies: hence requests.

LONGEST_BODY = 1024 * 1024  # bytes of a body as it is after decoding; the rest is not read
_CHUNK = 16 * 1024
_LATER = 0.2  # seconds after the time-out of a socket, which tells more
_COMPRESSED = ("gzip", "x-gzip", "deflate")


class ScenarioSession:
    """Requests with the cookies of one scenario. Redirects are answers like any other, and are not followed.

    :param base_url: scheme, host, port, and perhaps a path that each path begins with.
    :param timeout: seconds to connect, and seconds until the answer is complete.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        if not HAS_REQUESTS:
            raise RollbackError(missing_required_lib("requests", reason="to send the scenarios"))
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._guard = Guard()
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _adapter(self._guard))
        self._session.headers["User-Agent"] = "spymeo.rollback"
        self._session.headers["Accept-Encoding"] = (
            "gzip, deflate"  # others, which requests may add, cannot be read by parts here
        )
        self._session.auth = _no_login  # or requests would log in with what ~/.netrc holds

    def send(
        self, method: str, path: str, headers: Mapping[str, str], json: Any, form: Mapping[str, str] | None
    ) -> Answer | NoAnswer:
        """The Answer, or the NoAnswer, to one request."""
        started = time.monotonic()
        try:
            with self._guard.within(self._timeout + _LATER):
                answer = self._session.request(
                    method,
                    self._base_url + path,
                    headers=headers,
                    json=json,
                    data=form,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
                with answer:
                    body = self._body(answer, started + self._timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:  # the latter while the body is read
            return self._late() if self._guard.ended else _no_answer(error, self._timeout)
        except zlib.error:
            return NoAnswer(True, "the body is not compressed as its header Content-Encoding says")
        except UnknownEncoding as error:
            return NoAnswer(False, "the body is encoded as %s, which was not asked for" % error)
        if body is None or self._guard.ended:  # http.client takes headers that end with the connection for whole ones
            return self._late()
        return Answer(
            answer.status_code,
            body.decode("utf-8", "replace"),
            time.monotonic() - started,
            tuple(answer.headers.items()),
            tuple((cookie.name, cookie.value or "") for cookie in answer.cookies),
        )

    def _late(self) -> NoAnswer:
        return NoAnswer(True, "the answer was not complete after %g s" % self._timeout)

    def _body(self, answer: requests.Response, deadline: float) -> bytes | None:
        """The body (bytes), or None when it was not complete at the deadline.

        urllib3 inflates all that it has read before anybody can count it, and 0.3 MB of gzip may be 300 MB: so it is done here, by parts.
        """
        body = b""
        decode: Callable[[bytes, int], bytes] | None = None
        read = getattr(
            answer.raw, "read1", answer.raw.read
        )  # urllib3 before 2.1 only knows reads that wait for a whole chunk
        while len(body) < LONGEST_BODY:
            chunk = read(_CHUNK, decode_content=False)
            if not chunk:
                break
            decode = decode or _decoder(answer.headers.get("Content-Encoding", ""))
            body += decode(chunk, LONGEST_BODY - len(body))
            if time.monotonic() > deadline:
                return None
        return body[:LONGEST_BODY]


class Guard:
    """Ends the connection of a request that takes too long, whatever it is busy with.

    A time-out of a socket begins anew with each byte, so a server that drips its headers, or says ``100 Continue`` for ever, is never too late.
    ``ended`` tells whether the last request was ended.
    """

    def __init__(self) -> None:
        self.ended = False
        self._seconds: float | None = None
        self._timer: threading.Timer | None = None

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Inside, an answer has as much time from when a request was sent."""
        self.ended, self._seconds, self._timer = False, seconds, None
        try:
            yield
        finally:
            if self._timer:
                self._timer.cancel()

    def watch(self, open_socket: socket.socket) -> None:
        """Take the socket on which an answer is awaited from now on."""
        if self._timer is None and self._seconds is not None:
            self._timer = threading.Timer(self._seconds, self._end, [open_socket])
            self._timer.daemon = True
            self._timer.start()

    def _end(self, open_socket: socket.socket) -> None:
        self.ended = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(
                open_socket, socket.SHUT_RDWR
            )  # not ssl's own, which forgets the session under its reader


def _adapter(guard: Guard) -> HTTPAdapter:
    """An adapter whose connections a Guard may end."""

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = _pools(guard)

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = _pools(guard)
            return manager

    return Adapter()


def _pools(guard: Guard) -> dict[str, Any]:
    """urllib3's pools by scheme, with connections that tell the guard before they wait for an answer."""

    def guarded(pool: Any) -> type:
        unguarded = pool.ConnectionCls.getresponse

        def getresponse(connection: Any, *args: Any, **kwargs: Any) -> Any:
            guard.watch(connection.sock)
            return unguarded(connection, *args, **kwargs)

        connection = type("Connection", (pool.ConnectionCls,), dict(getresponse=getresponse))
        return type("Pool", (pool,), dict(ConnectionCls=connection))

    return {"http": guarded(urllib3.HTTPConnectionPool), "https": guarded(urllib3.HTTPSConnectionPool)}


class UnknownEncoding(Exception):
    """A body that cannot be decoded by parts."""


def _decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """A callable: part of a body, how many bytes it may become at most → the decoded part.

    :raises UnknownEncoding: there is none for that Content-Encoding.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda part, most: part[:most]
    if encoding not in _COMPRESSED:
        raise UnknownEncoding(foreign(repr(encoding), 40))
    return Inflating().decode


class Inflating:
    """Decodes gzip, several files in a row too, and deflate, which servers send with and without zlib's header."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def decode(self, part: bytes, most: int) -> bytes:
        """Up to ``most`` decoded bytes of the next part."""
        found = b""
        while part and len(found) < most:
            if self._stream is None:
                self._stream = zlib.decompressobj(_window(part))
            try:
                found += self._stream.decompress(part, most - len(found))
            except zlib.error:
                if self._ended:
                    return found  # what some servers send behind the end is no part of the body
                raise
            part = self._stream.unused_data
            if self._stream.eof:
                self._stream, self._ended = None, True
        return found


def _window(part: bytes) -> int:
    if part[:1] == b"\x1f":
        return zlib.MAX_WBITS | 16  # gzip
    return zlib.MAX_WBITS if part[0] & 0x0F == 8 else -zlib.MAX_WBITS


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _no_answer(error: Exception, timeout: float) -> NoAnswer:
    """What came instead of an answer, and whether the application is the cause."""
    causes = list(_causes(error))
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NoAnswer(
            False,
            "no connection within %d s: the network, or a firewall between this machine and the application" % timeout,
            connected=False,
        )
    if isinstance(error, requests.exceptions.ReadTimeout) or any(isinstance(cause, socket.timeout) for cause in causes):
        return NoAnswer(True, "the connection stands, but no answer came within %d s" % timeout)
    if isinstance(error, requests.exceptions.SSLError):
        return NoAnswer(False, "this machine does not trust the certificate (%s)" % _last(causes), connected=False)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return NoAnswer(False, "this machine cannot resolve the name of the host", connected=False)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return NoAnswer(True, "the connection was refused", connected=False)
    if _closed(error, causes):
        return NoAnswer(True, "the connection was closed before the answer was complete")
    unreadable = next((cause for cause in causes if isinstance(cause, http.client.HTTPException)), None)
    if unreadable is not None:
        return NoAnswer(True, "the answer is no HTTP that can be read (%s)" % type(unreadable).__name__)
    return NoAnswer(False, "the request could not be made: %s" % _last(causes))


def _closed(error: Exception, causes: Sequence[BaseException]) -> bool:
    # http.client.RemoteDisconnected is a ConnectionResetError.
    cut = (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)
    return isinstance(error, cut) or any(
        isinstance(cause, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)) for cause in causes
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything that it wraps: requests and urllib3 put causes into ``args`` and ``reason``."""
    waiting, seen = [error], list[BaseException]()
    while waiting:
        found = waiting.pop()
        if any(found is known for known in seen):
            continue
        seen.append(found)
        inner = [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]
        waiting += [item for item in inner if isinstance(item, BaseException)]
    return seen


def _last(causes: Sequence[BaseException]) -> str:
    """The innermost cause by its type alone: its text may hold the URL."""
    return type(causes[-1]).__name__
