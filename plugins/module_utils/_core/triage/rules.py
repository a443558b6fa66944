# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of triage: one table. Pure.

To add one, write its condition into a file of ``conditions/``, a line here, and a case into ``tests/unit/plugins/module_utils/_core/triage/cases``.
What the weights come to together is decided in ``recommend.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_database,
    of_deployments,
    of_logs,
    of_runs,
    of_secrets,
    of_tasks,
    unmeasured,
    words,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import CODE, DATABASE, FULL, NONE

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import Evidence

FOR, AGAINST = "for", "against"
EVERY = "every option"  # what is reported whatever comes next, and decides nothing

NOTE = 0  # to be known, and no reason
WEAK = 1  # a hint; two of them are as good as a STRONG one
STRONG = 2  # enough, when nothing stronger says otherwise
DECISIVE = 3  # enough by itself
VETO = 9  # nothing outweighs it

LOOP, CONNECTION, LOGIN, DATA, FEATURE = "crash loop", "database connection", "log in", "data", "critical features"
CRITERIA = {
    LOOP: "the application does not stay up",
    CONNECTION: "the application cannot use its database",
    LOGIN: "people cannot log in",
    DATA: "data are corrupted or lost, or a migration did harm",
    FEATURE: "people cannot do what they came for (sign up, pay)",
}
"""The runbook's five, as it numbers them."""

ASKED: dict[str, Callable[[Evidence], object]] = {
    LOOP: lambda evidence: bool(evidence.services) and evidence.tasks is not None,
    CONNECTION: unmeasured.logs_read,
    LOGIN: unmeasured.logins_answered,
    DATA: unmeasured.data_asked,
    FEATURE: unmeasured.others_answered,
}
"""Whether anything that could say so was asked: otherwise that nothing speaks for a criterion says nothing."""


Condition = Callable[["Evidence"], Optional[words.Words]]


@dataclass(frozen=True)
class Rule:
    """``criteria`` are those of the runbook that it is about. ``when`` gives the words of ``sentence``, or None when the rule does not speak."""

    criteria: tuple[str, ...]
    speaks: str
    option: str
    weight: int
    when: Condition
    sentence: str


# fmt: off
RULES = (
    # The code is bad.
    Rule((LOOP,), FOR, CODE, DECISIVE, of_tasks.crash_loop,
         "{count} tasks of {release} ended by themselves, {running} of {desired} run ({how})"),
    Rule((LOOP,), FOR, CODE, STRONG, of_tasks.crash_loop_while_well,
         "{count} tasks of {release} ended by themselves, and {running} of {desired} run now ({how})"),
    Rule((LOOP,), FOR, CODE, STRONG, of_tasks.tasks_end,
         "{count} tasks of {release} ended, {running} of {desired} run ({how}); that the application did it is not proven"),
    Rule((LOOP,), FOR, CODE, WEAK, of_tasks.tasks_end_while_well,
         "{count} tasks of {release} ended, and {running} of {desired} run now ({how})"),
    Rule((LOOP,), FOR, CODE, WEAK, of_tasks.one_crash, "one task of {release} ended by itself ({how})"),
    Rule((LOOP,), FOR, CODE, STRONG, of_tasks.deployment_failed, "ECS has given up deploying {release} to {service} ({why})"),
    Rule((LOOP,), FOR, CODE, STRONG, of_tasks.no_healthy_target, "the target group {group} has no healthy target ({why})"),
    Rule((LOOP, LOGIN, FEATURE), FOR, CODE, STRONG, of_answers.outage, "nobody is served: {path} answers {answer}"),
    Rule((CONNECTION,), FOR, CODE, STRONG, of_logs.cannot_connect, "the application cannot use its database: {codes}"),
    Rule((CONNECTION,), FOR, CODE, DECISIVE, of_logs.looks_elsewhere,
         "the tasks look for the database at {named}, and DATABASE_URL names {wanted}"),
    Rule((CONNECTION,), FOR, CODE, WEAK, of_logs.looked_elsewhere,
         "tasks have looked for a database at {named}, and DATABASE_URL names {wanted}"),
    Rule((CONNECTION,), FOR, CODE, WEAK, of_logs.database_answers,
         "the database itself is well: it answers through DATABASE_URL, asked from here, in {seconds} s"),
    Rule((LOGIN,), FOR, CODE, STRONG, of_answers.login_refused, "people cannot log in: {steps}"),
    Rule((FEATURE,), FOR, CODE, DECISIVE, of_answers.feature_broken, "{steps}"),
    Rule((FEATURE,), FOR, CODE, STRONG, of_answers.feature_without_answer, "{steps}"),
    Rule((FEATURE,), FOR, CODE, WEAK, of_answers.feature_otherwise, "{steps}, which is not what the scenario expects"),
    Rule((), FOR, CODE, STRONG, of_answers.slow, "{late} of {all} answers took more than {after} s, up to {longest} s"),
    Rule((), FOR, CODE, WEAK, of_answers.partly_slow, "{late} of {all} answers took more than {after} s, up to {longest} s"),
    Rule((), FOR, CODE, WEAK, of_database.database_quick,
         "it is not the database that is slow: login and readings took {seconds} s from here"),
    Rule((), FOR, CODE, WEAK, of_logs.new_errors, "{told} in the logs, like: {first}"),
    Rule((DATA,), FOR, CODE, DECISIVE, of_database.mismatch_without_migration,
         "the code needs another schema ({codes}), and no migration came with it"),
    Rule((DATA,), FOR, CODE, STRONG, of_database.mismatch_in_logs_without_migration,
         "the code is said to need another schema ({codes}), and no migration came with it"),
    Rule((DATA,), FOR, CODE, STRONG, of_database.mismatch_of_unknown_origin,
         "code and schema do not match ({codes}); whether a migration came is not known"),
    Rule((DATA,), FOR, CODE, STRONG, of_database.harmed_by_release,
         "{release}, deployed {ago} ago, {brought}: it must not meet the database that comes back"),

    # The data are bad.
    Rule((DATA,), FOR, DATABASE, DECISIVE, of_database.rows_corrupted, "rows are corrupted: {told}"),
    Rule((DATA,), FOR, DATABASE, DECISIVE, of_database.rows_lost, "rows are lost: {told}"),
    Rule((DATA,), FOR, DATABASE, DECISIVE, of_database.schema_changed, "the database lacks what the application needs: {told}"),
    Rule((DATA,), FOR, DATABASE, DECISIVE, of_database.mismatch_by_migration,
         "the schema is not the one that the code needs ({codes}) since the migration {names}"),
    Rule((DATA,), FOR, DATABASE, STRONG, of_database.mismatch_in_logs_only,
         "the schema is said not to be the one that the code needs ({codes}) since the migration {names}"),
    Rule((DATA,), FOR, DATABASE, STRONG, of_database.migration_failed_and_felt, "the migration {names} came to no end (P3009)"),
    Rule((DATA,), FOR, DATABASE, WEAK, of_database.migration_failed_quietly,
         "the migration {names} came to no end; the next one will be refused (P3009)"),
    Rule((DATA,), FOR, DATABASE, STRONG, of_database.migration_stops_tasks,
         "tasks migrate at their start and stumble over a failed migration ({codes}); so will the release before"),
    Rule((DATA,), FOR, DATABASE, WEAK, of_database.migration_takes_away,
         "the migration {names} takes something away{by_name} which the release before may need"),
    Rule((DATA,), FOR, DATABASE, DECISIVE, of_database.instance_lost, "RDS says that {name} is {status}, from which it does not come back"),
    Rule((CONNECTION,), FOR, DATABASE, DECISIVE, of_database.lost_out_of_use, "nobody can use the database while {name} is {status}"),
    Rule((CONNECTION,), FOR, DATABASE, WEAK, of_database.lost_perhaps_out_of_use,
         "{name} is {status}, and whether the database answers all the same is not known"),

    # Only everything together brings it back.
    Rule((), FOR, FULL, STRONG, of_secrets.secret_left,
         "{names} got another value {ago} ago and still has it, though the code is back; FULL brings the former one back with the data"),
    Rule((), FOR, FULL, WEAK, of_secrets.secret_changed,
         "{names} got another value {ago} ago, with the release; FULL brings the former one back, and so does rollback_secrets.yml, which leaves the data"),

    # Nothing is to be rolled back now.
    Rule((), FOR, NONE, STRONG, of_answers.everything_passes, "what people do works: {scenarios}"),
    Rule((), FOR, NONE, WEAK, of_answers.health_passes, "the health check answers; nothing else was tried"),
    Rule((), FOR, NONE, WEAK, of_logs.quiet, "every task runs, none has failed, and {lines} lines of their logs are without errors"),
    Rule((), FOR, NONE, DECISIVE, of_deployments.rolling_back, "ECS itself is taking {release} back from {service}: wait for it"),
    Rule((), FOR, NONE, STRONG, of_deployments.deployment_starting,
         "{release} is being deployed to {service} since {ago}, and none of its tasks has failed: wait for it"),
    Rule((), FOR, NONE, VETO, of_deployments.fenced,
         "{service} stands at 0 tasks for run {run}: {way}"),
    Rule((), FOR, NONE, DECISIVE, of_deployments.scaled_to_zero, "{service} has a desired count of 0: somebody has stopped it"),
    Rule((), FOR, NONE, DECISIVE, of_database.instance_passing, "RDS says that {name} is {status}, and no rollback helps with that: {cure}"),
    Rule((CONNECTION,), FOR, NONE, DECISIVE, of_database.passing_out_of_use, "nobody can use the database while {name} is {status}"),
    Rule((CONNECTION,), FOR, NONE, WEAK, of_database.passing_perhaps_out_of_use, "the database of {name} may be of no use while that is {status}"),
    Rule((), FOR, NONE, STRONG, of_tasks.no_capacity, "AWS has no room for {count} tasks of {services} ({why}), and no release changes that"),
    Rule((), FOR, NONE, WEAK, of_tasks.no_capacity_for_some, "AWS has no room for {count} tasks of {services} ({why}), and no release changes that"),
    Rule((), FOR, NONE, STRONG, of_tasks.not_started, "AWS could not start {count} tasks of {services} ({why}), and no release changes that"),
    Rule((), FOR, NONE, WEAK, of_tasks.not_started_some, "AWS could not start {count} tasks of {services} ({why}), and no release changes that"),
    Rule((), FOR, NONE, WEAK, of_database.failover, "{name} has failed over or restarted {ago} ago ({said}); applications connect again by themselves"),

    # What speaks against an option.
    Rule((), AGAINST, EVERY, NOTE, of_runs.unfinished,
         "run {run} ({kind}) was not finished, so what is there may be half of it: go on with it, or give it up, first"),
    Rule((), AGAINST, EVERY, NOTE, of_runs.at_work, "{told}: what is seen may be half of what it does, and nobody else may begin"),
    Rule((), AGAINST, EVERY, NOTE, of_runs.apart, "no rollback is planned before that is put right: {told}"),
    Rule((), AGAINST, EVERY, NOTE, of_secrets.secret_unread,
         "running tasks of {services} may have read another value of {names} than the current one: it was changed after they had started"),
    Rule((), AGAINST, NONE, WEAK, of_deployments.one_scaled_to_zero,
         "{service} has a desired count of 0: somebody has stopped it, and what it does for others is not done"),
    Rule((), AGAINST, NONE, WEAK, of_deployments.deployment_open, "the deployment of {release} to {service}, begun {ago} ago, is {state}"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.tasks_failed, "ECS counts {tasks} of {release} that failed to run in {service}, and does not tell why"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.odd_ends, "{tasks} of {release} were stopped and ended otherwise ({how})"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.others_end, "{tasks} of {release}, which is not what runs, ended by themselves ({how})"),
    Rule((), AGAINST, NONE, WEAK, of_database.database_late, "login and readings of the database took {seconds} s from here"),
    Rule((), AGAINST, NONE, WEAK, of_database.instance_warned, "RDS said {ago} ago of {name}: {said}"),
    Rule((), AGAINST, NONE, WEAK, of_runs.run_failed, "the last rollback failed {ago} ago (run {run}: {kind}), so what is there may be half of it"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.too_few_tasks, "{running} of {desired} tasks of {release} run; {why}"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.not_placed, "ECS could not start tasks of {service} {ago} ago ({said})"),
    Rule((), AGAINST, NONE, NOTE, of_tasks.not_started_at_first,
         "AWS could not start {count} tasks of {services} at first ({why}); all that are to run do now"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.too_few_targets,
         "the target group {group} has {count} for {tasks} running tasks of {services}: a load balancer does not find all of them"),
    Rule((), AGAINST, NONE, WEAK, of_answers.turned_away, "{path} answers {answer}, which says nothing of the application: {why}"),
    Rule((), AGAINST, NONE, WEAK, of_database.instance_unknown, "RDS says that {name} is {status}, and what that means for the application is not known here"),
    Rule((), AGAINST, NONE, WEAK, of_database.instance_crippled,
         "RDS says that {name} is {status}: {why}. The database answers all the same, until its instance has to be started again"),
    Rule((), AGAINST, EVERY, NOTE, of_database.instance_at_work, "RDS says that {name} is {status}, and the database answers all the same"),
    Rule((), AGAINST, NONE, WEAK, of_tasks.some_targets_unhealthy, "{count} of {all} targets of {group} are unhealthy ({why})"),
    Rule((), AGAINST, EVERY, NOTE, of_runs.code_taken_back,
         "it was tried: the code was taken back {ago} ago (run {run}: {kind}), and this is what is seen since"),
    Rule((), AGAINST, CODE, NOTE, of_runs.code_undone,
         "it was tried: run {run} ({kind}) took the code back, and that was undone {ago} ago (run {by}): find out why before it is done again"),
    Rule((), AGAINST, DATABASE, NOTE, of_runs.data_undone,
         "it was tried: run {run} ({kind}) took the data back, and that was undone {ago} ago (run {by}): find out why before it is done again"),
    Rule((), AGAINST, CODE, NOTE, of_runs.same_release, "known against {release}: {why}"),
    Rule((), AGAINST, EVERY, NOTE, of_secrets.secret_changed_alone,
         "{names} got another value {ago} ago; if that is why, only rollback_secrets.yml puts it right"),
    Rule((), AGAINST, DATABASE, NOTE, of_runs.data_taken_back,
         "it was tried: the data were taken back {ago} ago (run {run}: {kind}), and something harmed them again: find out what, or it does so again"),
    Rule((), AGAINST, CODE, VETO, of_deployments.brought_back, "the release before, {release}, runs already{gone}"),
    Rule((), AGAINST, CODE, STRONG, of_deployments.served_long, "nothing was deployed lately: {release} serves since {ago}"),
    Rule((), AGAINST, CODE, WEAK, of_deployments.history_unknown, "whether anything was deployed lately is not known"),
    Rule((), AGAINST, CODE, STRONG, of_logs.errors_before, "the release before logged the same ({before} times: {first})"),
    Rule((), AGAINST, CODE, WEAK, of_logs.features_failed_before,
         "all that is in the logs the release before logged as often ({before}: {first}), so what fails may have failed before"),
    Rule((), AGAINST, CODE, WEAK, of_database.failover_while_broken,
         "{name} has failed over or restarted {ago} ago ({said}), and until applications have connected again, what people do fails with every release"),
    Rule((), AGAINST, CODE, WEAK, of_database.database_late, "the database itself is late: login and readings took {seconds} s from here"),
    Rule((), AGAINST, CODE, WEAK, of_database.instance_warned, "RDS said {ago} ago of {name}, for every release: {said}"),
    Rule((), AGAINST, CODE, NOTE, of_database.instance_unknown, "RDS says that {name} is {status}; whether that is why, for every release, is not known"),
    Rule((), AGAINST, CODE, STRONG, of_secrets.secret_may_be_why,
         "{names} got another value {ago} ago, and a wrong secret looks like this; CODE leaves it as it is"),
    Rule((), AGAINST, CODE, STRONG, of_secrets.secret_unread_may_be_why,
         "a wrong value of {names} looks like this, and running tasks of {services} may have another one than the current: they are to be started again first"),
    Rule((), AGAINST, CODE, DECISIVE, of_database.instance_passing, "{name} is {status} for every release"),
    Rule((), AGAINST, CODE, DECISIVE, of_database.instance_lost, "{name} is {status} for every release"),
    Rule((), AGAINST, CODE, DECISIVE, of_deployments.scaled_to_zero, "{service} is asked to run no task at all"),
    Rule((), AGAINST, CODE, DECISIVE, of_database.url_refused,
         "the database refuses DATABASE_URL from here as well ({code}: {why}), so every release is refused"),
    Rule((), AGAINST, CODE, STRONG, of_tasks.no_capacity, "the release before would find no room either ({why})"),
    Rule((), AGAINST, CODE, STRONG, of_tasks.not_started, "AWS could not start the release before either ({why})"),
    Rule((), AGAINST, CODE, STRONG, of_database.database_slow, "the database itself is slow: login and readings took {seconds} s from here"),
    Rule((), AGAINST, CODE, NOTE, of_database.unproven_came,
         "the release before does not know {names}; it works only if that took nothing away"),
    Rule((), AGAINST, CODE, NOTE, of_deployments.no_release_before, "no release of {service} can be chosen to go back to: {why}"),
    Rule((LOGIN,), AGAINST, CODE, NOTE, of_answers.login_refused, "it may be the credentials in verify_variables: did they work before the deployment?"),
    Rule((), AGAINST, DATABASE, DECISIVE, of_database.instance_passing_and_whole, "{name} is {status}, and its data are there"),
    Rule((), AGAINST, DATABASE, NOTE, of_database.additive_came, "the release before can run with {names}, which only adds{beware}"),
    Rule((), AGAINST, DATABASE, NOTE, of_database.what_is_lost,
         "it takes the data back to {ago} ago ({snapshot}); what was written since is only in {name}"),
    Rule((), AGAINST, DATABASE, NOTE, of_database.snapshot_too_young, "{snapshot} is younger than {names} and holds the same harm: name an older one"),
    Rule((), AGAINST, DATABASE, NOTE, of_database.nothing_to_restore, "there is nothing to restore yet: {why}"),
    Rule((DATA,), AGAINST, DATABASE, NOTE, of_database.migration_failed_and_felt,
         "PostgreSQL takes a failed migration back whole, but for what runs outside of a transaction: if {names} left nothing, CODE is enough"),
    Rule((), AGAINST, NONE, NOTE, of_answers.left_behind, "a test row of this look could not be removed: {scenarios}"),
)
# fmt: on
