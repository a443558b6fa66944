# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that reads and writes versions of SSM parameters. It never deletes one, and creates none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import Parameter, Put, bare_name

_A_CALL = 10  # names that GetParameters takes


class ParametersGateway:
    """:param client: boto3 client of SSM."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def parameter(self, name: str) -> Parameter:
        """The Parameter of a name or ARN, with its versions. Values are not decrypted.

        :raises BadInput: there is no such parameter.
        """
        bare = bare_name(name)
        try:
            pages = self._client.get_paginator("get_parameter_history").paginate(Name=bare, WithDecryption=False)
            history = [entry for page in pages for entry in page["Parameters"]]
        except is_boto3_error_code("ParameterNotFound") as error:
            where = self._client.meta.region_name
            raise BadInput("parameters", name, "there is no such parameter in %s" % where) from error
        with reading("GetParameterHistory"):
            return Parameter.from_boto(bare, history)

    def value(self, parameter: Parameter | Put, version: str) -> str:
        """The value of a version (its number as str), decrypted: a secret."""
        answer = self._client.get_parameter(Name="%s:%s" % (parameter.name, version), WithDecryption=True)
        with reading("GetParameter"):
            value: str = answer["Parameter"]["Value"]
        return value

    def newest_change(self, names: Iterable[str]) -> datetime | None:
        """When the newest change to one of these parameters (names or ARNs) was made (aware datetime); None without parameters.

        One that does not exist is left out: a task that names it could not start, which is reported elsewhere.
        """
        names, found = sorted(set(names)), list[dict[str, Any]]()
        for start in range(0, len(names), _A_CALL):
            found += parameters(self._client, names[start : start + _A_CALL])[0]
        with reading("GetParameters"):
            return max((item["LastModifiedDate"] for item in found), default=None)

    def put(self, put: Put) -> str:
        """Write the value of a Put as the newest version, and give that version's number (str).

        :raises RollbackError: somebody else wrote a version in between. Parameter Store has no compare-and-swap; the numbers tell.
        """
        answer = self._client.put_parameter(
            Name=put.name,
            Value=put.value,
            Type=put.source.type,
            Overwrite=True,
            Tier=put.tier,
            **dict(put.source.settings),
        )
        with reading("PutParameter"):
            written = answer["Version"]
        between = range(int(put.current.id) + 1, written)
        # A try of ours whose answer was lost has made a version, too.
        if any(self.value(put, str(number)) != put.value for number in between):
            raise RollbackError(
                "Somebody else wrote parameter %s while we worked: version %s was the newest, and ours has become %d. Look at the versions in between, "
                "then run again." % (put.name, put.current.id, written)
            )
        return str(written)


def parameters(client: Any, names: Sequence[str], decrypted: bool = False) -> tuple[list[dict[str, Any]], list[str]]:
    """GetParameters: (shapes Parameter, names that there are none of), of up to 10 names or ARNs. AWS leaves an empty list out.

    :param client: boto3 client of SSM.
    :param decrypted: whether the values of SecureStrings are wanted.
    """
    answer = client.get_parameters(Names=list(names), **(dict(WithDecryption=True) if decrypted else {}))
    return answer.get("Parameters", []), answer.get("InvalidParameters", [])
