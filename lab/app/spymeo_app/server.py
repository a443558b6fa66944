# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``serve``: from the environment to a listening server, and down again on SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from spymeo_app import logs
from spymeo_app.config import Config

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

_CRASH = """/app/dist/server.js:18
    throw new Error(`Cannot read the booking calendar: ${reason}`);
    ^

Error: Cannot read the booking calendar: unknown format version 2
    at loadCalendar (/app/dist/calendar.js:41:11)
    at Object.<anonymous> (/app/dist/server.js:18:5)
    at Module._compile (node:internal/modules/cjs/loader:1554:14)
    at Object..js (node:internal/modules/cjs/loader:1706:10)
    at Module.load (node:internal/modules/cjs/loader:1289:32)
    at Function._load (node:internal/modules/cjs/loader:1108:12)
    at node:internal/main/run_main_module:36:49

Node.js v22.14.0"""
_CLIENT_TIMEOUT = 10  # seconds that a client may take to send its request


def serve(environ: Mapping[str, str]) -> int:
    """Answer requests until SIGTERM, finish those under way, and return the exit status.

    Raises SettingError.
    """
    config = Config.from_environment(environ)
    if config.release.has("crash-loop"):
        logs.write(_CRASH)
        return 1
    server = _listening(config)
    signal.signal(signal.SIGTERM, _stop)
    logs.event("info", "listening", release=config.release.version, port=config.port)
    server.serve_forever()
    return 0


def _listening(config: Config) -> BaseWSGIServer:
    # Imported here: a process that only migrates or crashes needs no web server, and starts in half the time.
    from werkzeug.serving import WSGIRequestHandler, make_server

    from spymeo_app.application import Application

    class Handler(WSGIRequestHandler):
        timeout = _CLIENT_TIMEOUT

        def log(self, level: str, message: str, *args: object) -> None:
            logs.event(level, message % args)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """The application writes the access log, with its own timing."""

    server = make_server(config.host, config.port, Application(config), threaded=True, request_handler=Handler)
    setattr(server, "daemon_threads", False)  # noqa: B010 - so that closing the server waits for the requests under way
    return server


def _stop(_signal: int, _frame: object) -> NoReturn:
    logs.event("info", "SIGTERM received, finishing the requests under way")
    raise SystemExit(0)
