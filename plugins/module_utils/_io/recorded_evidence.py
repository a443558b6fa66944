# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads evidence that an earlier look has written down.

It is read here, and not by Ansible: what applications have logged is in it, and extra variables are templates, which run on this machine.
"""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import printable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import from_json

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import Evidence

LARGEST = 8 * 1024 * 1024  # bytes; a look with every kind of error that is kept has less than one


def read_recorded(path: str) -> Evidence:
    """The Evidence in a file.

    :raises BadInput: it cannot be read, or is no JSON.
    :raises RollbackError: it is no evidence.
    """
    try:
        told = json.loads(_text(path))
    except OSError as error:
        raise BadInput("evidence_from", path, "it cannot be read (%s)" % error.strerror) from error
    except (ValueError, RecursionError) as error:
        cure = "It takes a file that rollback_evidence_file has written."
        raise BadInput("evidence_from", path, "it holds no JSON that can be read", cure) from error
    return from_json(printable(told))


def _text(path: str) -> str:
    # A pipe would be waited for, and a device never ends.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadInput("evidence_from", path, "it is no plain file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadInput("evidence_from", path, "it is larger than %d MiB" % (LARGEST // 1024**2))
    return content.decode("utf-8")
