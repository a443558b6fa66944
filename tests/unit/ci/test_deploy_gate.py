# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate opens on a whole record that says that no hold stands, and on nothing else; in every POSIX shell that is here.

tests/integration/test_deploy_gate.py asks S3 with the AWS CLI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import (
    describe_hold,
    lifted,
    placed,
    recorded,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import as_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile import ATTACK, HOSTILE

GATE = Path(__file__).parents[3] / "extensions/ci/deploy-gate"
SHELLS = [
    [path, *options]
    for name, *options in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["mksh"], ["yash"])
    if (path := shutil.which(name))
]
FREE, HELD, CANNOT_TELL = 0, 1, 2
HOLD = placed("anne@laptop", "2026-11-28 22:00:00 UTC", "run rb-1 (full)", "rb-1")
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=SHELLS, ids=lambda shell: Path(shell[0]).name)
def shell(request):
    """A shell that runs the gate."""
    return request.param


def ask(where, shell=("sh",), **environment):
    """(exit code, what was printed) of the gate."""
    done = subprocess.run(
        [*shell, GATE, *where], env={**os.environ, **environment}, capture_output=True, timeout=60, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def answer(tmp_path, record, shell=("sh",)):
    """The same for a record, a dict or the bytes of a file."""
    file = tmp_path / "hold"
    file.write_bytes(record if isinstance(record, bytes) else as_json(record).encode("utf-8", "surrogatepass"))
    return ask([str(file)], shell)


def test_it_runs_as_a_program(tmp_path):
    (tmp_path / "hold").write_text(as_json(lifted(HOLD, "bob", "now")))
    assert subprocess.run([GATE, tmp_path / "hold"], check=False).returncode == FREE


def test_it_is_held_as_long_as_one_of_several_stands(tmp_path, shell):
    audit = placed("bob", "today", 'an "audit", \\ and {"standing":false}')
    both = recorded([audit, HOLD])
    assert answer(tmp_path, both, shell)[0] == HELD
    one = lifted(both, "ada", "now", [audit])
    code, told = answer(tmp_path, one, shell)
    assert (code, "run rb-1" in told) == (HELD, True)
    assert answer(tmp_path, lifted(one, "ada", "now", [HOLD]), shell)[0] == FREE


def test_it_is_free_when_a_hold_was_lifted_or_never_stood(tmp_path, shell):
    assert answer(tmp_path, lifted(HOLD, "bob", "now"), shell)[0] == FREE
    assert answer(tmp_path, {"standing": False}, shell)[0] == FREE
    assert answer(tmp_path, b'{"standing":false}', shell)[0] == FREE


def test_it_says_who_holds_since_when_and_why(tmp_path, shell):
    code, output = answer(tmp_path, HOLD, shell)
    assert code == HELD
    assert describe_hold(HOLD) in output
    assert "-e rollback_hold=release" in output


def test_a_hold_of_which_nothing_else_is_known_holds_too(tmp_path, shell):
    code, output = answer(tmp_path, b'{"standing":true}', shell)
    assert code == HELD
    assert "somebody holds deployments back" in output


@pytest.mark.parametrize(
    "reason",
    [
        '"standing":false', '","standing":false,"x":"', '\\","standing":false,"x":"', "\\", '\\\\"standing":false', '"}{"standing":false}',
        "<standing>:false", ">,<standing>:false", ',"standing":false}', "standing\nfalse", "a]b[c", "é\\",
    ],
)  # fmt: skip
def test_what_a_reason_quotes_is_no_answer(tmp_path, shell, reason):
    assert answer(tmp_path, placed(reason, reason, reason, reason), shell)[0] == HELD
    assert answer(tmp_path, lifted(placed(reason, reason, reason, reason), reason, reason), shell)[0] == FREE


@pytest.mark.parametrize(
    "record",
    [
        b"", b"\n", b"{}", b"[]", b"null", b"false", b"<html>", b'"standing":false', b"standing: false", b'{"standing": false}',
        b'{"standing":"false"}', b'{"standing":0}', b'{"standing":false', b'{"standing":false}}', b'{"standing":false},',
        b'{"standing":false,}', b'{"standing":false,"standing":true}', b'{"standing":true,"standing":false}',
        b'{"a":{"standing":false}}', b'{"a":["standing",false]}', b'{"a":"x","b":["\\"standing\\":false"]}', b'{"outstanding":false}',
        b'{"st\\u0061nding":false}', b'{"standing":false}\n{"standing":true}', b'{"standing":true}\n{"standing":false}',
        b'{"standing":\nfalse}', b'{"standing":false}\0', b'{"standing":fa\0lse}', b'\xef\xbb\xbf{"standing":false}',
        b'{"reason":"x\n","standing":false}', b'{"reason":"\\","standing":false}', b'{"reason":"a"b","standing":false}',
        b'{"reason":"' + b"x" * 70000 + b'","standing":false}', b'{"Standing":false}', b'{"standing":falsehood}',
    ],
)  # fmt: skip
def test_it_cannot_tell_what_is_not_wholly_ours(tmp_path, shell, record):
    code, output = answer(tmp_path, record, shell)
    assert code == CANNOT_TELL, output
    assert "do not deploy" in output


def test_a_record_that_was_cut_anywhere_never_opens(tmp_path):
    whole = as_json(lifted(HOLD, "bob", "now")).encode()
    codes = [answer(tmp_path, whole[:length])[0] for length in range(0, len(whole) - 1, 3)]
    assert set(codes) == {CANNOT_TELL}
    assert answer(tmp_path, whole[:-1])[0] == FREE  # all but its line feed


OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def assert_harmless(output):
    """Every line is the gate's, and nothing in it is obeyed by a terminal."""
    assert not OBEYED.search(output), output
    assert all(line.startswith("deploy-gate: ") for line in output.rstrip("\n").split("\n")), output


TEXTS = HOSTILE | st.text(alphabet='",:{}[]\\<>standigfalretu', max_size=40)
RECORDS = st.fixed_dictionaries(
    {"standing": st.booleans(), "who": TEXTS, "reason": TEXTS, "places": st.lists(TEXTS, max_size=3)}
)


@FEW
@given(RECORDS)
def test_its_answer_is_what_the_record_says(tmp_path, record):
    code, output = answer(tmp_path, record)
    assert code == (HELD if record["standing"] else FREE), output
    assert_harmless(output)


@FEW
@given(RECORDS, st.data())
def test_a_record_that_was_changed_opens_only_if_it_still_is_one_that_says_so(tmp_path, record, data):
    text = as_json(record).encode("utf-8", "surrogatepass")
    at = data.draw(st.integers(0, len(text)))
    changed = text[:at] + data.draw(st.binary(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    if answer(tmp_path, changed)[0] == FREE:
        # It need not know every escape and number that JSON has not: it only must not take a text for the answer.
        lenient = re.sub(rb"\\.", b"_", changed).decode("utf-8", "replace")
        assert json.loads(NUMBER.sub(":0", lenient), object_pairs_hook=once)["standing"] is False


NUMBER = re.compile(r":-?[0-9][0-9.eE+-]*")


def once(pairs):
    """A dict of which no key comes twice."""
    assert len({key for key, _value in pairs}) == len(pairs)
    return dict(pairs)


def test_a_hostile_reason_moves_no_cursor_and_begins_no_line(tmp_path, shell):
    code, output = answer(tmp_path, placed(ATTACK, ATTACK, ATTACK), shell)
    assert code == HELD
    assert_harmless(output)


def test_nothing_recorded_is_told_apart_with_its_cure(tmp_path, shell):
    code, output = ask([str(tmp_path / "production/x/hold")], shell)
    assert code == CANNOT_TELL
    assert "nothing has ever been recorded" in output
    assert "mistyped, or no checkpoint and no rollback has run yet" in output
    assert "playbooks/checkpoint.yml -i INVENTORY" in output


@pytest.mark.parametrize(
    "where",
    [[], [""], ["a", "b"], ["s3://"], ["s3://bucket"], ["s3://bucket/"], ["s3:///key"], ["s3://bucket/key/"], ["https://x/hold"], ["/"], ["--help"]],
)  # fmt: skip
def test_an_argument_that_is_none_never_opens(shell, where):
    assert ask(where, shell)[0] == CANNOT_TELL


def test_it_waits_for_no_pipe_and_reads_no_directory(tmp_path, shell):
    os.mkfifo(tmp_path / "hold")
    assert ask([str(tmp_path / "hold")], shell)[0] == CANNOT_TELL
    assert ask([str(tmp_path)], shell)[0] == CANNOT_TELL


@pytest.mark.parametrize("limit", ["", "x", "-1", "1.5", "1000000"])
def test_a_time_out_that_is_none_never_opens(tmp_path, limit):
    (tmp_path / "hold").write_text('{"standing":false}')
    assert ask([str(tmp_path / "hold")], DEPLOY_GATE_TIMEOUT=limit)[0] == (FREE if limit == "" else CANNOT_TELL)


def programs(tmp_path, **scripts):
    """A PATH with what every system has, and these scripts."""
    there = tmp_path / "bin"
    there.mkdir()
    for name in ("awk", "cat", "grep", "head", "mktemp", "rm", "sed", "sleep", "tail", "tr", "wc"):
        (there / name).symlink_to(shutil.which(name))
    for name, text in scripts.items():
        (there / name).write_text("#!/bin/sh\n" + text)
        (there / name).chmod(0o755)
    return str(there)


URL = "s3://bucket/runs/production/x/hold"


def test_without_the_aws_cli_it_cannot_tell(tmp_path, shell):
    code, output = ask([URL], shell, PATH=programs(tmp_path))
    assert code == CANNOT_TELL
    assert "no AWS CLI" in output


def test_a_cli_that_never_ends_is_ended(tmp_path, shell):
    began = time.monotonic()
    path = programs(tmp_path, aws="trap '' TERM; while :; do sleep 1; done\n")
    code, output = ask([URL], shell, PATH=path, DEPLOY_GATE_TIMEOUT="1")
    assert code == CANNOT_TELL
    assert "no answer came within 1 s" in output
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("aws", ["exit 0\n", "kill -9 $$\n", "echo '{\"standing\":false}'\n"])
def test_a_cli_that_brings_nothing_never_opens(tmp_path, shell, aws):
    assert ask([URL], shell, PATH=programs(tmp_path, aws=aws))[0] == CANNOT_TELL


def test_it_leaves_nothing_behind(tmp_path, shell):
    (tmp_path / "hold").write_text('{"standing":true}')
    (tmp_path / "temporary").mkdir()
    ask([str(tmp_path / "hold")], shell, TMPDIR=str(tmp_path / "temporary"))
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("missing", ["awk", "grep", "head", "mktemp", "sed", "tr", "wc"])
def test_a_machine_that_lacks_a_tool_never_opens(tmp_path, shell, missing):
    path = programs(tmp_path)
    Path(path, missing).unlink()
    (tmp_path / "hold").write_text('{"standing":false}')
    assert ask([str(tmp_path / "hold")], shell, PATH=path)[0] != FREE
