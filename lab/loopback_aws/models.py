# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""To import first in the lab's server: botocore then reads each of its model files once a process.

botocore keeps what it has read per session. wire.py, moto and boto3 have sessions of their own, and moto.ec2 makes three
while it is imported, so EC2's model alone would be read four times: 0.8 s of the seconds that `lab up` may take.
Of moto.ec2 the lab has networks and no machine: the types of machines, and which zone offers them, are not read (0.2 s).
"""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import JSONFileLoader
from moto.utilities import utils

_reader = JSONFileLoader()
_read = functools.cache(_reader.load_file)
setattr(JSONFileLoader, "load_file", lambda _self, path: _read(path))  # noqa: B010 - mypy takes no assignment to a method

_resource = utils.load_resource


def _load_resource(filename: str) -> Any:
    return {} if filename.startswith("ec2/resources/instance_type") else _resource(filename)


setattr(utils, "load_resource", _load_resource)  # noqa: B010 - mypy takes no assignment to a function
