# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network between this machine and AWS: it can be away for a while, so that connections break and new ones are refused."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import urllib.parse

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Proxy:
    """Forwards connections to the address of `upstream`, a URL; `url` is its own."""

    def __init__(self, upstream: str):
        address = urllib.parse.urlsplit(upstream)
        self._upstream = (address.hostname, address.port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._turn = threading.Lock()
        self._trip, self._tripped = (b"", 0.0), (None, 0.0)
        self._listening = self._listen(0)
        self._port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def be_away(self, seconds: float) -> None:
        """Break every connection and refuse new ones for so long."""
        self._refuse(seconds)
        with self._turn:
            for pair in self._pairs:
                for end in pair:
                    hang_up(end)

    def be_away_after(self, words: str, seconds: float) -> None:
        """The same as soon as a request that holds these words was answered."""
        self._trip = (words.encode(), seconds)

    def close(self) -> None:
        """Serve nobody any more."""
        self._listening.close()

    def _refuse(self, seconds):
        hang_up(self._listening)
        self._listening.close()
        threading.Thread(target=self._come_back, args=(time.monotonic() + seconds,), daemon=True).start()

    def _come_back(self, at):
        time.sleep(max(0, at - time.monotonic()))
        self._listening = self._listen(self._port)

    def _listen(self, port):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(64)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return listening

    def _accept(self, listening):
        with contextlib.suppress(OSError):
            while True:
                client, _address = listening.accept()
                pair = (client, socket.create_connection(self._upstream))
                with self._turn:
                    self._pairs.append(pair)
                threading.Thread(target=self._forward, args=pair, daemon=True).start()
                threading.Thread(target=self._answer, args=pair, daemon=True).start()

    def _forward(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                words, seconds = self._trip
                if words and words in data:
                    self._trip, self._tripped = (b"", 0.0), (server, seconds)
                server.sendall(data)
        hang_up(server)

    def _answer(self, client, server):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self._tripped[0] is server:
                    data = whole(data, server)
                    self._refuse(self._tripped[1])
                    client.sendall(data)
                    break
                client.sendall(data)
        hang_up(client)
        hang_up(server)


def whole(data: bytes, server: socket.socket) -> bytes:
    """All of an answer that has begun with `data`."""
    while b"\r\n\r\n" not in data:
        data += server.recv(65536)
    head, _end, body = data.partition(b"\r\n\r\n")
    missing = int(LENGTH.search(head)[1]) - len(body)
    while missing > 0:
        more = server.recv(65536)
        data, missing = data + more, missing - len(more)
    return data


def hang_up(end: socket.socket) -> None:
    """End a connection, also for whoever waits in it."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
