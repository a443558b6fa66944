# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.credentials import (
    check_secrets,
    read_secrets,
)


class Secrets:
    """Secrets by name; keeps which were read."""

    def __init__(self, **texts):
        self.texts, self.read = texts, []

    def text(self, option, name):
        if name not in self.texts:
            raise BadInput(option, name, "there is no such secret in eu-west-3")
        self.read.append(name)
        return self.texts[name]


def test_reads_what_is_named_and_each_secret_once():
    gateway = Secrets(admin='{"email": "a@b.fr", "password": "hunter22"}', token="t0ken", other="never")
    named = {
        "email": {"secret": "admin", "key": "email"},
        "password": {"secret": "admin", "key": "password"},
        "token": {"secret": "token"},
    }
    assert read_secrets(gateway, named) == {"email": "a@b.fr", "password": "hunter22", "token": "t0ken"}
    assert gateway.read == ["admin", "token"]


@pytest.mark.parametrize(
    ("text", "item", "words"),
    [
        ('{"password": "hunter22"}', {"secret": "admin", "key": "pin"}, "Secret admin has no text under the key pin"),
        ('{"pin": 123456}', {"secret": "admin", "key": "pin"}, "Secret admin has no text under the key pin"),
        ("hunter22", {"secret": "admin", "key": "pin"}, "Secret admin has no text under the key pin"),
        ("hunter22", {"secret": "nobody"}, "verify_secrets names the secret 'nobody': there is no such secret"),
        ("hu2", {"secret": "admin"}, "cannot be used"),
    ],
)
def test_what_is_not_there_is_told_without_a_value(text, item, words):
    with pytest.raises(RollbackError) as refused:
        read_secrets(Secrets(admin=text), {"x": item})
    told = " ".join([refused.value.message, *refused.value.evidence])
    assert words in told
    assert "hu" not in told.replace("could", "")
    assert "123456" not in told


def test_wrong_names_are_refused_all_at_once():
    with pytest.raises(RollbackError) as refused:
        check_secrets({"a": "admin", "b": {"key": "x"}, "c": {"secret": 1}, "d": {"secret": "s", "version": "1"}})
    assert refused.value.evidence == [
        "a: it is str, not a mapping with secret and perhaps key",
        "b: secret is missing",
        "c: secret is int, not text",
        "d: there is no key version; there are secret, key",
    ]
    check_secrets({"a": {"secret": "s"}, "b": {"secret": "s", "key": "k"}})
