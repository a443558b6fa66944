# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real requests to a small server on this machine."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import threading
import time
import tracemalloc
import zlib

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import LONGEST_BODY, ScenarioSession

TIMEOUT = 0.5  # seconds
DEFLATE_BOMB = zlib.compress(b"\0" * 100 * LONGEST_BODY)
BOMB = gzip.compress(b"\0" * 100 * LONGEST_BODY)


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        """Say nothing: the default writes to standard error."""

    def _answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        route = getattr(self, "get_" + self.path.strip("/"), None)
        if route:
            route()
        else:
            self._answer(200, f"{self.path}\n{self.headers}".encode())

    def do_POST(self):
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"])), ("Set-Cookie", "session=1; HttpOnly"))

    def get_redirect(self):
        self._answer(302, b"", ("Location", "/login"))

    def get_bare_cookie(self):
        self._answer(200, b"", ("Set-Cookie", "seen; Path=/"))

    def get_hang(self):
        time.sleep(2 * TIMEOUT)
        self.close_connection = True

    def get_drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _byte in range(8):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(TIMEOUT / 4)
        self.close_connection = True

    def get_close(self):
        self.close_connection = True

    def _for_ever(self, first, then, pause):
        """Say the one, and then the other until the client hangs up."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(first)
            while True:
                self.wfile.write(then)
                self.wfile.flush()
                time.sleep(pause)

    def get_drippingstatus(self):
        self._for_ever(b"H", b"T", TIMEOUT / 4)

    def get_drippingheaders(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nA: ", b"a", TIMEOUT / 4)

    def get_drippingchunks(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a", TIMEOUT / 4)

    def get_drippingtrailers(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a", TIMEOUT / 4)

    def get_endlesstrailers(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n", 0)

    def get_continue(self):
        self._for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0)

    def get_emptygzip(self):
        chunk = b"5\r\n\0\0\0\xff\xff\r\n"  # an empty block of deflate
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x78\x9c\r\n"
        self._for_ever(head, chunk * 1000, 0)

    def get_endlesschunks(self):
        self._for_ever(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", 0
        )

    def get_hugelength(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", b"x" * 65536, 0)

    def get_headers(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0)

    def get_longheader(self):
        self._for_ever(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 65536, 0)

    def get_deflatebomb(self):
        self._answer(200, DEFLATE_BOMB, ("Content-Encoding", "deflate"))

    def get_twice(self):
        self._answer(200, gzip.compress(BOMB), ("Content-Encoding", "gzip, gzip"))

    def get_inside(self):
        self._answer(200, gzip.compress(BOMB), ("Content-Encoding", "gzip"))

    def get_half(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def get_gzip(self):
        self._answer(200, gzip.compress(b"{}") + gzip.compress("é".encode()) + b"garbage", ("Content-Encoding", "GZIP"))

    def get_zlib(self):
        self._answer(200, zlib.compress(b"deflated"), ("Content-Encoding", "deflate"))

    def get_raw(self):
        self._answer(200, zlib.compress(b"deflated", wbits=-15), ("Content-Encoding", "deflate"))

    def get_bomb(self):
        self._answer(200, BOMB, ("Content-Encoding", "gzip"))

    def get_nogzip(self):
        self._answer(200, b"plain", ("Content-Encoding", "gzip"))

    def get_brotli(self):
        self._answer(200, b"\x1b\x00", ("Content-Encoding", "br\x1b[31m"))

    def get_nothing(self):
        self._answer(200, b"", ("Content-Encoding", "br"))

    def get_long(self):
        self._answer(200, b"x" * (LONGEST_BODY + 5))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request, _client):
        """Clients that hang up are part of these tests."""


@pytest.fixture(scope="module")
def base_url():
    server = Server(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def send(session, path, method="GET", headers=None, json=None, form=None):
    return session.send(method, path, headers or {}, json, form)


@pytest.mark.parametrize("there", ["/red", "/red/"])
def test_a_path_in_the_base_url_comes_before_each_path(base_url, there):
    answer = send(ScenarioSession(base_url + there, TIMEOUT), "/irect")
    assert answer.status == 200
    assert "/red/irect" in answer.text


def test_sends_what_a_step_says_and_reads_the_answer(base_url):
    session = ScenarioSession(base_url + "/", TIMEOUT)
    assert send(session, "/x", "POST", json={"a": 1}).text.replace(" ", "") == '{"a":1}'
    assert send(session, "/x", "POST", form={"a": "b c"}).text == "a=b+c"
    assert "X-Mine: 1" in send(session, "/x", headers={"X-Mine": "1"}).text


def test_keeps_cookies_in_a_session_and_not_between_two(base_url):
    session = ScenarioSession(base_url, TIMEOUT)
    send(session, "/login", "POST", json={})
    assert "Cookie: session=1" in send(session, "/x").text
    assert "Cookie" not in send(ScenarioSession(base_url, TIMEOUT), "/x").text


def test_a_cookie_without_a_value_is_an_empty_text(base_url):
    assert send(ScenarioSession(base_url, TIMEOUT), "/bare_cookie").cookies == (("seen", ""),)


def test_never_logs_in_by_itself(base_url, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert "Authorization" not in send(ScenarioSession(base_url, TIMEOUT), "/x").text


def test_a_redirect_is_an_answer(base_url):
    assert send(ScenarioSession(base_url, TIMEOUT), "/redirect").status == 302


def test_reads_no_more_of_a_body_than_it_needs(base_url):
    answer = send(ScenarioSession(base_url, 10), "/long")
    assert isinstance(answer, Answer)
    assert len(answer.text) == LONGEST_BODY


@pytest.mark.parametrize(
    ("path", "text"), [("/gzip", "{}é"), ("/zlib", "deflated"), ("/raw", "deflated"), ("/nothing", "")]
)
def test_reads_compressed_bodies(base_url, path, text):
    assert send(ScenarioSession(base_url, TIMEOUT), path).text == text


def test_inflates_no_more_than_it_needs(base_url):
    tracemalloc.start()
    answer = send(ScenarioSession(base_url, 10), "/bomb")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(answer.text) == LONGEST_BODY
    assert most < 8 * LONGEST_BODY, "%d bytes" % most


@pytest.mark.parametrize("path", ["/endlesschunks", "/hugelength", "/deflatebomb", "/inside"])
def test_whatever_is_sent_no_more_is_kept(base_url, path):
    tracemalloc.start()
    answer = send(ScenarioSession(base_url, 10), path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(answer.text) <= LONGEST_BODY
    assert most < 8 * LONGEST_BODY, "%d bytes" % most


@pytest.mark.parametrize(
    "path",
    [
        "/drippingstatus",
        "/drippingheaders",
        "/drippingchunks",
        "/drippingtrailers",
        "/endlesstrailers",
        "/continue",
        "/emptygzip",
    ],
)
def test_whatever_it_is_busy_with_an_answer_has_its_time(base_url, path):
    began = time.monotonic()
    answer = send(ScenarioSession(base_url, TIMEOUT), path)
    assert time.monotonic() - began < 6 * TIMEOUT
    assert isinstance(answer, NoAnswer)
    assert answer.by_application
    assert "was not complete after 0.5 s" in answer.why


@pytest.mark.parametrize("path", ["/headers", "/longheader"])
def test_headers_without_an_end_are_the_applications_fault(base_url, path):
    answer = send(ScenarioSession(base_url, TIMEOUT), path)
    assert answer.by_application
    assert "is no HTTP that can be read" in answer.why


def test_what_is_compressed_twice_is_not_inflated(base_url):
    assert "which was not asked for" in send(ScenarioSession(base_url, TIMEOUT), "/twice").why


def test_one_that_was_too_late_ends_no_later_one(base_url):
    session = ScenarioSession(base_url, TIMEOUT)
    send(session, "/drippingheaders")
    assert send(session, "/x").status == 200
    time.sleep(2 * TIMEOUT)
    assert send(session, "/x").status == 200


def test_a_body_that_is_not_what_its_header_says_is_the_applications_fault(base_url):
    answer = send(ScenarioSession(base_url, TIMEOUT), "/nogzip")
    assert (answer.by_application, answer.why) == (
        True,
        "the body is not compressed as its header Content-Encoding says",
    )


def test_an_encoding_that_was_not_asked_for_is_told(base_url):
    answer = send(ScenarioSession(base_url, TIMEOUT), "/brotli")
    assert not answer.by_application
    assert answer.why.isprintable()
    assert "which was not asked for" in answer.why


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/hang", "no answer came within"),
        ("/drip", "was not complete after"),
        ("/close", "was closed before"),
        ("/half", "was closed before"),
    ],
)
def test_an_answer_that_does_not_come_is_the_applications_fault(base_url, path, why):
    answer = send(ScenarioSession(base_url, TIMEOUT), path)
    assert isinstance(answer, NoAnswer)
    assert answer.by_application
    assert why in answer.why


def test_a_refused_connection_is_the_applications_fault():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening
        answer = send(ScenarioSession(f"http://127.0.0.1:{closed.getsockname()[1]}", TIMEOUT), "/")
    assert answer == NoAnswer(True, "the connection was refused", connected=False)


def test_a_name_that_cannot_be_resolved_is_not(base_url):
    answer = send(ScenarioSession("http://application.invalid", TIMEOUT), "/")
    assert answer == NoAnswer(False, "this machine cannot resolve the name of the host", connected=False)


def test_a_handshake_that_fails_is_not(base_url):
    answer = send(ScenarioSession(base_url.replace("http:", "https:"), TIMEOUT), "/")
    assert not answer.by_application
    assert "does not trust the certificate" in answer.why
