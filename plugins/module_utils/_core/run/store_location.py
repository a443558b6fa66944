# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``rollback_store`` may say, and whether a directory would vanish with the job that writes it. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT = "~/.local/state/spymeo-rollback"
FORM = "a directory, like /srv/rollback, or s3://bucket/prefix"
MEANT = "vanishing:"  # before a directory: it may go with the job

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[A-Za-z0-9/._-]*))?\Z")
_CONTAINER = "/runner/"  # where ansible-runner's execution environments have the job's own files
_OF_THE_JOB = ("AWX_ISOLATED_DATA_DIR", "AWX_PRIVATE_DATA_DIR")  # set by ansible-runner, and by AWX


@dataclass(frozen=True)
class Bucket:
    """A place in S3."""

    name: str
    prefix: str


@dataclass(frozen=True)
class StoreDirectory:
    """A place on this machine; ``meant`` says that it may vanish."""

    path: str
    meant: bool


def store_of(text: str) -> Bucket | StoreDirectory | None:
    """The Bucket or StoreDirectory of a store's name, None when it is neither."""
    if text.startswith("s3:"):
        match = _S3.match(text)
        return Bucket(match["bucket"], match["prefix"] or "") if match else None
    path = text[len(MEANT) :] if text.startswith(MEANT) else text
    if not path.startswith(("/", "~/")):
        return None
    return StoreDirectory(path, path != text)


def vanishes(path: str, environment: Mapping[str, str], on_root: bool) -> str | None:
    """Why a directory goes with the job, or None when it stays.

    :param path: absolute.
    :param environment: the process's variables.
    :param on_root: whether it is on the file system of ``/``, and so not on a volume that was mounted into a container.
    """
    own = [environment[name] for name in _OF_THE_JOB if environment.get(name)]
    for folder in own:
        if posixpath.commonpath([path, folder]) == posixpath.normpath(folder):
            return "it is below %s, which goes with the job" % folder
    if on_root and any((folder + "/").startswith(_CONTAINER) for folder in own):
        return "the job runs in a container, and this is not on a volume of it"
    return None
