# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DATABASE_URL as Prisma reads it."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spymeo_app.database_url import DatabaseUrl, DatabaseUrlError

URL = "postgresql://spymeo:p%40ss%2Fw%23rd@db.internal:6543/spymeo?schema=public&connection_limit=7&pgbouncer=true"


def test_decodes_each_part():
    url = DatabaseUrl.parse(URL)
    assert (url.user, url.password, url.host, url.port) == ("spymeo", "p@ss/w#rd", "db.internal", 6543)
    assert (url.database, url.schema, url.connection_limit, url.server) == ("spymeo", "public", 7, "db.internal:6543")


def test_takes_prismas_defaults_where_the_url_says_nothing():
    url = DatabaseUrl.parse("postgres://u@h/d")
    assert (url.port, url.schema, url.connection_limit, url.pool_timeout) == (5432, "public", 5, 10)
    assert url.connect_arguments()["connect_timeout"] == "5"


def test_keeps_prismas_own_options_from_libpq():
    url = DatabaseUrl.parse(
        "postgresql://u:p@h/d?schema=app&pool_timeout=3&socket_timeout=9&sslaccept=strict&sslmode=require"
    )
    arguments = url.connect_arguments()
    assert set(arguments) == {"host", "port", "user", "password", "dbname", "options", "connect_timeout", "sslmode"}
    assert arguments["sslmode"] == "require"


def test_names_the_certificate_of_the_authority_as_libpq_does():
    assert DatabaseUrl.parse("postgresql://u:p@h/d?sslcert=/rds.pem").connect_arguments()["sslrootcert"] == "/rds.pem"


@pytest.mark.parametrize(
    ("schema", "option"),
    [
        ("public", '-c search_path="public"'),
        ("my%20schema", '-c search_path="my\\ schema"'),
        ('a"b', '-c search_path="a""b"'),
        ("a%5Cb", '-c search_path="a\\\\b"'),
    ],
)
def test_turns_the_schema_into_the_search_path(schema, option):
    assert DatabaseUrl.parse(f"postgresql://u:p@h/d?schema={schema}").connect_arguments()["options"] == option


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:S3cret@h/d", "must start with the protocol"),
        ("postgresql://u:S3cret@h", "a user, a host and a database"),
        ("postgresql://u:S3cret@/d", "a user, a host and a database"),
        ("postgresql://u:S3cret/5@h/d", "percent-encode"),
        ("postgresql://u:S3cret]@[h/d", "percent-encode"),
        ("postgresql://u:S3cret@h/d?connection_limit=many", "connection_limit must be a whole number"),
        ("postgresql://u:S3cret@h/d?connection_limit=0", "connection_limit must be a whole number"),
    ],
)
def test_refuses_what_it_cannot_read_without_repeating_it(url, reason):
    with pytest.raises(DatabaseUrlError, match=reason) as refused:
        DatabaseUrl.parse(url)
    assert "S3cret" not in str(refused.value)


def test_does_not_show_the_password_when_printed():
    assert "p@ss" not in repr(DatabaseUrl.parse(URL))


@given(user=st.text(min_size=1), password=st.text(), database=st.text(min_size=1))
def test_reads_back_whatever_was_percent_encoded(user, password, database):
    url = DatabaseUrl.parse(
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h/{quote(database, safe='')}"
    )
    assert (url.user, url.password, url.database) == (user, password, database)
