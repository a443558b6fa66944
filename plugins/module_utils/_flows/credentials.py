# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of scenarios that are kept in Secrets Manager. Only what is named is read, and nothing of it is ever shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import check_variables

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway

_KEYS = ("secret", "key")


def check_secrets(given: Mapping[str, Any]) -> None:
    """Refuse secrets (dict: variable → mapping with ``secret`` and perhaps ``key``) that cannot be read.

    :raises RollbackError: with every mistake as evidence.
    """
    mistakes = ["%s: %s" % (name, complaint) for name, item in given.items() for complaint in _complaints(item)]
    if mistakes:
        raise RollbackError(
            "The secrets of the scenarios (verify_secrets) cannot be used. No request was sent.", mistakes
        )


def _complaints(item: Any) -> list[str]:
    if not isinstance(item, dict):
        return ["it is %s, not a mapping with secret and perhaps key" % type(item).__name__]
    found = ["there is no key %s; there are %s" % (key, ", ".join(_KEYS)) for key in item if key not in _KEYS]
    found += [
        "%s is %s, not text" % (key, type(item[key]).__name__)
        for key in _KEYS
        if not isinstance(item.get(key, ""), str)
    ]
    return found if item.get("secret") else [*found, "secret is missing"]


def read_secrets(gateway: SecretsGateway, named: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Variable → value (str), each secret read once.

    :raises RollbackError: a secret or its key is not there, or the value is too short to be masked. It is not shown.
    """
    texts = {}
    for item in named.values():
        if item["secret"] not in texts:
            texts[item["secret"]] = _text(gateway, item["secret"])
    values = {name: _value(texts[item["secret"]], item) for name, item in named.items()}
    check_variables(values)
    return values


def _text(gateway: SecretsGateway, name: str) -> str:
    try:
        return gateway.text("secrets", name)
    except BadInput as error:
        raise RollbackError("verify_secrets names the secret '%s': %s." % (name, error.problem)) from error


def _value(text: str, item: Mapping[str, str]) -> str:
    if not item.get("key"):
        return text
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get(item["key"]), str):
        raise RollbackError(
            "Secret %s has no text under the key %s. Correct verify_secrets." % (item["secret"], item["key"])
        )
    value: str = document[item["key"]]
    return value
