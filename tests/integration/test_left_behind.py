# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nobody is left on the failed database: who reads the secret, or names the host, and is not started again, is told before anything is restored."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.left_sessions import Leavers

from spymeo_world import world

from .conftest import one_line

RUN = "rb-left"
RESTORED = f"{world.DB_INSTANCE}-{RUN}"
WORKER = "spymeo-worker"


def given(**variables) -> list[str]:
    return ["-e", json.dumps(variables)]


def register(production, family: str, **container) -> str:
    """A task definition as the application's, of another family."""
    ecs = production.aws("ecs")
    content = ecs.describe_task_definition(taskDefinition=production.origin())["taskDefinition"]
    taken = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    content = {key: value for key, value in content.items() if key in taken}
    content["containerDefinitions"][0].update(container)
    return ecs.register_task_definition(**{**content, "family": family})["taskDefinition"]["taskDefinitionArn"]


def start_service(production, definition: str, cluster: str = world.CLUSTER) -> None:
    ecs, network = production.aws("ecs"), production.service()["networkConfiguration"]
    ecs.create_service(
        cluster=cluster,
        serviceName=WORKER,
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    production.until(lambda: worker(production, cluster)["deployments"][0].get("rolloutState") == "COMPLETED")


def worker(production, cluster: str = world.CLUSTER) -> dict:
    return production.aws("ecs").describe_services(cluster=cluster, services=[WORKER])["services"][0]


@pytest.fixture(scope="module")
def with_worker(shared_production):
    """A worker on the same secret that the inventory does not name, and release 2 has corrupted the data."""
    start_service(shared_production, register(shared_production, WORKER))
    shared_production.accident("bad-migration")
    return shared_production


@pytest.fixture
def story(with_worker):
    with_worker.forget_runs()
    return with_worker


def test_a_worker_on_the_same_secret_stops_the_plan(story):
    for arguments in ([], ["--check"]):
        played = story.play("rollback_full", *arguments)
        assert (played.code != 0, played.written) == (True, []), played.output
        said = one_line(played.output)
        assert f"left behind service {WORKER} ({world.CLUSTER}): it reads rollback_database_secret" in said.replace(
            "left_behind", "left behind"
        )
        assert "-e rollback_readers=include" in said


def test_one_that_is_left_is_told(story):
    played = story.play("rollback_full", "--check", *given(rollback_readers="leave"))
    assert (played.code, played.written) == (0, []), played.output
    assert f"BEWARE    left behind service {WORKER}" in played.output


def test_scheduled_tasks_and_functions_are_found_wherever_the_database_is_named(story):
    host = story.instances()[world.DB_INSTANCE]["Endpoint"]["Address"]
    plain = register(
        story,
        "spymeo-nightly",
        secrets=[],
        environment=[{"name": "DB", "value": f"postgresql://u:p@{host}:5432/spymeo"}],
    )
    reading = register(story, "spymeo-hourly")
    cluster = story.aws("ecs").describe_clusters(clusters=[world.CLUSTER])["clusters"][0]["clusterArn"]
    role = story.aws("iam").create_role(RoleName="runs-tasks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    events, scheduler = story.aws("events"), story.aws("scheduler")
    events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    events.put_targets(
        Rule="nightly",
        Targets=[{"Id": "1", "Arn": cluster, "RoleArn": role, "EcsParameters": {"TaskDefinitionArn": plain}}],
    )
    scheduler.create_schedule(
        Name="hourly", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": cluster, "RoleArn": role, "EcsParameters": {"TaskDefinitionArn": reading}},
    )  # fmt: skip
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context): pass")
    functions = story.aws("lambda")
    for name, variables in {
        "reports": {"SECRET": world.DATABASE_SECRET},
        "exports": {"PGHOST": host},
        "other": {"PGHOST": "elsewhere"},
    }.items():
        functions.create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Handler="handler.handle",
            Code={"ZipFile": code.getvalue()}, Environment={"Variables": variables},
        )  # fmt: skip
    played = story.play("rollback_full", "--check")
    assert (played.code != 0, played.written) == (True, []), played.output
    said = one_line(played.output).replace("left_behind", "left behind")
    assert "left behind scheduled task nightly: it has the failed database's host in itself" in said
    assert "left behind function exports: it has the failed database's host in itself" in said
    told = one_line(story.play("rollback_full", "--check", *given(rollback_readers="leave")).output)
    assert (
        "left behind scheduled task hourly: it reads rollback_database_secret: its next task gets the new address"
        in told
    )
    assert "left behind function reports: it names rollback_database_secret" in told
    assert "function other" not in told


def test_one_that_is_included_is_started_again_on_the_restored_database_with_its_own_code(story):
    before = worker(story)["taskDefinition"]
    functions, events = story.aws("lambda"), story.aws("events")
    for function in functions.list_functions()["Functions"]:
        functions.delete_function(FunctionName=function["FunctionName"])
    for rule in events.list_rules()["Rules"]:
        events.remove_targets(Rule=rule["Name"], Ids=["1"])
    # It came seconds before the migration, as if with it: that its code has nothing to do with it, somebody has to say.
    insisting = {"rollback_run_id": RUN, "rollback_readers": "include", "rollback_despite_migrations": True}
    played = story.play("rollback_full", *given(**insisting))
    assert played.code == 0, played.output
    assert story.origin(worker(story)["taskDefinition"]) == before.rpartition("/")[2]
    assert played.written.count("ecs UpdateService") == 2
    with world.connect(story.state["endpoint_url"], world.DB_INSTANCE) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        assert connection.execute(query).fetchone() == (0,)
    again = story.play("rollback_full", *given(**insisting))
    assert (again.code, again.written) == (0, []), again.output


def leavers(production, user: str, password: str) -> Leavers:
    """Who is on production's database, asked as this user."""
    place = production.instances()[world.DB_INSTANCE]["Endpoint"]
    url = DatabaseUrl.parse(f"postgresql://{user}:{password}@elsewhere/{world.DB_NAME}")
    return Leavers(url, {"db_instance": "db", "host": place["Address"], "port": place["Port"], "wait_timeout": 0}, 5)


@pytest.fixture
def asked_by_nobody(production):
    """A production without tasks, and a role that may see nothing of others."""
    production.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, desiredCount=0)
    production.until(lambda: production.service()["runningCount"] == 0)
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute("CREATE ROLE nobody LOGIN PASSWORD 'of-nobody'")
        connection.commit()
    asked = leavers(production, "nobody", "of-nobody")
    production.until(lambda: asked.wait().verdict()[0] == "passed")  # a task that stops closes its connections last
    return production, asked


def test_the_session_of_another_role_is_seen_by_one_that_may_see_nothing_of_it(asked_by_nobody):
    production, asked = asked_by_nobody
    assert asked.wait().verdict()[:2] == ("passed", "nobody is connected to db any more")
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as worker:
        worker.execute("SET application_name = 'spymeo-worker'")
        worker.commit()
        verdict, reason, evidence = asked.wait().verdict()
    assert (verdict, reason) == ("failed", "1 session is open on db, which is out of service")
    assert evidence[1] == f"role {world.DB_USER} (spymeo-worker), of which this user may not see more"


def test_what_connects_for_each_request_is_seen_by_the_rows_that_it_writes(asked_by_nobody):
    production, asked = asked_by_nobody
    asked.wait()
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute('UPDATE "Payment" SET "amountCents" = "amountCents"')
        connection.commit()
    verdict, reason, _evidence = asked.verdict()
    assert verdict == "failed"
    assert (
        "nobody is connected to db now, which is out of service, and 1000 rows were written there during the checks"
        in reason
    )
