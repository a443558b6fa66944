# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What reading logs costs, a line: `python -m bench.logs 1000000`.

The plugin's own reader, in a process of its own, with a real boto3 client; FilterLogEvents is answered over HTTP with the largest pages
that AWS gives. The lab has the semantics, and is too slow for a million lines.
"""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

ROOT = pathlib.Path(__file__).parents[2]
A_PAGE = 10_000  # events of FilterLogEvents at most
ERRORS_EVERY = 500  # lines; such a share of a log is errors, of these kinds and with a stack of three lines
KINDS = "abcdefghijklmnopqrst"
STREAMS = [f"ecs/web/{number:032x}" for number in range(4)]
TIMEOUT = 900  # seconds
EVERY = 3  # milliseconds between two lines
BEGAN = int(time.time() * 1000) - 3_600_000  # the first line: a million lines are of the last hour


@dataclasses.dataclass(frozen=True)
class Cost:
    """What reading `lines` lines took: CPU seconds of the reader, the most memory that its process had, and errors found."""

    lines: int
    cpu: float
    mebibytes: float
    errors: int


def message(number: int) -> str:
    """A line as an application logs it."""
    place = number % ERRORS_EVERY
    if place == 0:
        return f"TypeError: field {number} of kind-{KINDS[number // ERRORS_EVERY % len(KINDS)]} is not there"
    if place < 4:
        return f"    at handler (/app/server.js:{number % 1000}:{place})"
    return json.dumps(
        {"level": "info", "time": number, "msg": "request", "method": "GET", "path": f"/api/x/{number}", "status": 200}
    )


class Logs(http.server.BaseHTTPRequestHandler):
    """FilterLogEvents of a group with `self.server.lines` lines."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a page; the token is the number of its first line."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        first, last = self._between(request)
        start = int(request.get("nextToken", first))
        end = min(start + A_PAGE, last)
        # Lines of one stream stay together, so that a stack belongs to its error.
        events = [
            {
                "logStreamName": STREAMS[number // ERRORS_EVERY % len(STREAMS)],
                "timestamp": BEGAN + number * EVERY,
                "message": message(number),
                "ingestionTime": BEGAN + number * EVERY,
                "eventId": f"{number:056d}",
            }
            for number in range(start, end)
        ]
        more = {"nextToken": str(end)} if end < last else {}
        body = json.dumps({"events": events, "searchedLogStreams": [], **more}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _between(self, request: dict) -> tuple[int, int]:
        """(number of the first line, of the one behind the last) of the times that were asked for."""
        first = max(0, -(-(request.get("startTime", 0) - BEGAN) // EVERY))
        last = min(
            self.server.lines, (request["endTime"] - BEGAN) // EVERY + 1 if "endTime" in request else self.server.lines
        )
        return first, max(first, last)

    def log_message(self, *_arguments) -> None:
        """Say nothing: the default writes to standard error."""


def measure(lines: int) -> Cost:
    """Read so many lines in a process of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Logs)
    server.lines = lines
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'collections'}{os.pathsep}{ROOT / 'tests'}"}
        command = [sys.executable, "-m", "bench.logs", "--read", f"http://127.0.0.1:{server.server_port}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=True)
        return Cost(**json.loads(done.stdout))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read(url: str) -> Cost:
    """Read everything that is at `url`, in this process."""
    import boto3
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import LogReader

    keys = dict(region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    gateway = LogsGateway(boto3.client("logs", endpoint_url=url, **keys))
    streams = [Stream("web", "/ecs/web", name, datetime.fromtimestamp(0, UTC)) for name in STREAMS]
    started = time.process_time()
    found = LogReader(gateway, Rules()).read(streams)
    return Cost(
        lines=found.lines,
        cpu=time.process_time() - started,
        mebibytes=_peak(),
        errors=sum(group.count for group in found.collection.groups),
    )


def _peak() -> float:
    """The most memory (MiB) that this process has had. Its ru_maxrss would be at least that of the process that started it."""
    (line,) = [line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        print(json.dumps(dataclasses.asdict(read(sys.argv[2]))))
    else:
        for size in map(int, sys.argv[1:]):
            cost = measure(size)
            print(
                f"{cost.lines} lines: {cost.cpu:.1f} CPU s, {cost.cpu / cost.lines * 1e6:.1f} µs a line, "
                f"{cost.mebibytes:.0f} MiB, {cost.errors} errors"
            )
