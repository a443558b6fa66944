# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kills a full rollback at a random call to AWS, goes on with the printed id, and looks whether it ended as one that nobody disturbed."""

from __future__ import annotations

import argparse
import functools
import os
import random
import re
import sys
from typing import Any

from loopback_aws.interruption import AFTER, BEFORE, UNHEARD
from loopback_aws.lifecycle import control, start_clean

from . import cli, killing
from .accidents import Pipeline

PRINTED = re.compile(r"PLAN      run (\S+) on ")
BACK = ("database", "app secret", "service")  # of what was there before the rollback; instances and snapshots stay


class NotTheSame(Exception):
    """A run did not end as it should; the message shows how."""


class Survival:
    """One lab, broken again and again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: dict[str, Any] = {}

    def command(self, *arguments: str) -> None:
        """A command of the lab."""
        options = cli.parser().parse_args([*arguments, "--name", self.name])
        options.run(options)

    def up(self) -> None:
        """A healthy production."""
        self.command("up", "--owner", str(os.getpid()))
        self.state = cli.running(self.name)

    def accident(self) -> None:
        """Release 2 does its harm to a production that was healthy."""
        push = lambda release, defect: control(self.state, "push", release=release, defect=defect)  # noqa: E731
        Pipeline(self.state).deploy("full", push, lambda _text: None)

    def heal(self) -> None:
        """Everything as `up` has made it."""
        self.command("heal")
        self.state = cli.running(self.name)

    def undisturbed(self) -> tuple[int, dict[str, Any]]:
        """How many writing calls a run makes that nobody kills, and what production comes to."""
        self.accident()
        code, output, _at = killing.play(self.state, "rollback_full", "-e", "rollback_run_id=kill-nobody")
        expect("a run that nobody kills", code, 0, output)
        return len(killing.journal(self.state, "kill-nobody")), killing.production(self.state)

    def killed(self, call: int, when: str) -> tuple[str, dict[str, Any]]:
        """Kill a run at its writing call number `call`, and go on with it. Where it was killed, and what production comes to."""
        code, output, at = killing.play(self.state, "rollback_full", when=when, call=call)
        expect("a run that is killed", (code, len(at)), (-9, 1), output)
        printed = PRINTED.search(output)
        expect("that the id of a run that is killed is printed", printed is not None, True, output)
        run_id = printed[1] if printed else ""
        code, output, _at = killing.play(self.state, "rollback_full", "-e", f"rollback_run_id={run_id}")
        expect(f"run {run_id}, which goes on,", code, 0, output)
        return at[0], killing.production(self.state)

    def undo(self, before: dict[str, Any]) -> None:
        """Undo the rollback; production is what it was `before` it. Release 2 crashes, so the undo cannot say that it serves."""
        _code, output, _at = killing.play(self.state, "undo", "-e", "rollback_deploy_timeout=30")
        now = killing.production(self.state)
        expect("what undo.yml brings back", [now[name] for name in BACK], [before[name] for name in BACK], output)


def expect(what: str, found: object, wanted: object, output: str) -> None:
    """
    :raises NotTheSame: `found` is not what is `wanted`.
    """
    if found != wanted:
        raise NotTheSame(f"{what}: {found}\nwhere it should be {wanted}\n{output[-4000:]}")


def main() -> int:
    """0 when every run ended alike, and the undo brought the accident back."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=20, help="how many runs are killed (20)")
    options.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeat what a seed has chosen")
    given = options.parse_args()
    start_clean()
    chance, say = random.Random(given.seed), functools.partial(print, flush=True)
    say(f"seed {given.seed}: repeat with lab/survive --times {given.times} --seed {given.seed}")
    survival = Survival(f"survive-{os.getpid()}")
    survival.up()
    try:
        calls, wanted = survival.undisturbed()
        say(f"undisturbed: {calls} writing calls")
        for number in range(1, given.times + 1):
            survival.heal()
            survival.accident()
            before = killing.production(survival.state)
            call, when = chance.randint(1, calls), chance.choice([BEFORE, AFTER, UNHEARD])
            at, found = survival.killed(call, when)
            expect(f"{number}: killed {when} {at}", found, wanted, "")
            say(f"{number}: killed {when} call {call}, {at}; gone on; the end is the same")
        survival.undo(before)
        say("undone: the accident is back")
    except NotTheSame as error:
        print(f"FAILED {error}", file=sys.stderr)
        return 1
    finally:
        survival.command("down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
