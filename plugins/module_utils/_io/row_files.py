# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a salvage. Rows are personal data, so nobody but their owner reads them, and nothing is written beside their directory.

Everything goes through a descriptor of the directory, so what is put in its place meanwhile gets nothing. A file is made with a name that
nothing has (O_EXCL), and takes its place at once; a link that stands there is replaced, not followed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from typing import IO

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.row_diff import as_csv
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import CORRUPTED, STATES

PARTIAL = ".partial"
_PART = 64 * 1024  # bytes that are compared at a time
_CURE = "Set rollback_salvage_directory to a directory of yours, or to one that is not there yet."


class TableFiles:
    """The files of one table, one a state, written beside the final ones and put in place when they are whole.

    :param directory: RowDirectory.
    :param stem: what their names begin with: see ``names.stems``.
    """

    def __init__(self, directory: RowDirectory, stem: str, columns: Sequence[str]) -> None:
        self._directory, self._columns = directory, columns
        self._names = {state: "%s.%s.csv" % (stem, state) for state in STATES}
        self._open: dict[str, IO[str]] = {}

    def add(self, state: str, values: Sequence[str | None], why: str | None) -> None:
        """Write a row down. Broken ones also have why, and so cannot be loaded by mistake."""
        if state not in self._open:
            self._open[state] = self._directory.create(self._names[state] + PARTIAL)
            self._open[state].write(as_csv([*self._columns, *(["why"] if state == CORRUPTED else [])]))
        self._open[state].write(as_csv([*values, *([why] if state == CORRUPTED else [])]))

    def finish(self) -> tuple[bool, dict[str, str]]:
        """Put the files in place. Returns whether one has changed, and the paths of those that are there, by state.

        A file of an earlier salvage whose rows are gone now is left as it is: nothing is deleted.
        """
        changed = False
        for state, handle in self._open.items():
            handle.close()
            changed = self._directory.put_in_place(self._names[state]) or changed
        return changed, {state: self._directory.path_of(self._names[state]) for state in self._open}

    def abandon(self) -> None:
        """Leave no half file behind."""
        for state, handle in self._open.items():
            handle.close()
            self._directory.discard(self._names[state] + PARTIAL)


class RowDirectory:
    """A directory for personal data, opened once; to be used in a ``with``.

    It is made with mode 0700. One that is there keeps its mode: it may be a system's. But nobody else may be able to rename or replace
    what is in it, because a person loads it into production: others may write to it only where it is sticky.

    :raises RollbackError: it cannot be made, is not ours, or somebody else salvages into it right now.
    """

    _descriptor: int  # while it is open

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        if not self._path.isprintable():
            raise RollbackError("rollback_salvage_directory has a control character in its name. %s" % _CURE)

    def __enter__(self) -> RowDirectory:
        with self._usable():
            _make(self._path)
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._refuse_what_others_can_change()
            self._lock()
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)

    def path_of(self, name: str) -> str:
        """The whole path of a file."""
        return os.path.join(self._path, name)

    def create(self, name: str) -> IO[str]:
        """A new file, open for writing. What a run that was killed has left under the name goes."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with self._usable():
            self.discard(name)
            descriptor = os.open(name, flags, 0o600, dir_fd=self._descriptor)
        return os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")

    def put_in_place(self, name: str) -> bool:
        """Let the whole file ``name`` + PARTIAL take the place of ``name``. Returns whether that is a change."""
        changed = not self._same(name, name + PARTIAL)
        with self._usable():
            os.replace(name + PARTIAL, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        return changed

    def discard(self, name: str) -> None:
        """Take a file away, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def write(self, name: str, text: str) -> bool:
        """Write a whole file. Returns whether that is a change."""
        with self.create(name + PARTIAL) as handle:
            handle.write(text)
        return self.put_in_place(name)

    def _same(self, name: str, other: str) -> bool:
        with contextlib.suppress(OSError), self._read(name) as one, self._read(other) as two:
            while True:
                parts = one.read(_PART), two.read(_PART)
                if parts[0] != parts[1] or not parts[0]:
                    return parts[0] == parts[1]
        return False

    def _read(self, name: str) -> IO[bytes]:
        """A plain file, open for reading; neither a link nor something that never ends.

        :raises OSError: it is not there, or none.
        """
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no plain file")
        return os.fdopen(descriptor, "rb")

    def _refuse_what_others_can_change(self) -> None:
        seen = os.fstat(self._descriptor)
        others_write = seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not seen.st_mode & stat.S_ISVTX
        # root is who it is in a container, whose volumes belong to others.
        anothers = os.geteuid() != 0 and seen.st_uid not in (0, os.geteuid())
        if others_write or anothers:
            raise RollbackError(
                "The directory %s %s, who could exchange the rows before they are loaded. %s"
                % (self._path, "can be written to by others" if others_write else "belongs to somebody else", _CURE)
            )

    def _lock(self) -> None:
        """Two salvages into one directory would take each other's half files for theirs."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RollbackError(
                "Another salvage writes into %s right now. Wait for it, or set rollback_salvage_directory." % self._path
            ) from error
        except OSError:
            return  # some network file systems have no locks

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RollbackError(
                "The directory %s cannot be used (%s). %s" % (self._path, error.strerror, _CURE)
            ) from error


def _make(path: str) -> None:
    """Make a directory, and those above it that are missing, each for its owner alone."""
    if not os.path.isdir(path):
        _make(os.path.dirname(path))
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
