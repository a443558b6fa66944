# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole scenario against a real server that protects its login as web frameworks do: session cookie and CSRF token belong together."""

from __future__ import annotations

import http.cookies
import http.server
import secrets
import threading
import urllib.parse

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through_all
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession

TIMEOUT = 10  # seconds
PASSWORD = "correct-horse"
PAGE = '<form method="post"><input type="hidden" name="csrf_token" value="{token}"><input name="email"></form>'


class Site(http.server.BaseHTTPRequestHandler):
    """GET /login gives session and token, POST /login wants both, GET /admin wants who has logged in, DELETE /things a header, too."""

    protocol_version = "HTTP/1.1"
    tokens: dict[str, str] = {}  # noqa: RUF012 - session → token, of all handlers
    logged_in: set[str] = set()  # noqa: RUF012

    def log_message(self, *_arguments):
        """Say nothing: the default writes to standard error."""

    def answer(self, status, body="", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body.encode()))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())

    @property
    def session(self):
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        return cookies["session"].value if "session" in cookies else ""

    def do_GET(self):
        if self.path == "/login":
            session, token = secrets.token_hex(8), secrets.token_urlsafe(16) + "&="
            self.tokens[session] = token
            cookie = f"session={session}; HttpOnly; Path=/"
            self.answer(200, PAGE.format(token=token.replace("&", "&amp;")), Set_Cookie=cookie)
        elif self.session in self.logged_in:
            self.answer(200, "<h1>Dashboard</h1>", X_CSRF_Token=self.tokens[self.session])
        else:
            self.answer(302, Location="/login")

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form.get("csrf_token") != [self.tokens.get(self.session)]:
            self.answer(403, "CSRF token is not valid")
        elif form.get("password") != [PASSWORD]:
            self.answer(401, "wrong password for " + form["csrf_token"][0])
        else:
            self.logged_in.add(self.session)
            self.answer(302, Location="/admin")

    def do_DELETE(self):
        right = self.session in self.logged_in and self.headers.get("X-CSRF-Token") == self.tokens[self.session]
        self.answer(204 if right else 403)


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def administration(capture=True, expect=None):
    """Log in by the form, open the dashboard, and delete a thing with the token of its header."""
    page = {"name": "page", "path": "/login", **({"capture": {"csrf": {"html": "csrf_token"}}} if capture else {})}
    form = {"password": "${password}", "csrf_token": "${csrf}" if capture else "guessed"}
    log_in = {"name": "log in", "method": "POST", "path": "/login", "form": form, "expect": {"status": 302}}
    dashboard = {"name": "dashboard", "path": "/admin", "expect": {"text": "Dashboard", **(expect or {})}}
    dashboard["capture"] = {"token": {"header": "X-CSRF-Token"}}
    delete = {"name": "delete", "method": "DELETE", "path": "/things/1", "headers": {"X-CSRF-Token": "${token}"}}
    return {
        "name": "administration",
        "steps": [page, log_in, dashboard, {**delete, "expect": {"status": 204}, "always": True}],
    }


def outcomes(site, scenario, password=PASSWORD):
    found = read_scenarios([scenario], ["password"])
    (of_one,) = go_through_all(found, lambda: ScenarioSession(site, TIMEOUT), {"password": password}, [password])
    return of_one


def test_logs_in_with_the_token_of_the_form_and_goes_on_with_that_session(site):
    assert [(step.step.name, step.verdict) for step in outcomes(site, administration())] == [
        ("page", "passed"),
        ("log in", "passed"),
        ("dashboard", "passed"),
        ("delete", "passed"),
    ]


def test_without_the_token_the_login_is_refused_and_nothing_is_there_to_clean_up(site):
    found = outcomes(site, administration(capture=False))
    assert [step.verdict for step in found] == ["passed", "failed", None, None]
    assert "status 403 instead of 302; the body is: CSRF token is not valid" in found[1].reason


def test_clean_up_is_sent_with_what_an_answer_that_failed_has_given(site):
    found = outcomes(site, administration(expect={"max_seconds": 0.000001}))
    assert [step.verdict for step in found] == ["passed", "passed", "failed", "passed"]


def test_neither_the_password_nor_the_token_shows_where_the_site_repeats_them(site):
    refused = outcomes(site, administration(), password="wrong-horse")[1]
    assert refused.reason == "status 401 instead of 302; the body is: wrong password for ********"
