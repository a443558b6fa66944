# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what ``rollback_store`` says to a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import (
    FORM,
    MEANT,
    Bucket,
    store_of,
    vanishes,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import Store


def open_store(text: str, s3_client: Callable[[], Any], environment: Mapping[str, str] | None = None) -> Store:
    """A store (see ``store``); nothing was read or written yet.

    :param text: what ``rollback_store`` says.
    :param s3_client: callable → boto3's client of S3. It is called for a bucket only: boto3 takes 0.3 s to start.
    :raises BadInput: it is no store, or a directory that would vanish with the job.
    """
    place = store_of(text)
    if place is None:
        raise BadInput("store", text, "it is neither a directory nor a bucket", "It must be %s." % FORM)
    if isinstance(place, Bucket):
        from ansible_collections.spymeo.rollback.plugins.module_utils._aws.s3_store import S3Store

        return S3Store(s3_client(), place.name, place.prefix)
    path = os.path.realpath(os.path.expanduser(place.path))
    why = vanishes(path, os.environ if environment is None else environment, _device(path) == _device("/"))
    if why and not place.meant:
        raise BadInput(
            "store",
            text,
            "what a run remembers would be lost: %s" % why,
            "Set it to s3://bucket/prefix or to a directory on a volume; %s%s says that it is meant." % (MEANT, text),
        )
    return DirectoryStore(path)


def _device(path: str) -> int:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_dev
