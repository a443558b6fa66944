# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What end-to-end tests print: kept in a file that only its owner reads, and its last lines for the verdict. Secrets are masked."""

from __future__ import annotations

import collections
import os
import threading
from collections.abc import Iterable

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.expect import without

TAIL = 20  # lines
LONGEST_LINE = 300  # characters of a line in the tail
LONGEST_KEPT = 8000  # characters of a line in the file
LARGEST = 64 * 1024 * 1024  # characters of the file, which is on the disk of the control node


class Output:
    """Takes lines as they come, from any thread.

    :param path: of the file, which is written anew.
    :param secrets: values (iterable of str) that are masked.
    :raises RollbackError: the file cannot be written.
    """

    def __init__(self, path: str, secrets: Iterable[str]) -> None:
        self.path = path
        self._secrets = list(secrets)
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL)
        self._lock = threading.Lock()
        self._room = LARGEST
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise RollbackError(
                "The output of the end-to-end tests cannot be written to %s (%s). Set rollback_e2e_directory to a directory of yours."
                % (path, error.strerror)
            ) from error
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")

    def add(self, line: str) -> None:
        """Take a line; after ``close``, none is taken any more. Colours and what else moves a cursor are left out."""
        shown = without(foreign(without(line.rstrip("\r\n"), self._secrets), LONGEST_KEPT), self._secrets)
        with self._lock:
            if not self._file.closed:
                self._keep(shown)
                if shown.strip():
                    self._tail.append(shown)

    def _keep(self, line: str) -> None:
        if self._room > 0:
            self._file.write(line + "\n")
            self._room -= len(line) + 1
            if self._room <= 0:
                self._file.write("… they printed more than is kept; their last lines are reported with the verdict\n")

    def close(self) -> list[str]:
        """The last lines that are not empty (list of str)."""
        with self._lock:
            self._file.close()
        return [without_secrets(line)[:LONGEST_LINE] for line in self._tail]
