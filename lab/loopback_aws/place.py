# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a lab keeps its files, and that one lab at a time does: no two commands, clones or users meet there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
from typing import Any

CLONE = pathlib.Path(__file__).resolve().parents[2]
# Not TMPDIR, which may be as long as it likes: the path of a Unix socket below has at most 107 bytes, PostgreSQL's own part 20.
BELOW = pathlib.Path("/tmp")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Taken(Exception):
    """A lab has the directory: it is being started, is up or is being taken down."""


def directory_of(name: str, clone: pathlib.Path = CLONE) -> pathlib.Path:
    """Where the lab `name` of `clone` keeps its files. The clone is in it by a digest of its path; inventories/lab reckons the same."""
    digest = hashlib.sha256(os.fsencode(clone)).hexdigest()[:8]
    return BELOW / f"spymeo-lab-{os.getuid()}-{digest}-{name}"


def state_of(name: str) -> dict[str, Any] | None:
    """lab.json of a lab that is up, else None. The id of a server that is gone may be another process's by now."""
    directory = directory_of(name)
    with contextlib.suppress(OSError):  # there is none, or it is somebody else's
        state = json.loads((directory / "lab.json").read_text())
        command = pathlib.Path(f"/proc/{state['pid']}/cmdline").read_bytes()
        return state if os.fsencode(directory) in command else None
    return None


def claim(directory: pathlib.Path) -> int:
    """Make a directory, or empty what a machine that went down has left, for a new lab.

    Returns a descriptor; the claim ends with the last process that has it, however that ends.

    :raises Taken: somebody else has the claim.
    :raises OSError: it cannot be made, or belongs to somebody else.
    """
    while True:
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # the lab that had it has just gone
            continue
        try:
            if _take(descriptor, directory):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _take(descriptor: int, directory: pathlib.Path) -> bool:
    """Lock and empty; False when what was opened has been removed meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Taken(str(directory)) from error
    opened = os.fstat(descriptor)
    if opened.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, f"it belongs to the user with the id {opened.st_uid}", str(directory))
    try:
        if not os.path.samestat(opened, directory.stat()):
            return False
    except FileNotFoundError:
        return False
    os.fchmod(descriptor, 0o700)  # a playbook may have made it, for its store
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return True
