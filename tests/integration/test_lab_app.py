# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's application, run as a container runs it, against a PostgreSQL server of its own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg
import pytest
import requests

from loopback_aws.machine import programs
from loopback_aws.processes import NOBODY, demotion
from spymeo_app import seed
from spymeo_app.releases import DEFECTS

APP = pathlib.Path(__file__).parents[2] / "lab" / "app"
PASSWORD = "p@ss/w#rd"  # must be percent-encoded in a URL
ADMIN_PASSWORD = "Correct-Horse-1"
SESSION_SECRET = "session-s3cret"
PAYMENT_API_KEY = "sk_live_s3cret"
BAD_MIGRATION = "20250310140000_rename_full_name_to_display_name"
HARMLESS_MIGRATION = "20250310140000_add_practitioner_phone"
DEADLINE = 15  # seconds for what takes one


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(answered, process: subprocess.Popen, *errors: type[Exception]):
    """The first answer that raises none of `errors`; fails when the process ends or the deadline passes."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return answered()
        except errors:
            assert process.poll() is None, f"the process ended with status {process.returncode}"
            assert time.monotonic() < deadline, f"no answer within {DEADLINE} seconds"
            time.sleep(0.02)


class Database:
    """One database of the test's server."""

    def __init__(self, port: int, name: str):
        self.port, self.name = port, name

    @property
    def url(self) -> str:
        options = "schema=public&connection_limit=5&pgbouncer=true"
        return f"postgresql://spymeo:p%40ss%2Fw%23rd@127.0.0.1:{self.port}/{self.name}?{options}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="spymeo", password=PASSWORD, dbname=self.name, autocommit=True
        )

    def rows(self, query: str) -> list[tuple]:
        with self.connect() as connection:
            return connection.execute(query).fetchall()


def environment(database: Database, release: str, defect: str = "", **changes: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(APP),
        "HOST": "127.0.0.1",
        "DATABASE_URL": database.url,
        "SESSION_SECRET": SESSION_SECRET,
        "PAYMENT_API_KEY": PAYMENT_API_KEY,
        "PAYMENT_KEY_SHA256": hashlib.sha256(PAYMENT_API_KEY.encode()).hexdigest(),
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "APP_RELEASE": release,
        "APP_DEFECT": defect,
        **changes,
    }


def run(command: str, env: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "spymeo_app", command], env=env, capture_output=True, text=True, timeout=DEADLINE
    )


class Task:
    """A running `serve`, and its log once it has ended."""

    def __init__(self, env: dict[str, str], log: pathlib.Path):
        port = free_port()
        self._log = log
        self.url = f"http://127.0.0.1:{port}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", "spymeo_app", "serve"],
                env={**env, "PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    def health(self) -> requests.Response:
        return wait_until(
            lambda: requests.get(f"{self.url}/api/health", timeout=DEADLINE), self.process, requests.ConnectionError
        )

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        return self.log

    @property
    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture(scope="module")
def _server():
    with tempfile.TemporaryDirectory(prefix="spymeo-app-test-", dir="/tmp") as directory:
        folder, port = pathlib.Path(directory), free_port()
        (folder / "password").write_text(PASSWORD)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(data, NOBODY, NOBODY)
        initdb = [
            programs() / "initdb",
            "-D",
            data,
            "-U",
            "spymeo",
            "--auth=scram-sha-256",
            "--no-sync",
            "--no-instructions",
        ]
        locale = ["--encoding=UTF8", "--locale=C", f"--pwfile={folder / 'password'}"]
        subprocess.run(["setpriv", *demotion(), *initdb, *locale], check=True, capture_output=True)
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        with (folder / "log").open("wb") as log:
            # SIGQUIT ends PostgreSQL at once, also when this process dies and cannot say so itself.
            server = subprocess.Popen(
                ["setpriv", "--pdeathsig=QUIT", *demotion(), programs() / "postgres", "-D", data]
                + [f"--{name}={value}" for name, value in settings.items()],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            wait_until(lambda: Database(port, "postgres").connect().close(), server, psycopg.OperationalError)
            yield port
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(DEADLINE)


@pytest.fixture(scope="module")
def _seeded(_server):
    """A database with the schema and the rows of release 1.0.0, to be copied."""
    template = Database(_server, "seeded")
    with Database(_server, "postgres").connect() as connection:
        connection.execute("CREATE DATABASE seeded")
    assert run("migrate", environment(template, "1.0.0")).returncode == 0
    assert run("seed", environment(template, "1.0.0")).returncode == 0
    return template


@pytest.fixture
def database(_seeded):
    """A database of this test's own: release 1.0.0 with its seeded rows."""
    name = f"test_{time.monotonic_ns()}"
    with Database(_seeded.port, "postgres").connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE seeded")
    return Database(_seeded.port, name)


@pytest.fixture
def start(tmp_path):
    """Starts tasks; those that the test has not stopped are killed."""
    with contextlib.ExitStack() as stack:

        def started(env: dict[str, str]) -> Task:
            task = Task(env, tmp_path / f"{time.monotonic_ns()}.log")
            stack.callback(task.process.wait)
            stack.callback(task.process.kill)
            return task

        yield started


@pytest.fixture
def serve(database, start):
    """Starts a release on the test's database and waits until it answers; release 2.0.0 migrates first, as the pipeline does."""

    def serving(release: str, defect: str = "", **changes: str) -> Task:
        env = environment(database, release, defect, **changes)
        if release == "2.0.0":
            assert run("migrate", env).returncode == 0
        task = start(env)
        task.health()
        return task

    return serving


def sign_up(task: Task, client=requests, email: str = "New@Example.com") -> requests.Response:
    body = {"email": email, "fullName": "Ada Lovelace", "city": "Paris", "password": "long-enough"}
    return client.post(f"{task.url}/api/practitioners", json=body, timeout=DEADLINE)


def log_in(task: Task, client=requests, password: str = ADMIN_PASSWORD) -> requests.Response:
    body = {"email": seed.ADMIN_EMAIL, "password": password}
    return client.post(f"{task.url}/api/admin/login", json=body, timeout=DEADLINE)


def dashboard(task: Task, client=requests) -> requests.Response:
    return client.get(f"{task.url}/api/admin/dashboard", timeout=DEADLINE)


def pay(task: Task, practitioner: str) -> requests.Response:
    body = {"practitionerId": practitioner, "amountCents": 4900}
    return requests.post(f"{task.url}/api/payments", json=body, timeout=DEADLINE)


def fingerprint(database: Database) -> str:
    with database.connect() as connection:
        return seed.fingerprint(connection)


SEEDED_PRACTITIONER = seed.practitioner(0)[0]


@pytest.mark.parametrize("release", ["1.0.0", "2.0.0"])
def test_a_sound_release_does_all_that_it_is_for(serve, release):
    task, client = serve(release), requests.Session()
    assert task.health().json() == {"status": "ok", "release": release, "database": "ok"}
    assert log_in(task, client).status_code == 200
    created = sign_up(task, client)
    assert (created.status_code, created.json()["email"]) == (201, "new@example.com")
    identity = created.json()["id"]
    assert pay(task, identity).status_code == 201
    seen = dashboard(task, client).json()
    assert (seen["practitioners"], seen["payments"], seen["latest"][0]["fullName"]) == (3001, 1001, "Ada Lovelace")
    assert seen["latest"][1]["createdAt"] == "2024-07-06T18:30:00.000Z"
    assert client.delete(f"{task.url}/api/practitioners/{identity}", timeout=DEADLINE).status_code == 204
    assert dashboard(task, client).json()["practitioners"] == 3000
    log = task.stop()
    assert task.process.returncode == 0
    assert log.startswith("prisma:info Starting a postgresql pool with 5 connections.\n")
    assert '"msg":"listening"' in log
    assert "Error" not in log


def test_refuses_strangers_bad_input_and_duplicates(serve):
    task, client = serve("1.0.0"), requests.Session()
    assert dashboard(task).status_code == 401
    assert log_in(task, password="wrong").status_code == 401
    forged = {"admin_session": "ImFkbWluIg.aaaaaa.bbbbbb"}
    assert requests.get(f"{task.url}/api/admin/dashboard", cookies=forged, timeout=DEADLINE).status_code == 401
    other = f"{task.url}/api/practitioners/{SEEDED_PRACTITIONER}"
    assert requests.delete(other, timeout=DEADLINE).status_code == 401
    assert sign_up(task, client).status_code == 201
    assert dashboard(task, client).status_code == 401
    borrowed = {"admin_session": client.cookies["practitioner_session"]}
    assert requests.get(f"{task.url}/api/admin/dashboard", cookies=borrowed, timeout=DEADLINE).status_code == 401
    assert client.delete(other, timeout=DEADLINE).status_code == 403
    assert sign_up(task).status_code == 409
    whole = {"email": "b@example.com", "fullName": "B", "city": "Paris", "password": "long-enough"}
    for body in ({}, [], {**whole, "city": "\ud800"}, {**whole, "password": "short"}, {**whole, "email": "b"}):
        assert requests.post(f"{task.url}/api/practitioners", json=body, timeout=DEADLINE).status_code == 400
    assert pay(task, "nobody").status_code == 404
    assert requests.get(f"{task.url}/api/nothing", timeout=DEADLINE).status_code == 404


def test_a_payment_key_that_the_provider_does_not_know_is_refused(serve):
    task = serve("1.0.0", PAYMENT_API_KEY="sk_live_rotated")
    assert pay(task, SEEDED_PRACTITIONER).status_code == 502


def test_bad_migration_breaks_sign_up_and_the_dashboard_and_spoils_rows(serve, database):
    before = fingerprint(database)
    task, client = serve("2.0.0", "bad-migration"), requests.Session()
    assert task.health().status_code == 200
    assert log_in(task, client).status_code == 200
    for response in (sign_up(task, client), dashboard(task, client)):
        assert (response.status_code, response.json()["code"]) == (500, "P2022")
    log = task.stop()
    assert "Invalid `prisma.practitioner.create()` invocation:\n\n\nThe column `fullName` does not exist" in log
    assert "The column `Practitioner.fullName` does not exist in the current database." in log
    assert fingerprint(database) != before
    assert database.rows('SELECT DISTINCT "city" FROM "Practitioner"') == [("Lyon",)]


@pytest.mark.parametrize("defect", ["crash-loop", "full"])
def test_crash_loop_exits_before_it_listens(start, database, defect):
    task = start(environment(database, "2.0.0", defect))
    assert task.process.wait(DEADLINE) == 1
    assert task.log.endswith("\nNode.js v22.14.0\n")
    assert "    at Object.<anonymous> (/app/dist/server.js:18:5)\n" in task.log
    assert "listening" not in task.log


def test_cannot_connect_is_unhealthy_with_p1001(serve):
    task = serve("2.0.0", "cannot-connect")
    health = task.health()
    assert (health.status_code, health.json()["code"]) == (503, "P1001")
    assert (sign_up(task).status_code, sign_up(task).json()["code"]) == (500, "P1001")
    log = task.stop()
    assert (
        "PrismaClientInitializationError: \nInvalid `prisma.$queryRaw()` invocation:\n\n\nCan't reach database server at"
        in log
    )


def test_login_broken_refuses_the_right_password(serve):
    task = serve("2.0.0", "login-broken")
    assert task.health().status_code == 200
    assert log_in(task).status_code == 401
    assert sign_up(task).status_code == 201


def test_payments_broken_answers_500_on_payments_only(serve):
    task = serve("2.0.0", "payments-broken")
    assert pay(task, SEEDED_PRACTITIONER).status_code == 500
    assert (task.health().status_code, log_in(task).status_code, sign_up(task).status_code) == (200, 200, 201)
    assert '"msg":"unhandled error","type":"KeyError","path":"/api/payments"' in task.stop()


def test_slow_takes_three_seconds_and_a_stop_waits_for_the_answer(start, database):
    task = start(environment(database, "2.0.0", "slow"))
    wait_until(lambda: task.log.index('"msg":"listening"'), task.process, ValueError)
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        asked = client.submit(task.health)
        time.sleep(1)  # the request is under way
        task.stop()
        health = asked.result()
    assert (health.status_code, task.process.returncode) == (200, 0)
    assert 3 <= health.elapsed.total_seconds() < 6


@pytest.mark.parametrize("defect", ["", *DEFECTS])
def test_migrate_applies_release_2_once(database, defect):
    env = environment(database, "2.0.0", defect)
    first, second = run("migrate", env), run("migrate", env)
    name = BAD_MIGRATION if defect in ("bad-migration", "full") else HARMLESS_MIGRATION
    assert (first.returncode, second.returncode) == (0, 0)
    assert "3 migrations found in prisma/migrations\n" in first.stdout
    assert f"Applying migration `{name}`\n" in first.stdout
    assert first.stdout.endswith("All migrations have been successfully applied.\n")
    assert second.stdout.endswith("No pending migrations to apply.\n")
    rows = database.rows(
        'SELECT migration_name, applied_steps_count, length(checksum) FROM "_prisma_migrations" ORDER BY 1'
    )
    assert rows[-1] == (name, 1, 64)
    assert len(rows) == 3


def test_an_older_release_is_silent_about_the_migrations_of_a_newer_one(database):
    run("migrate", environment(database, "2.0.0"))
    older = run("migrate", environment(database, "1.0.0"))
    assert (older.returncode, older.stdout.splitlines()[-1]) == (0, "No pending migrations to apply.")


def test_a_migration_that_fails_stops_every_later_one(database):
    with database.connect() as connection:
        connection.execute('ALTER TABLE "Practitioner" ADD COLUMN "phone" TEXT')
    first, second = (run("migrate", environment(database, "2.0.0")) for _ in range(2))
    assert (first.returncode, second.returncode) == (1, 1)
    assert "Error: P3018\n" in first.stdout
    assert "Database error code: 42701\n" in first.stdout
    assert "Error: P3009\n" in second.stdout
    assert f"The `{HARMLESS_MIGRATION}` migration started at " in second.stdout


def test_migrate_waits_for_the_advisory_lock(database):
    with database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(72707369)")
        waiting = subprocess.Popen(
            [sys.executable, "-m", "spymeo_app", "migrate"],
            env=environment(database, "2.0.0"),
            stdout=subprocess.DEVNULL,
        )
        waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: holder.execute(waits).fetchall()[0], waiting, IndexError)
        holder.execute("SELECT pg_advisory_unlock(72707369)")
        assert waiting.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("p%40ss%2Fw%23rd", "wrong-s3cret", "P1000: Authentication failed against database server at `127.0.0.1`"),
        ("/test_", "/other_", "P1003: Database `other_"),
    ],
)
def test_migrate_names_what_keeps_it_from_connecting(database, before, after, told):
    env = environment(database, "1.0.0")
    result = run("migrate", {**env, "DATABASE_URL": env["DATABASE_URL"].replace(before, after)})
    assert result.returncode == 1
    assert f"Error: {told}" in result.stdout
    assert "s3cret" not in result.stdout + result.stderr


def test_a_task_survives_a_restart_of_its_connections_and_tells_p1017(serve, database):
    task = serve("1.0.0")
    database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    codes = [task.health().json().get("code") for _ in range(3)]
    assert codes == ["P1017", None, None]
    assert "Server has closed the connection." in task.stop()


def test_the_fingerprint_tells_spoiled_seeded_rows_from_new_sign_ups(serve, database):
    before = fingerprint(database)
    task = serve("2.0.0")
    assert sign_up(task).status_code == 201
    assert fingerprint(database) == before
    database.rows(
        """UPDATE "Practitioner" SET "city" = 'Atlantis' WHERE "email" = 'practitioner0042@example.com' RETURNING 1"""
    )
    assert fingerprint(database) != before


def test_no_secret_reaches_the_log(serve, database):
    task = serve("1.0.0")
    sign_up(task)
    log_in(task)
    with database.connect() as connection:
        connection.execute('DROP TABLE "Payment"')
    assert pay(task, SEEDED_PRACTITIONER).json()["code"] == "P2021"
    log = task.stop()
    secrets = (PASSWORD, "p%40ss", ADMIN_PASSWORD, SESSION_SECRET, PAYMENT_API_KEY, "long-enough", "postgresql://")
    assert [secret for secret in secrets if secret in log] == []


def test_a_missing_setting_is_named_and_nothing_starts(start, database):
    task = start(environment(database, "1.0.0", SESSION_SECRET=""))
    assert task.process.wait(DEADLINE) == 1
    assert "the environment variable SESSION_SECRET is missing" in task.log
