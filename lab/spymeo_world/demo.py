# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make demo`: SPYMEO's production breaks and comes back, and every claim is checked by asking the lab, not the playbook."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import spymeo_app.seed
from loopback_aws.cli import down
from loopback_aws.lifecycle import LabError, control, start_clean

from . import cli, world
from .accidents import Pipeline, PipelineFailed

ROOT = pathlib.Path(__file__).parents[2]
NAME = f"demo-{os.getpid()}"


class NotProven(Exception):
    """The demo found something other than what it promises."""


def say(text: str) -> None:
    """A heading that stands out between the output of the tools."""
    print(f"\n== {text}", flush=True)


def show(text: str) -> None:
    """One finding."""
    print(f"   {text}", flush=True)


def prove(claim: str, fact: bool) -> None:
    """Print a claim that was checked.

    :raises NotProven: it does not hold.
    """
    if not fact:
        raise NotProven(claim)
    show(f"proven: {claim}")


class Visitor:
    """Somebody with a browser: keeps cookies, gets (status, JSON) for a request."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """(status, JSON answer); status 0 when nobody answers."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            self.base_url + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with self._opener.open(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return error.code, json.loads(error.read())
            return error.code, {}
        except OSError as error:
            return 0, {"error": str(error)}

    def sign_up(self, name: str) -> tuple[int, dict[str, Any]]:
        """Sign up a practitioner of that name."""
        body = {
            "email": f"{name}@example.com",
            "fullName": name.title(),
            "city": "Nantes",
            "password": f"{name}-password",
        }
        return self.ask("POST", "/api/practitioners", body)


def fingerprint(state: dict[str, Any], db_instance: str) -> str:
    """The checksum of the rows that were there before the accident, read from that instance itself."""
    with world.connect(state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def play(state: dict[str, Any], *arguments: str) -> int:
    """Run the full rollback as a person would; its output is part of the demo."""
    command = [
        str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
        "playbooks/rollback_full.yml",
        "-i",
        "inventories/lab",
        *arguments,
    ]
    print("   $ " + " ".join(["ansible-playbook", *command[1:]]), flush=True)
    ours = {"ANSIBLE_HOME": f"{state['directory']}/ansible", "ANSIBLE_REMOTE_TMP": f"{state['directory']}/ansible/tmp"}
    # Ansible would write into a home that may be missing or read-only.
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **cli.environment(state), **ours}).returncode


def demo(state: dict[str, Any]) -> None:
    """The whole story on a lab that is up."""
    visitor, whole = Visitor(state["base_url"]), fingerprint(state, world.DB_INSTANCE)
    say("SPYMEO's production is healthy")
    show(f"{state['health_url']} answers {world.health(state['health_url'])}")
    status, _ = visitor.sign_up("before the accident".replace(" ", "-"))
    show(f"a practitioner signs up: {status}")

    say("Release 2.0.0 is deployed: it crashes, its migration corrupted rows, and a secret was rotated to a wrong key")
    pipeline = Pipeline(state)
    pipeline.deploy("full", lambda release, defect: control(state, "push", release=release, defect=defect), show)
    show(f"{state['health_url']} answers {world.health(state['health_url'])}")
    prove("the rows of the production database are corrupted", fingerprint(state, world.DB_INSTANCE) != whole)
    corrupted = fingerprint(state, world.DB_INSTANCE)

    say("The rollback")
    if play(state):
        raise NotProven("the playbook ends with success")

    say("The proof")
    status, health = visitor.ask("GET", world.HEALTH_PATH)
    prove("release 1.0.0 serves", (status, health.get("release")) == (200, "1.0.0"))
    restored = serving_database(state)
    prove(f"the application uses {restored}, where every row is whole again", fingerprint(state, restored) == whole)
    prove(f"{world.DB_INSTANCE} is still there with its data", fingerprint(state, world.DB_INSTANCE) == corrupted)
    status, practitioner = visitor.sign_up("after-the-rollback")
    prove("a new practitioner signs up through the public URL", status == 201)
    status, _ = visitor.ask("POST", "/api/payments", {"practitionerId": practitioner.get("id"), "amountCents": 2900})
    prove("a payment goes through: the payment key is the right one again", status == 201)
    with world.connect(state["endpoint_url"], world.DB_INSTANCE) as connection:
        kept = connection.execute(
            "SELECT count(*) FROM \"Practitioner\" WHERE email = 'before-the-accident@example.com'"
        ).fetchone()
    prove("the sign-up from before the accident is kept in the old instance", kept == (1,))


def serving_database(state: dict[str, Any]) -> str:
    """The DB instance whose address DATABASE_URL names."""
    secret = world.client("secretsmanager", state["endpoint_url"]).get_secret_value(SecretId=world.DATABASE_SECRET)
    instances = world.client("rds", state["endpoint_url"]).describe_db_instances()["DBInstances"]
    url = secret["SecretString"]
    return next(str(item["DBInstanceIdentifier"]) for item in instances if f"@{item['Endpoint']['Address']}:" in url)


def main() -> int:
    """Bring a lab up, tell the story, take the lab down; 1 when a claim did not hold."""
    start_clean()
    parser = cli.parser()
    say("Starting SPYMEO's production on this machine")
    cli.up(parser.parse_args(["up", "--name", NAME, "--owner", str(os.getpid())]))
    try:
        demo(cli.running(NAME))
    except (NotProven, LabError, PipelineFailed) as failure:
        print(f"\nThe demo failed. Not so: {failure}", file=sys.stderr)
        return 1
    finally:
        say("Taking the lab down")
        down(parser.parse_args(["down", "--name", NAME]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
