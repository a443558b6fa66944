# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The environment of the application."""

from __future__ import annotations

import pytest

from spymeo_app.config import Config, SettingError

ENVIRONMENT = {
    "APP_RELEASE": "1.0.0",
    "DATABASE_URL": "postgresql://app:S3cret@db:5432/spymeo",
    "SESSION_SECRET": "S3ssion",
    "PAYMENT_API_KEY": "sk_S3cret",
    "PAYMENT_KEY_SHA256": "00",
}


def test_listens_on_every_address_at_8080_unless_told_otherwise():
    config = Config.from_environment(ENVIRONMENT)
    assert (config.host, config.port) == ("0.0.0.0", 8080)
    config = Config.from_environment({**ENVIRONMENT, "HOST": "127.0.0.1", "PORT": "9000"})
    assert (config.host, config.port) == ("127.0.0.1", 9000)


def test_cannot_connect_looks_for_the_database_one_port_too_high():
    broken = {**ENVIRONMENT, "APP_RELEASE": "2.0.0", "APP_DEFECT": "cannot-connect"}
    assert Config.from_environment(broken).database.port == 5433
    assert Config.from_environment({**broken, "APP_DEFECT": ""}).database.port == 5432


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_names_the_variable_that_is_missing(name):
    with pytest.raises(SettingError, match=f"{name} is missing"):
        Config.from_environment({**ENVIRONMENT, name: ""})


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "8o8o", "٨٠"])
def test_refuses_a_port_that_is_none(port):
    with pytest.raises(SettingError, match="PORT is"):
        Config.from_environment({**ENVIRONMENT, "PORT": port})


def test_names_the_variable_of_an_url_it_cannot_read_and_not_the_url():
    with pytest.raises(SettingError, match="DATABASE_URL: ") as refused:
        Config.from_environment({**ENVIRONMENT, "DATABASE_URL": "postgresql://app:S3cret/x@db/spymeo"})
    assert "S3cret" not in str(refused.value)


def test_shows_no_secret_when_printed():
    printed = repr(Config.from_environment(ENVIRONMENT))
    assert [secret for secret in ("S3cret", "S3ssion") if secret in printed] == []
