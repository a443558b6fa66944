# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""salvage.yml after a database rollback: 10,000 new sign-ups, edits, deletions and what the migration has corrupted, told apart."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
import shlex
import sys

import pytest
from psycopg import sql

from spymeo_world import world
from spymeo_world.demo import Visitor

ROOT = pathlib.Path(__file__).parents[2]
NEW, EDITED, DELETED, PAID = 10_000, 7, 3, 4
MARGIN = 10_000
RULES = {
    "Practitioner": {
        "renamed": {"fullName": "displayName"},
        "corrupted_when": "\"city\" = 'Lyon' AND \"displayName\" NOT LIKE '% %'",
    }
}
HOSTILE_TABLES = (
    "../escaped",
    "\x1b[2J\x1b[H\r\nDONE      run rb-1 is complete\nNEXT      curl evil",
    'Has "quotes"',
    "CON",
    "con",
)
SIGN_UPS = """
    INSERT INTO "Practitioner" ("id", "email", "displayName", "city", "passwordHash", "phone")
    SELECT 'new-' || n, 'new-' || n || '@spymeo.invalid', 'Nouvelle Personne ' || n, 'Nantes, "Île"', 'hash', NULL
    FROM generate_series(1, {count}) AS n
"""
# Serial and identity columns and plain sequences of all kinds; the last statement is for the failed database alone.
SEQUENCES = """
    CREATE SCHEMA audit;
    CREATE TABLE audit."Event" ("id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (INCREMENT BY -1), "note" text);
    CREATE TABLE audit."Seat" ("id" smallserial PRIMARY KEY);
    CREATE SEQUENCE audit.wide;
    CREATE TABLE audit."Narrow" ("id" integer PRIMARY KEY DEFAULT nextval('audit.wide'));
    CREATE SEQUENCE audit.unused START 500;
    CREATE SEQUENCE audit.round MAXVALUE 40 CYCLE CACHE 5;
    CREATE SEQUENCE audit.restarted;
    INSERT INTO audit."Event" ("note") SELECT 'before' FROM generate_series(1, 5);
    SELECT setval('audit.restarted', 700000, false);
    SELECT setval('audit."Seat_id_seq"', 32000);
    SELECT setval('audit.wide', 2147483640);
"""
SINCE = """
    INSERT INTO audit."Event" ("note") SELECT 'since' FROM generate_series(1, 20000);
    INSERT INTO audit."Seat" DEFAULT VALUES;
    CREATE SEQUENCE audit.later;
    ALTER SEQUENCE audit.unused RENAME TO renamed;
    SELECT nextval('audit.renamed') FROM generate_series(1, 3);
    SELECT nextval('audit.round') FROM generate_series(1, 39);
"""
LAST = "SELECT last_value, is_called FROM audit.{}"


def pay(production) -> int:
    """The number of a payment of today, which the application has taken."""
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        (practitioner,) = connection.execute('SELECT "practitionerId" FROM "Payment" ORDER BY "id" DESC').fetchone()
    body = {"practitionerId": practitioner, "amountCents": 2900}
    status, answer = Visitor(production.state["base_url"]).ask("POST", "/api/payments", body)
    assert status == 201, answer
    return answer["id"]


@pytest.fixture(scope="module")
def story(shared_production, tmp_path_factory):
    """The accident; users go on writing; the database goes back to the moment before the accident; salvage, twice."""
    production = shared_production
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        rows = connection.execute('SELECT count(*) FROM "Practitioner"').fetchone()[0]
        connection.execute(SEQUENCES)
    before = datetime.datetime.now(datetime.UTC).isoformat()
    production.accident("bad-migration")
    lost = [pay(production) for _number in range(PAID)]
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        has_phone = connection.execute(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'Practitioner' AND column_name = 'phone'"
        ).fetchone()[0]
        statement = SIGN_UPS.format(count=NEW)
        connection.execute(statement if has_phone else statement.replace(', "phone"', "").replace(", NULL", ""))
        ids = [
            row[0]
            for row in connection.execute(
                'SELECT "id" FROM "Practitioner" WHERE "id" NOT LIKE \'new-%\' ORDER BY "id" LIMIT 10'
            )
        ]
        for name in ids[:EDITED]:
            connection.execute(
                'UPDATE "Practitioner" SET "displayName" = \'Prénom Nom\', "city" = \'Brest\' WHERE "id" = %s', (name,)
            )
        for name in ids[EDITED : EDITED + DELETED]:
            connection.execute('DELETE FROM "Practitioner" WHERE "id" = %s', (name,))
        connection.execute(SINCE)
    rolled_back = production.play(
        "rollback_database", "-e", json.dumps({"rollback_point_in_time": before, "rollback_despite_migrations": True})
    )
    assert rolled_back.code == 0, rolled_back.output
    assert "rds RestoreDBInstanceToPointInTime" in rolled_back.written
    restored = next(name for name in production.instances() if name != world.DB_INSTANCE)
    after = [pay(production) for _number in range(PAID)]
    for instance in (world.DB_INSTANCE, restored):
        with world.connect(production.state["endpoint_url"], instance) as connection:
            for table in HOSTILE_TABLES:
                name = sql.Identifier(table)
                connection.execute(sql.SQL('CREATE TABLE {} ("id" bigint PRIMARY KEY, "note" text)').format(name))
                if instance == world.DB_INSTANCE:
                    connection.execute(sql.SQL("INSERT INTO {} VALUES (1, '=1+1')").format(name))
    directory = tmp_path_factory.mktemp("salvage") / "rows"
    given = json.dumps({"rollback_salvage_directory": str(directory), "rollback_salvage_rules": RULES})
    return {
        "production": production,
        "rows": rows,
        "rolled_back": rolled_back,
        "restored": restored,
        "lost": lost,
        "after": after,
        "directory": directory,
        "check": production.play("salvage", "--check", "-e", given),
        "first": production.play("salvage", "--diff", "-vvv", "-e", given),
        "second": production.play("salvage", "-e", given),
    }


def test_the_rows_are_told_apart(story):
    corrupted = story["rows"] - EDITED - DELETED
    line = f"{NEW} new, {EDITED} changed, {corrupted} corrupted, {DELETED} missing"
    for played in (story["check"], story["first"]):
        assert played.code == 0, played.output
        assert [text for text in played.output.splitlines() if "TABLE     Practitioner " in text and line in text]


def test_the_plan_and_the_outcome_tell_how_far_ids_go_and_where_they_cannot(story):
    said = " ".join(story["rolled_back"].output.split())
    for words in (
        "IDS sequences of the restored database, also those of identity columns, go beyond the 7 of the failed one, by 10,000 values",
        "IDS 6 sequences went beyond those of the failed database, by 10,000 values or more; 2 of them by less, near their bounds; 1 stays",
        "BEWARE ids audit.Seat_id_seq: it is near its bound: it goes 382 values ahead instead of 10,000",
        "BEWARE ids audit.wide: it is near its bound: it goes 3 values ahead instead of 10,000",
        "BEWARE ids audit.round: it may give ids that the failed database has given",
        "CYCLE",
    ):
        assert words in said, words
    journal = pathlib.Path(f"{story['production'].state['directory']}/rollback-store").rglob("journal/*/*")
    entries = [json.loads(path.read_text()) for path in journal]
    (moved,) = [entry for entry in entries if entry["service"] == "postgresql"]
    assert (moved["operation"], moved["outcome"], moved["of"]["sequences"]) == ("setval", "ok", "6 sequences")


def test_every_sequence_is_beyond_the_failed_one_and_none_is_beyond_its_bound(story):
    state = story["production"].state

    def last(instance, name):
        with world.connect(state["endpoint_url"], instance) as connection:
            return connection.execute(sql.SQL(LAST).format(sql.Identifier(name))).fetchone()

    # 20,000 were given since, and as many lie between. A restored server has skipped up to 32 by itself, as after a crash (SEQ_LOG_VALS).
    assert -40_005 <= last(story["restored"], "Event_id_seq")[0] <= -40_005 + 32
    assert last(story["restored"], "Seat_id_seq") == (32_001 + 382, True)
    assert last(story["restored"], "wide") == (2_147_483_643, True)
    assert last(story["restored"], "unused") == (502 + MARGIN, True)
    assert last(story["restored"], "restarted") == (699_999 + MARGIN, True)
    assert last(story["restored"], "round") == (1, False)


def test_no_payment_has_the_number_of_another_one(story):
    assert min(story["after"]) > max(story["lost"]) + MARGIN - 1
    with world.connect(story["production"].state["endpoint_url"], story["restored"]) as connection:
        deleted = connection.execute('SELECT count(*) FROM "Payment"').fetchone()[0] - PAID
    with world.connect(story["production"].state["endpoint_url"], world.DB_INSTANCE) as connection:
        missing = deleted - connection.execute('SELECT count(*) FROM "Payment"').fetchone()[0] + PAID
    line = f"{PAID} new, 0 changed, 0 corrupted, {missing + PAID} missing"
    assert [text for text in story["first"].output.splitlines() if "TABLE     Payment " in text and line in text]


def test_only_files_change_and_a_second_time_not_even_they(story):
    assert story["first"].written == []
    assert (story["first"].recap["changed"], story["second"].recap["changed"]) == (1, 0)
    names = sorted(path.name for path in story["directory"].iterdir())
    assert {"Practitioner.new.csv", "Practitioner.changed.csv", "Practitioner.corrupted.csv"} <= set(names)
    assert not [name for name in names if name.endswith(".partial")]
    modes = {oct(path.stat().st_mode & 0o777) for path in [story["directory"], *story["directory"].iterdir()]}
    assert modes == {"0o700", "0o600"}


def test_no_row_and_no_secret_is_in_what_is_printed(story):
    printed = story["check"].output + story["first"].output + story["second"].output
    assert [word for word in ("Nouvelle Personne", "@spymeo.invalid", world.DB_PASSWORD) if word in printed] == []


def test_new_rows_load_into_the_restored_database(story):
    production = story["production"]
    restored = next(name for name in production.instances() if name != world.DB_INSTANCE)
    assert '"why"' not in (story["directory"] / "Practitioner.new.csv").read_text().split("\n", 1)[0]
    with world.connect(production.state["endpoint_url"], restored) as connection:
        before = connection.execute('SELECT count(*) FROM "Practitioner"').fetchone()[0]
        assert before == story["rows"]
    loading = production.run(load_command(story), PGPASSWORD=world.DB_PASSWORD)
    assert loading.code == 0, loading.output
    with world.connect(production.state["endpoint_url"], restored) as connection:
        assert connection.execute('SELECT "note" FROM "../escaped"').fetchall() == [("=1+1",)]
        loaded = connection.execute(
            'SELECT count(*) FROM "Practitioner" WHERE "city" = \'Nantes, "Île"\' AND "fullName" LIKE \'Nouvelle Personne %\''
        ).fetchone()[0]
        numbers = [number for (number,) in connection.execute('SELECT "id" FROM "Payment"').fetchall()]
    assert loaded == NEW
    assert {*story["lost"], *story["after"]} <= set(numbers)
    assert pay(production) not in numbers  # the application's next insert


def load_command(story):
    """The command that the play has printed, with the psql of this machine's servers."""
    (line,) = [line for line in story["second"].output.splitlines() if "psql -h" in line]
    program, *arguments = shlex.split(line.strip().strip(',"'))
    return [f"{world.programs()}/{program}", *arguments]


def test_whatever_a_table_is_called_its_rows_stay_in_the_directory_and_its_name_begins_no_line(story):
    assert sorted(path.name for path in story["directory"].parent.iterdir()) == ["rows"]
    names = [path.name for path in story["directory"].iterdir()]
    assert "%2E%2E%2Fescaped.new.csv" in names
    assert {"%43ON.new.csv", "%63on.new.csv"} <= set(names)
    for name in ("check", "first", "second"):
        output = story[name].output
        assert "\x1b" not in output
        # A name that is the key of a JSON value, which -v shows, is no line of ours.
        assert not re.search(r'^[\s"]*(?:DONE      run rb-1|NEXT      curl)(?![^"\n]*": \{)', output, re.MULTILINE)


def test_the_record_of_prisma_is_told_and_not_offered(story):
    assert "_prisma_migrations was not compared: it is Prisma's own record" in story["second"].output
    assert not [path for path in story["directory"].iterdir() if "_prisma_migrations" in path.name]
    assert "_prisma_migrations" not in (story["directory"] / "load-new-rows.psql").read_text()


def test_the_instance_that_is_in_use_is_no_failed_one(story):
    restored = next(name for name in story["production"].instances() if name != world.DB_INSTANCE)
    played = story["production"].play("salvage", "-e", f"rollback_failed_db_instance={restored}")
    assert played.code != 0
    assert "it is in service, so there is nothing to compare it with" in " ".join(played.output.split())


MILLION, MORE, OTHERWISE = 1_000_000, 500, 3
LEDGER = """
    CREATE TABLE "Ledger" ("id" bigint PRIMARY KEY, "note" text NOT NULL);
    INSERT INTO "Ledger" SELECT n, md5(n::text) FROM generate_series(1, {rows}) AS n
"""
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("PEAK", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "KiB")  # the largest of all processes below
sys.exit(code)
"""


def test_a_million_rows_are_streamed(story, tmp_path):
    production = story["production"]
    restored = next(name for name in production.instances() if name != world.DB_INSTANCE)
    for name, rows in ((world.DB_INSTANCE, MILLION + MORE), (restored, MILLION)):
        with world.connect(production.state["endpoint_url"], name) as connection:
            connection.execute(LEDGER.format(rows=rows))
            if name == world.DB_INSTANCE:
                connection.execute('UPDATE "Ledger" SET "note" = \'other\' WHERE "id" <= %s', (OTHERWISE,))
    given = json.dumps({"rollback_salvage_directory": str(tmp_path / "rows"), "rollback_salvage_rules": RULES})
    play = ["ansible-playbook", str(ROOT / "playbooks/salvage.yml"), "-i", str(ROOT / "inventories/lab"), "-e", given]
    played = production.run([sys.executable, "-c", MEASURED, *play])
    assert played.code == 0, played.output
    line = f"{MORE} new, {OTHERWISE} changed, 0 corrupted, 0 missing"
    assert [text for text in played.output.splitlines() if "TABLE     Ledger " in text and line in text]
    peak = int(played.output.split("PEAK ")[1].split()[0])
    assert peak <= 300 * 1024, f"{peak} KiB"
