# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store in a directory of this machine, for one machine that runs all rollbacks of an application."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator

from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    ANY,
    UNUSABLE,
    Conflict,
    Keys,
    StoreError,
    checked,
)

GUARD = ".guard"  # the file that writers lock (flock), one after the other
PATIENCE = 10.0  # seconds; a writer has the guard for milliseconds


class DirectoryStore:
    """Each key is a file below ``root``; a name that begins with a dot is no key."""

    def __init__(self, root: str) -> None:
        self._root = root

    def __str__(self) -> str:
        return self._root

    def absent(self) -> str | None:
        """Why there is nothing in it, or None: a path that is mistyped looks like one in which nothing was ever written."""
        return (
            None
            if os.path.isdir(self._root)
            else "the store %s is not there: nothing was ever written, or rollback_store is mistyped" % self
        )

    def get(self, key: str) -> tuple[str, str] | None:
        """See ``store``."""
        with self._explained("read"):
            try:
                with open(self._path(key), "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                return None
            return content.decode(), _etag(content)

    def put(self, key: str, text: str, expect: str) -> str:
        """See ``store``."""
        content, path = text.encode(), self._path(key)
        with self._explained("written"):
            os.makedirs(self._root, mode=0o700, exist_ok=True)
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with self._guarded():
                if expect != ANY:
                    found = self.get(key)
                    if (ABSENT if found is None else found[1]) != expect:
                        raise Conflict(key)
                _replace(path, content)
        return _etag(content)

    def list(self, prefix: str) -> Keys:
        """See ``store``."""
        top, found = os.path.join(self._root, prefix), Keys()
        with self._explained("read"):
            for folder, folders, files in os.walk(top, onerror=_unless_missing):
                folders[:] = [name for name in folders if not name.startswith(".")]
                below = os.path.relpath(folder, self._root)
                found += [os.path.normpath(os.path.join(below, name)) for name in files if not name.startswith(".")]
        return sorted(found)

    def _path(self, key: str) -> str:
        return os.path.join(self._root, checked(key))

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(UNUSABLE % (self._root, what, getattr(error, "strerror", None) or error)) from error

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        deadline = time.monotonic() + PATIENCE
        with open(os.path.join(self._root, GUARD), "ab", opener=_private) as guard:
            while True:
                try:
                    fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        text = "another process has held its file %s for %d s" % (GUARD, PATIENCE)
                        raise OSError(errno.EWOULDBLOCK, text) from None
                    time.sleep(0.01)
            yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _replace(path: str, content: bytes) -> None:
    """Write a file so that it has all of ``content``, also after a power cut, or is as it was."""
    folder = os.path.dirname(path)
    partial = os.path.join(folder, ".%s" % os.urandom(8).hex())
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
