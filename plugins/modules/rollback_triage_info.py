#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_triage_info
version_added: 0.1.0
short_description: Look at a production and recommend what to roll back, if anything
description:
  - Reads, side by side, what ECS deployed and what became of it, why tasks stopped, whether the load balancer finds them healthy, what the logs of the
    running and of the just stopped tasks hold, what RDS and the database itself say, and which secrets changed. It also goes through HTTP scenarios.
  - From that it recommends C(none), C(CODE), C(DATABASE) or C(FULL), or says C(uncertain), with the evidence for it, the evidence against it, and
    what would change the answer. The rules are one table, C(plugins/module_utils/_core/triage/rules.py).
  - A part that cannot be read is reported as not measured, with the reason, and keeps no other part from being read.
  - It makes no writing call to AWS and reads the database in a read-only transaction. Scenarios that send more than GET requests write in the
    application what they are made to write, such as a test sign-up, and remove it in their own steps; see O(play).
options:
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
  services:
    description: The names of the ECS services.
    type: list
    elements: str
  task_definition:
    description: Where the code would go back to, as M(spymeo.rollback.ecs_release_info) takes it. Without it the release that served before.
    type: raw
  served_at_least:
    description: For how many seconds a release has to have served to be gone back to, as the option of M(spymeo.rollback.ecs_release_info).
    type: int
    default: 300
  log_groups:
    description: The CloudWatch Logs groups of these services.
    type: list
    elements: str
    default: []
  db_instance:
    description: The DB instance of the application. The one that DATABASE_URL names comes first.
    type: str
    default: ""
  snapshot:
    description: The DB snapshot that a rollback would restore.
    type: str
    default: ""
  data_from:
    description: The time that a rollback of the data would go back to, where no snapshot is named, ISO 8601 with a time zone.
    type: str
    default: ""
  database_secret:
    description: Name or ARN of the secret that holds DATABASE_URL.
    type: str
    default: ""
  key:
    description: The key of the URL, if the secret is a JSON object.
    type: str
    default: DATABASE_URL
  secrets:
    description: Names or ARNs of the other secrets that the application reads.
    type: list
    elements: str
    default: []
  release_points:
    description:
      - The release points, newest first, as M(spymeo.rollback.rollback_run) gives them. Of the one that a rollback would go back to, the release
        and, without O(snapshot), the snapshot are looked at.
    type: list
    elements: dict
    default: []
  release_point:
    description: The id of the release point to go back to, or V(none), as in M(spymeo.rollback.ecs_release_info).
    type: str
    default: ""
  data_rules:
    description:
      - What holds for tables while the application is well, a mapping from a table to what is known of it.
      - C(columns) are there. C(at_most) so many rows (none) fulfil C(corrupted_when), an SQL condition. There are C(at_least) so many rows.
    type: dict
    default: {}
  base_url:
    description: The application's URL without a path. Without it no request is sent.
    type: str
    default: ""
  health_path:
    description: The path of the health check.
    type: str
    default: /api/health
  scenarios:
    description: HTTP scenarios, as M(spymeo.rollback.verify_http) takes them. One with a mistake is reported and left out.
    type: list
    elements: dict
    default: []
  variables:
    description: What C(${name}) stands for in the scenarios. Values are masked wherever something is shown.
    type: dict
    default: {}
  variable_secrets:
    description: Variables out of Secrets Manager, a mapping from a variable to C(secret) and perhaps C(key). One that cannot be read is reported.
    type: dict
    default: {}
  run_id:
    description: An id for this look. Scenarios use it as C(${run_id}).
    type: str
    default: ""
  play:
    description:
      - V(all) plays every scenario. V(reading) plays those that send nothing but GET, HEAD and OPTIONS, so that nothing is written in the application.
      - In check mode it is always V(reading).
    type: str
    choices: [all, reading]
    default: all
  slow_after:
    description: An answer that takes more seconds than this is slow.
    type: float
    default: 2.0
  patterns:
    description: Regular expressions that tell an error in the logs, as in M(spymeo.rollback.log_errors_info).
    type: list
    elements: str
  ignore:
    description: Regular expressions of lines that are no errors and need no level, as in M(spymeo.rollback.log_errors_info).
    type: list
    elements: str
  noise:
    description: Errors that are known and do not count, as in M(spymeo.rollback.log_errors_info).
    type: list
    elements: dict
    default: []
  log_elsewhere:
    description: Services, or C(service/container), whose logs are not in CloudWatch Logs, as in M(spymeo.rollback.log_errors_info).
    type: list
    elements: str
    default: []
  http_timeout:
    description: How long one request may take, in seconds.
    type: int
    default: 10
  connect_timeout:
    description: How long opening a connection to the database may take, in seconds.
    type: int
    default: 5
  data_timeout:
    description:
      - How long each question to the database, and so each rule of O(data_rules), may take, in seconds, within O(timeout).
      - A rule that takes longer is reported as not measured. A table without an index that serves its condition is read whole.
    type: int
    default: 20
  unfinished_run:
    description:
      - The run that has died, or that nobody has gone on with, as M(spymeo.rollback.rollback_run) gives it. What it has done may be half, so going on
        with it comes first, and nothing is sure.
    type: dict
  times:
    description: How long rollbacks of each kind took lately, as M(spymeo.rollback.rollback_run) gives them, for RV(ladder).
    type: list
    elements: dict
    default: []
  at_work:
    description: The run that works now, as M(spymeo.rollback.rollback_run) gives it. While it does, nobody else may begin.
    type: str
    default: ""
  runs:
    description: The runs of this collection that have ended, newest first, as M(spymeo.rollback.rollback_run) gives them. What was tried is reported.
    type: list
    elements: dict
    default: []
  timeout:
    description: How long the look may take, in seconds. What has not been read by then is reported as not measured; scenarios are always played to their end.
    type: int
    default: 60
  evidence_from:
    description:
      - A JSON file with RV(evidence) of an earlier look, on the machine where the module runs, of up to 8 MiB. It is decided on, and nothing is
        looked at.
      - Evidence quotes what applications have logged, so it is never to be given to Ansible itself, as an extra variable for example. Ansible would
        take it for a template and run what somebody has written into a log.
    type: path
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
attributes:
  check_mode:
    description: Scenarios that write are left out and told as not measured.
requirements:
  - psycopg >= 3
  - requests
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.verify_http
  - module: spymeo.rollback.log_errors_info
"""

EXAMPLES = r"""
- name: What is to be done?
  spymeo.rollback.rollback_triage_info:
    cluster: spymeo-production
    services: [spymeo-app]
    log_groups: [/ecs/spymeo-app]
    db_instance: spymeo-production-db
    snapshot: spymeo-pre-migration-snapshot
    database_secret: spymeo/production/database-url
    secrets: [spymeo/production/app]
    data_rules:
      Practitioner: {columns: [fullName, city], corrupted_when: "\"city\" = ''", at_least: 1000}
    base_url: https://app.spymeo.fr
  register: triage

- name: What do the rules of today say of the evidence of then?
  spymeo.rollback.rollback_triage_info:
    evidence_from: evidence-20261122.json
"""

RETURN = r"""
recommendation:
  description: V(none), V(CODE), V(DATABASE), V(FULL) or V(uncertain).
  returned: success
  type: str
  sample: CODE
confidence:
  description: V(high), V(medium) or V(low).
  returned: success
  type: str
leaning:
  description: What most speaks for when the recommendation is V(uncertain), else the recommendation.
  returned: success
  type: str
needs_person:
  description:
    - Whether no automatic trigger may act on it. V(none) asks for nobody. V(CODE) does not where it surely loses nothing; its RV(confidence) is
      V(high), no migration came and no secret changed with the release, nothing was tried before, and a release is known to go back to, against which
      nothing is known. For V(none) it is true where one of the RV(criteria) is V(yes).
  returned: success
  type: bool
why:
  description: The evidence for it, the strongest first.
  returned: success
  type: list
  elements: str
against:
  description: The evidence against it, and what it costs.
  returned: success
  type: list
  elements: str
would_change:
  description: What would lead to another answer.
  returned: success
  type: list
  elements: str
criteria:
  description: The runbook's five criteria in their order, each with C(text) and C(answer) (V(yes), V(perhaps), V(no) or V(not measured)).
  returned: success
  type: list
  elements: dict
ladder:
  description:
    - The ways back that there are, the fastest first, whatever is recommended, each with C(way), C(to), what it brings back, C(loses), what it costs, C(proof),
      what is known of it, and C(seconds), the median of how long the last C(runs) of this kind took.
  returned: success
  type: list
  elements: dict
not_measured:
  description:
    - What could not be read or was not asked, each with C(part) and C(why); among them scenarios that were left out, and rules for data that are
      not in the inventory. Each of them may hide something, so none of it goes with the RV(confidence) V(high) where it matters.
  returned: success
  type: list
  elements: dict
next:
  description:
    - What to run next, as C(playbook), C(variables), C(words), and C(look_first), which asks for C(--check) alone.
    - C(command) is the command itself where it is known, else empty.
    - C(instead) are the other ways, each with the same keys, where a person has to choose.
  returned: success
  type: dict
handed_on:
  description:
    - What a workflow is given of it (M(ansible.builtin.set_stats)), with C(playbook) and C(variables) of RV(next). It becomes extra variables of what
      follows, and those are templates, so what begins one in a log or an answer (C({{), C({%)) is taken apart by a blank.
  returned: success
  type: dict
left_behind:
  description: What scenarios may have written and was not seen to be removed again, for people. Empty when nothing is left.
  returned: success
  type: str
evidence:
  description: All that was seen, in JSON types. It holds no secret. A file with it is what O(evidence_from) takes.
  returned: success
  type: dict
before:
  description: Always empty.
  returned: success
  type: dict
after:
  description: Always empty.
  returned: success
  type: dict
plan:
  description: Always empty.
  returned: success
  type: list
  elements: str
reason:
  description: The recommendation in one sentence.
  returned: success
  type: str
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule, explain
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.triage import AWS_ERRORS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import no_template
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import read_noise
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.target_option import named_targets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.of_answers import left_behind
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import HEALTH
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    RunSeen,
    TimeSeen,
    UnfinishedRun,
    to_json,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.ladder import ladder
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.next_playbook import next_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import recommend
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import NO_HTTP
from ansible_collections.spymeo.rollback.plugins.module_utils._flows import triage_scenarios as scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.preflight import Clients
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage import Look
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_questions import Questions
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession
from ansible_collections.spymeo.rollback.plugins.module_utils._io.recorded_evidence import read_recorded
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import Evidence, HttpSeen

OPTIONS = dict(
    cluster=dict(type="str"),
    services=dict(type="list", elements="str"),
    task_definition=dict(type="raw"),
    served_at_least=dict(type="int", default=300),
    log_groups=dict(type="list", elements="str", default=[]),
    db_instance=dict(type="str", default=""),
    snapshot=dict(type="str", default=""),
    data_from=dict(type="str", default=""),
    database_secret=dict(type="str", default="", no_log=False),
    key=dict(type="str", default="DATABASE_URL", no_log=False),
    secrets=dict(type="list", elements="str", default=[], no_log=False),
    release_points=dict(type="list", elements="dict", default=[]),
    release_point=dict(type="str", default=""),
    data_rules=dict(type="dict", default={}),
    base_url=dict(type="str", default=""),
    health_path=dict(type="str", default="/api/health"),
    scenarios=dict(type="list", elements="dict", default=[]),
    variables=dict(type="dict", default={}, no_log=True),
    variable_secrets=dict(type="dict", default={}, no_log=False),
    run_id=dict(type="str", default=""),
    play=dict(type="str", choices=["all", "reading"], default="all"),
    slow_after=dict(type="float", default=2.0),
    patterns=dict(type="list", elements="str"),
    ignore=dict(type="list", elements="str"),
    noise=dict(type="list", elements="dict", default=[]),
    log_elsewhere=dict(type="list", elements="str", default=[]),
    http_timeout=dict(type="int", default=10),
    connect_timeout=dict(type="int", default=5),
    data_timeout=dict(type="int", default=20),
    runs=dict(type="list", elements="dict", default=[]),
    unfinished_run=dict(type="dict"),
    at_work=dict(type="str", default=""),
    times=dict(type="list", elements="dict", default=[]),
    timeout=dict(type="int", default=60),
    evidence_from=dict(type="path"),
)


def questions(module: RollbackModule, clients: Callable[[str], Any]) -> Questions:
    """The Questions of the options."""
    params = module.params
    same = (
        "cluster",
        "services",
        "log_groups",
        "log_elsewhere",
        "db_instance",
        "snapshot",
        "database_secret",
        "key",
        "secrets",
        "connect_timeout",
        "data_timeout",
        "release_points",
        "release_point",
        "served_at_least",
        "at_work",
    )
    return Questions(
        named=named_targets(params["task_definition"], params["services"]),
        data_from=parse_time("data_from", params["data_from"]),
        rules=read_rules(params["data_rules"]),
        runs=tuple(map(run_seen, params["runs"])),
        times=tuple(TimeSeen(**item) for item in params["times"]),
        unfinished=UnfinishedRun(**params["unfinished_run"]) if params["unfinished_run"] else None,
        play=player(params, clients, module.check_mode) if params["base_url"] else None,
        proof=dict(
            base_url=params["base_url"] or NO_HTTP,
            health_path=params["health_path"],
            log_groups=params["log_groups"],
            secrets=params["variable_secrets"],
            despite_unreachable=False,
        ),
        rules_of_logs=Rules.of(params["patterns"], params["ignore"]),
        noise=read_noise(params["noise"], datetime.now(timezone.utc).date()),
        **{name: params[name] for name in same},
    )


def run_seen(run: Mapping[str, Any]) -> RunSeen:
    """The RunSeen of a run as ``rollback_run`` gives it."""
    undone = parse_time("runs", run["undone"]) if run.get("undone") else None
    ended, parts = parse_time("runs", run["ended"]), tuple(run["parts"])
    if ended is None:
        raise BadInput("runs", run["run_id"], "it is not said when this run ended")
    return RunSeen(run["run_id"], run["kind"], ended, run["outcome"], parts, run.get("undone_by", ""), undone)


def player(params: Mapping[str, Any], clients: Callable[[str], Any], check_mode: bool) -> Callable[[], HttpSeen]:
    """A callable that plays the scenarios."""
    health = dict(name=HEALTH, steps=[dict(path=params["health_path"])])
    may_write = params["play"] == "all" and not check_mode

    def session() -> ScenarioSession:
        return ScenarioSession(params["base_url"], params["http_timeout"])

    def play() -> HttpSeen:
        kept, unread = scenarios.kept_in(lambda: clients("secretsmanager"), params["variable_secrets"])
        secret = {**params["variables"], **kept}
        variables = {**secret, **({"run_id": params["run_id"]} if params["run_id"] else {})}
        right, values, left_out = scenarios.usable([health, *params["scenarios"]], variables, may_write)
        hidden = [value for name, value in values.items() if name in secret]
        return scenarios.play(right, session, values, hidden, unread + left_out, params["slow_after"])

    return play


def explained(module: RollbackModule) -> Callable[[BaseException], str]:
    """A callable that tells why a part was not measured."""

    def explain_one(error: BaseException) -> str:
        if isinstance(error, RollbackError):
            return error.message
        if isinstance(error, AWS_ERRORS):
            return explain(error, module.params.get("endpoint_url"), module.region)
        return "a mistake of this collection, please report it (%s: %s)" % (type(error).__name__, error)

    return explain_one


def triage_result(evidence: Evidence) -> dict[str, Any]:
    """The result for an Evidence, in JSON types."""
    found = recommend(evidence)
    lost = left_behind(evidence)
    missing = [dict(part=part, why=why) for part, why in found.not_measured]
    answer = dict(
        recommendation=found.option,
        confidence=found.confidence,
        leaning=found.leaning,
        needs_person=found.needs_person,
        why=list(found.why),
        against=list(found.against),
        not_measured=missing,
    )
    following = asdict(next_of(found, evidence))
    return dict(
        answer,
        would_change=list(found.would_change),
        criteria=[dict(text=text, answer=answer) for text, answer in found.criteria],
        next=following,
        ladder=[asdict(rung) for rung in ladder(evidence)],
        handed_on=no_template(dict(answer, playbook=following["playbook"], variables=following["variables"])),
        left_behind=" ".join(evidence.http.left if evidence.http else ())
        or ("A test row could not be removed by: %s." % lost["scenarios"] if lost else ""),
        reason="%s (confidence: %s)%s" % (found.option, found.confidence, ": %s" % found.why[0] if found.why else ""),
        evidence=to_json(evidence),
    )


def main() -> None:
    module = RollbackModule(
        OPTIONS,
        required_one_of=[("cluster", "evidence_from")],
        required_together=[("cluster", "services")],
    )
    with module.telling():
        if module.params["evidence_from"]:
            evidence = read_recorded(module.params["evidence_from"])
        else:
            clients = Clients(module.aws)
            look = Look(clients, questions(module, clients), Clock(), module.params["timeout"])
            evidence = look.evidence(datetime.now(timezone.utc), explained(module))
        module.finish(changed=False, before={}, after={}, **triage_result(evidence))


if __name__ == "__main__":
    main()
