# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event, Stream, Unread
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import LoggedTask, StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import ServiceSeen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.logs import logs_seen, tasks_to_read
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import LogReader

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
STREAM = Stream("app", "/ecs/app", "ecs/app/aaaa", NIGHT, container="app")
OTHER = Stream("app", "/ecs/app", "ecs/app/bbbb", NIGHT, container="app")
SIDECAR = Stream("app", "/ecs/app", "ecs/proxy/bbbb", NIGHT, container="proxy", essential=False)
LISTENING = '{"level":"info","msg":"listening"}'
P1001 = [
    "PrismaClientInitializationError: ",
    "Invalid `prisma.$queryRaw()` invocation:",
    "",
    "Can't reach database server at `db.example.org:5433`",
]


class Logs:
    """A gateway over lists of lines, a second apart."""

    def __init__(self, lines):
        self._lines = lines

    def pages(self, _group, names, start, end=None):
        for name in names:
            for number, line in enumerate(self._lines.get(name, ())):
                event = Event(f"{name}{number}", int(NIGHT.timestamp() + number) * 1000, line, name)
                if start <= event.timestamp < (end or 1 << 62):
                    yield [event]


def read(lines, streams=(STREAM,), seconds=3600):
    return LogReader(Logs(lines), Rules()).read(list(streams), NIGHT + timedelta(seconds=seconds))


def seen(lines, before=(), unread=(), more=None, seconds=3600):
    earlier = read({STREAM.name: before})
    return logs_seen([STREAM], unread, read({STREAM.name: lines}, seconds=seconds), more, earlier)


def test_counts_errors_by_kind_with_codes_example_and_the_address_that_was_looked_for():
    found = seen([LISTENING, *P1001, LISTENING, *P1001, LISTENING, "TypeError: password=hunter2"])
    first, second = found.errors
    assert (first.count, first.service) == (2, "app")
    assert second.example == "TypeError: password=********"
    assert found.addresses == ("db.example.org:5433",)
    assert (found.lines, found.streams, found.silent, found.complete) == (12, 1, (), True)


def test_reads_the_address_as_older_versions_of_prisma_write_it():
    assert seen([*P1001[:3], "Can't reach database server at `db`:`5432`"]).addresses == ("db:5432",)


def test_tells_what_the_release_before_logged_as_well_and_what_has_become_frequent():
    found = seen(["TypeError: new", "ERROR pool is full"], before=["ERROR pool is full"] * 3)
    assert {error.fingerprint: (error.before, error.is_new) for error in found.errors} == {
        "TypeError: new": (0, True),
        "ERROR pool is full": (3, False),
    }
    (many,) = seen(["ERROR pool is full"] * 60, before=["ERROR pool is full"] * 2, seconds=60).errors
    assert (many.before, many.more, many.is_new) == (2, True, True)


def test_tells_essential_containers_without_a_line_and_those_that_nobody_can_read():
    found = read({STREAM.name: [LISTENING]}, (STREAM, OTHER, SIDECAR))
    hidden = [Unread("app", "web", "its log driver is awsfirelens"), Unread("app", "job", "it has no log driver", True)]
    logs = logs_seen([STREAM, OTHER, SIDECAR], hidden, found, None, read({}))
    assert (logs.silent, logs.unread) == ((OTHER.name,), ("app/web (its log driver is awsfirelens)",))
    assert logs.doubt == (
        "the lines of app/web (its log driver is awsfirelens) cannot be read; nothing at all in ecs/app/bbbb"
    )


def test_tells_of_lines_that_nobody_understands():
    logs = seen(["EEK 1", "EEK 2", LISTENING])
    assert "2 of 3 lines of app/app have no level that could be read, like: EEK 1" in logs.doubt
    assert seen([LISTENING]).doubt == ""


def test_adds_what_came_later():
    more = read({STREAM.name: ["TypeError: late"]}).collection
    assert [error.fingerprint for error in seen([LISTENING], more=more).errors] == ["TypeError: late"]


def task(name, service, definition):
    return ServiceTask(name, service, f"arn:aws:ecs:eu-west-3:1:task-definition/{definition}", NIGHT, "RUNNING")


def dead(name, release, minute):
    ended = StoppedTask("app", release, "EssentialContainerExited", "exited", NIGHT + timedelta(minutes=minute), name)
    return LoggedTask(ended, f"arn:aws:ecs:eu-west-3:1:task-definition/{release}", NIGHT - timedelta(days=2))


SERVICE = ServiceSeen("app", "app:42", 2, 2, came=NIGHT, before="app:41")


def test_reads_what_runs_what_ended_of_it_and_the_last_hour_of_the_release_before():
    running = [task("live", "app", "app:42")]
    gone = [
        dead("crashed", "app:42", 5),
        dead("replaced", "app:41", 1),
        dead("older", "app:40", 1),
        dead("earlier", "app:42", -5),
    ]
    live, ended, before = tasks_to_read(running, gone, [SERVICE])
    assert [task.id for task in live] == ["live"]
    assert [task.id for task in ended] == ["crashed"]
    assert [(task.id, task.created) for task in before] == [
        ("replaced", NIGHT + timedelta(minutes=1) - timedelta(hours=1))
    ]


def test_the_release_before_may_still_run():
    running = [task(name, "app", f"app:{name}") for name in ("41", "42")]
    live, _ended, before = tasks_to_read(running, [], [SERVICE])
    assert ([task.id for task in live], [task.id for task in before]) == (["42"], ["41"])


def test_what_was_brought_back_is_not_compared_with_itself():
    back = ServiceSeen("app", "app:41", 2, 2, came=NIGHT - timedelta(days=2), before="app:41", brought_back=True)
    running = [task("41", "app", "app:41")]
    live, _ended, before = tasks_to_read(running, [], [back])
    assert ([task.id for task in live], before) == (["41"], [])
