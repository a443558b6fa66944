# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what a rollback ends with, the proof, can be made: said before anything is changed, and not when production has been.

How the application answers now is the first thing that a person sees of a plan: somebody may have named the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import PreflightGateway, if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import NO_HTTP
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.credentials import read_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession

PATIENCE = 5  # seconds for the health check; the plan is not kept waiting by an application that hangs


@dataclass(frozen=True)
class Proof:
    """``now`` is how the application answers, for people. ``findings`` are what each thing that the checks need came to."""

    now: str = ""
    findings: tuple[Finding, ...] = ()


def proof_of(wanted: Mapping[str, Any] | None, clients: Callable[[str], Any]) -> Proof:
    """The Proof, read side by side.

    :param wanted: dict(base_url, health_path, log_groups, secrets: variable → dict(secret, key), despite_unreachable), or None where nothing is to be proven.
    :param clients: callable: the name of a service → its boto3 client; called from several threads.
    """
    if not wanted:
        return Proof()
    gateway = PreflightGateway(clients)
    with pool_of_calls() as pool:
        spoken = wanted["base_url"] != NO_HTTP
        health = pool.submit(_health, wanted["base_url"], wanted["health_path"]) if spoken else None
        groups = {
            name: pool.submit(if_allowed, "logs:DescribeLogStreams", gateway.log_group, name)
            for name in wanted["log_groups"]
        }
        secrets = {name: pool.submit(_secret, clients, item) for name, item in wanted["secrets"].items()}
    answer = health.result() if health else None
    found = [_reached(wanted["base_url"], answer, wanted["despite_unreachable"])] if answer else []
    found += [_there("log_group", name, each.result(), "rollback_log_groups") for name, each in groups.items()]
    found += [_readable(wanted["secrets"][name]["secret"], each.result()) for name, each in secrets.items()]
    now = answer_line(wanted["base_url"].rstrip("/") + wanted["health_path"], answer) if answer else ""
    return Proof(now, tuple(found))


def _health(base_url: str, path: str) -> Answer | NoAnswer:
    return ScenarioSession(base_url, PATIENCE).send("GET", path, {}, None, None)


def _secret(clients: Callable[[str], Any], item: Mapping[str, str]) -> str | NotRead:
    """Why the checks could not read a secret or its key: a text, a NotRead, or empty when they could. The value is forgotten here."""

    def read() -> str:
        try:
            read_secrets(SecretsGateway(clients("secretsmanager")), dict(value=item))
        except RollbackError as error:
            return " ".join([error.message, *error.evidence])
        return ""

    return if_allowed("secretsmanager:GetSecretValue", read)


def answer_line(url: str, answer: Answer | NoAnswer) -> str:
    """A line of the plan."""
    if isinstance(answer, NoAnswer):
        return "%s does not answer: %s" % (url, answer.why)
    only = (
        ": only its health was asked here (playbooks/triage.yml asks more). Is this the application that is meant?"
        if answer.status == 200
        else ""
    )
    return "%s answers %d in %.1f s%s" % (url, answer.status, answer.seconds, only)


def _reached(base_url: str, answer: Answer | NoAnswer, despite: bool) -> Finding:
    """An application that takes connections and does not answer is what rollbacks are for; one that nobody can reach cannot be proven well."""
    if not isinstance(answer, NoAnswer):
        return Finding("base_url", base_url, PASSED, "it answers")
    what = "it does not answer (%s)" % answer.why
    if answer.by_application and answer.connected:
        return Finding("base_url", base_url, NOTED, what)
    what = "%s, so nothing that is done could be proven" % what
    if despite:
        return Finding("base_url", base_url, NOTED, what)
    cure = (
        "Correct rollback_base_url, or this machine's way to it. "
        "Where the application itself does not listen any more, or to go on without the proof: -e rollback_despite_unreachable=true."
    )
    return Finding("base_url", base_url, FAILED, what, cure)


def _there(check: str, name: str, found: bool | NotRead, variable: str) -> Finding:
    if isinstance(found, NotRead):
        return Finding(check, name, INCONCLUSIVE, found.why, found.cure)
    if found:
        return Finding(check, name, PASSED, "it is there")
    return Finding(check, name, FAILED, "it is not there, so the checks could not read it", "Correct %s." % variable)


def _readable(name: str, problem: str | NotRead) -> Finding:
    if isinstance(problem, NotRead):
        return Finding("secret", name, INCONCLUSIVE, problem.why, problem.cure)
    if problem:
        return Finding(
            "secret", name, FAILED, "the checks could not read it (%s)" % problem.rstrip("."), "Correct verify_secrets."
        )
    return Finding("secret", name, PASSED, "it can be read")
