# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CSV files of a salvage. Rows are personal data, so nobody but their owner reads them."""

from __future__ import annotations

import contextlib
import filecmp
import os

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._salvage.decide import as_csv
from ansible_collections.spymeo.rollback.plugins.module_utils._salvage.state import CORRUPTED, STATES

PARTIAL = ".partial"


class TableFiles:
    """The files of one table, one a state, written beside the final ones and put in place when they are whole."""

    def __init__(self, directory, table, columns):
        self._paths = {state: os.path.join(directory, "%s.%s.csv" % (table, state)) for state in STATES}
        self._columns = columns
        self._open = {}

    def add(self, state, values, why):
        """Write a row down. Broken ones also have why, and so cannot be loaded by mistake."""
        if state not in self._open:
            self._open[state] = _create(self._paths[state] + PARTIAL)
            self._open[state].write(as_csv([*self._columns, *(["why"] if state == CORRUPTED else [])]))
        self._open[state].write(as_csv([*values, *([why] if state == CORRUPTED else [])]))

    def finish(self):
        """Put the files in place. Returns whether one has changed, and the paths of those that are there, by state.

        A file of an earlier salvage whose rows are gone now is left as it is: nothing is deleted.
        """
        changed = False
        for state, handle in self._open.items():
            handle.close()
            path = self._paths[state]
            same = os.path.exists(path) and filecmp.cmp(path, path + PARTIAL, shallow=False)
            os.replace(path + PARTIAL, path)
            changed = changed or not same
        return changed, {state: self._paths[state] for state in self._open}

    def abandon(self):
        """Leave no half file behind."""
        for state, handle in self._open.items():
            handle.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._paths[state] + PARTIAL)


def _create(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def make_directory(path):
    """Make a directory that only its owner can enter.

    :raises RollbackError: it cannot be made, or is not ours.
    """
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chmod(path, 0o700)
    except OSError as error:
        raise RollbackError(
            "The directory %s cannot be used (%s). Set rollback_salvage_directory to one that you own."
            % (path, error.strerror)
        ) from error
