# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which release comes back when the history is not a straight line. Every end state is asked of AWS: the service's task definition and
security groups, the digests of the tasks that run. Each test has a lab of its own, because its history is what it is about."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from spymeo_world import world
from spymeo_world.accidents import TAG_OR_DIGEST, UNFIT

from .conftest import one_line

GOOD, SETTLES_WITHIN = "1.0.0", 30  # a release that is as it should be; seconds
LOGIN_BROKEN, PAYMENTS_BROKEN, CRASHES = "login-broken", "payments-broken", "crash-loop"


class Pipeline:
    """Builds images and deploys them; each image has a digest of its own, whatever it does."""

    def __init__(self, production):
        self.production, self.ecs, self.ecr = production, production.aws("ecs"), production.aws("ecr")

    def build(self, tag: str, defect: str = "") -> str:
        """Push an image under a tag: release 1.0.0, or release 2.0.0 with a defect. Returns its digest."""
        release = "2.0.0" if defect else GOOD
        if defect:
            self.production.control("push", release=release, defect=defect)
        found = self.ecr.batch_get_image(repositoryName=world.REPOSITORY, imageIds=[{"imageTag": release}])
        manifest = json.loads(found["images"][0]["imageManifest"]) | {
            "annotations": {"build": f"{tag} {time.monotonic()}"}
        }
        put = self.ecr.put_image(repositoryName=world.REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)
        return put["image"]["imageId"]["imageDigest"]

    def register(self, tag: str, **environment: str) -> str:
        """A new revision with the image of that tag."""
        running = self.production.service()["taskDefinition"]
        definition = self.ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
        for key in UNFIT:
            definition.pop(key, None)
        container = definition["containerDefinitions"][0]
        container["image"] = TAG_OR_DIGEST.sub(f":{tag}", container["image"], count=1)
        container["environment"] += [{"name": name, "value": value} for name, value in environment.items()]
        return self.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]

    def deploy(self, definition: str, *, settle: bool = True, **more) -> None:
        """UpdateService; returns when it is done, unless it never will be."""
        self.ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=definition, **more)
        if settle:
            settled(self.production)
        else:
            self.production.until(lambda: self.production.service()["deployments"][0]["failedTasks"] >= 2)

    def release(self, tag: str, defect: str = "", **more) -> str:
        """Build, register and deploy; returns the digest."""
        built = self.build(tag, defect)
        self.deploy(self.register(tag), settle=defect != CRASHES, **more)
        return built


@pytest.fixture(name="pipeline")
def _pipeline(production):
    return Pipeline(production)


def settled(production) -> str:
    """family:revision of the only deployment, or of what it is a copy of, once all its tasks run."""

    def whole():
        service = production.service()
        (first, *others) = service["deployments"]
        done = not others and first["rolloutState"] == "COMPLETED" and first["runningCount"] == service["desiredCount"]
        return production.origin(service["taskDefinition"]) if done else None

    return production.until(whole, SETTLES_WITHIN)


def running(production) -> set[str]:
    """The digests of the images of the tasks that run."""
    ecs = production.aws("ecs")
    arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=world.CLUSTER, tasks=arns)["tasks"]
    return {container["imageDigest"] for task in tasks for container in task["containers"]}


def groups(production) -> list[str]:
    """The security groups of the service."""
    return production.service()["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]


def line_of(played, word: str, containing: str = "") -> str:
    """The first line of the output that begins with a word."""
    lines = [line for line in played.output.splitlines() if word in line and containing in line]
    assert lines, played.output
    return lines[0]


def test_a_release_that_was_deployed_again_and_served_is_no_longer_rolled_back_from(production, pipeline):
    """1, 2, a rollback "to be safe", 2 again, 3 bad: it goes back to 2, and what is bad began with 3."""
    second = pipeline.release("1.1.0")
    assert production.play("rollback_code").code == 0
    assert settled(production) == "spymeo-app:1"
    pipeline.deploy("spymeo-app:2")
    pipeline.release("2.0.0", LOGIN_BROKEN)
    began = production.service()["deployments"][0]["createdAt"]

    listed = production.play("releases")
    assert "spymeo-app: spymeo-app:2, because" in one_line(listed.output)
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert "spymeo-app:3 -> spymeo-app:2" in played.output
    assert (settled(production), running(production)) == ("spymeo-app:2", {second})
    told = production.play("rollback_code", "-vv")
    assert (told.code, told.written, told.recap["changed"]) == (0, [], 0), told.output
    assert began.isoformat(timespec="seconds")[:16] in told.output


def test_the_hotfix_of_a_bad_release_with_the_same_image_is_no_release_to_go_back_to(production, pipeline):
    first = running(production)
    pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.deploy(pipeline.register("2.0.0", LOG_LEVEL="debug"))
    named = production.play("rollback_code", "--check", "-e", "rollback_task_definition=spymeo-app:2")
    assert "the images of what runs" in line_of(named, "BEWARE", "release")
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert "spymeo-app:3 -> spymeo-app:1" in played.output
    assert (settled(production), running(production)) == ("spymeo-app:1", first)


def test_where_only_the_environment_went_bad_nothing_goes_back_to_before_the_good_release(production, pipeline):
    """2 is good and gets a secret and a snapshot of its own; 3 has its image with another environment, and does harm."""
    pipeline.release("1.1.0")
    secrets, rds = production.aws("secretsmanager"), production.aws("rds")
    value = app_secret(secrets) | {"LEGIT": "since release 2"}
    secrets.put_secret_value(SecretId=world.APP_SECRET, SecretString=json.dumps(value))
    pipeline.deploy("spymeo-app:2", forceNewDeployment=True)
    rds.create_db_snapshot(DBInstanceIdentifier=world.DB_INSTANCE, DBSnapshotIdentifier="nightly")
    production.until(lambda: status_of(rds, "nightly") == "available")
    whole = payments(production, world.DB_INSTANCE)
    time.sleep(1)  # RDS tells whole seconds of a snapshot
    pipeline.deploy(pipeline.register("1.1.0", FEATURE="bad"))
    began = production.service()["deployments"][0]["createdAt"]
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute('UPDATE "Payment" SET "amountCents" = "amountCents" * 100')
    assert payments(production, world.DB_INSTANCE) != whole

    more = ["-e", "rollback_task_definition=spymeo-app:2", "-e", "rollback_snapshot=nightly"]
    played = production.play("rollback_full", *more, "-vv")
    assert played.code == 0, played.output
    assert began.isoformat(timespec="seconds")[:19] in played.output
    assert settled(production) == "spymeo-app:2"
    assert app_secret(secrets)["LEGIT"] == "since release 2"
    (restored,) = set(production.instances()) - {world.DB_INSTANCE}
    assert production.instances()[restored]["Endpoint"]["Address"] in production.database_url()
    assert payments(production, restored) == whole
    second = production.play("rollback_full", *more)
    assert (second.code, second.written, second.recap["changed"]) == (0, [], 0), second.output


def app_secret(secrets) -> dict:
    return json.loads(secrets.get_secret_value(SecretId=world.APP_SECRET)["SecretString"])


def status_of(rds, snapshot: str) -> str:
    return rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["Status"]


def payments(production, db_instance: str) -> tuple:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return connection.execute('SELECT count(*), sum("amountCents") FROM "Payment"').fetchone()


@pytest.mark.parametrize("named", [False, True])
def test_of_a_tag_that_was_moved_and_deployed_by_force_the_good_image_comes_back(production, pipeline, named):
    good = pipeline.release("live")
    bad = pipeline.build("live", LOGIN_BROKEN)
    pipeline.deploy("spymeo-app:2", forceNewDeployment=True)
    assert running(production) == {bad}
    more = ["-e", f"rollback_task_definition={good}"] if named else []

    ambiguous = production.play("rollback_code", "-e", "rollback_task_definition=spymeo-app:2")
    assert ambiguous.code != 0
    assert ambiguous.written == []
    assert good in ambiguous.output

    check = production.play("rollback_code", "--check", *more)
    assert (check.code, check.written) == (0, []), check.output
    assert "spymeo-app:2 -> spymeo-app:2 as it served" in check.output
    played = production.play("rollback_code", *more)
    assert played.code == 0, played.output
    assert played.written == ["ecs RegisterTaskDefinition", "ecs UpdateService"]
    assert (settled(production), production.service()["taskDefinition"][-1]) == ("spymeo-app:2", "3"), (
        "a copy, by the digest"
    )
    assert running(production) == {good}
    second = production.play("rollback_code", *more)
    assert (second.code, second.written, second.recap["changed"]) == (0, [], 0), second.output
    assert running(production) == {good}


@pytest.mark.parametrize("defect", [LOGIN_BROKEN, CRASHES])
def test_security_groups_that_came_with_the_bad_release_go_with_it(production, pipeline, defect):
    """A finished deployment is replaced, one that is under way is stopped: either way the group is the right one again."""
    right = groups(production)
    network = production.service()["networkConfiguration"]
    wrong = production.aws("ec2").create_security_group(GroupName="wrong", Description="wrong", VpcId=vpc(production))[
        "GroupId"
    ]
    network["awsvpcConfiguration"]["securityGroups"] = [wrong]
    pipeline.release("2.0.0", defect, networkConfiguration=network)
    assert groups(production) == [wrong]
    change = f"securityGroups: {wrong} -> {right[0]}"
    check = production.play("rollback_code", "--check", "--diff")
    assert (check.code, check.written) == (0, []), check.output
    assert change in one_line(check.output)
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert played.written == ["ecs StopServiceDeployment" if defect == CRASHES else "ecs UpdateService"]
    assert settled(production) == "spymeo-app:1"
    assert groups(production) == right
    (revision,) = production.service()["currentServiceRevisions"]
    told = production.aws("ecs").describe_service_revisions(serviceRevisionArns=[revision["arn"]])["serviceRevisions"][
        0
    ]
    assert told["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] == right
    second = production.play("rollback_code")
    assert (second.code, second.written) == (0, []), second.output


def vpc(production) -> str:
    found = production.aws("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    return found["Vpcs"][0]["VpcId"]


def test_a_wrong_security_group_alone_is_named_by_the_service_revision_that_stood_in_the_right_one(
    production, pipeline
):
    right, network = groups(production), production.service()["networkConfiguration"]
    network["awsvpcConfiguration"]["securityGroups"] = ["sg-0123456789abcdef0"]
    pipeline.deploy("spymeo-app:1", networkConfiguration=network)
    refused = production.play("rollback_code")
    assert refused.code != 0
    assert refused.written == []
    option = next(word for word in refused.output.split() if word.startswith("rollback_task_definition=arn:"))
    played = production.play("rollback_code", "-e", option.rstrip('\\",n'))
    assert played.code == 0, played.output
    assert played.written == ["ecs UpdateService"]
    assert (settled(production), groups(production)) == ("spymeo-app:1", right)


def test_where_only_the_bad_deployment_is_young_enough_what_it_replaced_comes_back(production, pipeline):
    first = running(production)
    pipeline.release("2.0.0", LOGIN_BROKEN)
    production.control("forget_deployments", keep=1)
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert (settled(production), running(production)) == ("spymeo-app:1", first)


def test_a_task_definition_that_was_deleted_blocks_nothing(production, pipeline):
    first = running(production)
    pipeline.release("1.1.0")
    pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.ecs.deregister_task_definition(taskDefinition="spymeo-app:2")
    pipeline.ecs.delete_task_definitions(taskDefinitions=["spymeo-app:2"])
    production.until(lambda: gone(pipeline, "spymeo-app:2"))
    listed = production.play("releases")
    assert listed.code == 0, listed.output
    assert "spymeo-app: spymeo-app:1, because" in one_line(listed.output)
    triage = production.play("triage")
    assert "rollback_code.yml" in line_of(triage, "NEXT"), triage.output
    assert "there is no such task definition" not in triage.output
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert "is '" not in played.output  # no empty option is blamed
    assert (settled(production), running(production)) == ("spymeo-app:1", first)


def gone(pipeline, name: str) -> bool:
    with contextlib.suppress(pipeline.ecs.exceptions.ClientException):
        return not pipeline.ecs.describe_task_definition(taskDefinition=name)
    return True


def test_a_release_that_served_for_moments_only_is_told_and_passed_over(production, pipeline):
    first = running(production)
    time.sleep(6)  # so long release 1 serves; nothing else can show it
    pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.release("2.0.1", PAYMENTS_BROKEN)
    check = production.play("rollback_code", "--check")
    assert "spymeo-app:3 -> spymeo-app:2" in check.output
    assert "ELSE" in check.output
    assert "-e rollback_task_definition=spymeo-app:1" in one_line(check.output)
    played = production.play("rollback_code", "-e", "rollback_served_at_least=6")
    assert played.code == 0, played.output
    assert "passed over: spymeo-app:2" in one_line(played.output)
    assert (settled(production), running(production)) == ("spymeo-app:1", first)


def test_a_target_that_fails_goes_back_to_what_served_and_what_comes_next_is_named(production, pipeline):
    pipeline.release("1.1.0")
    bad = pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.build("2.0.1", CRASHES)
    pipeline.register("2.0.1")
    crash = ["-e", "rollback_task_definition=spymeo-app:4"]
    check = production.play("rollback_code", "--check", *crash)
    assert "never deployed" in line_of(check, "BEWARE", "spymeo-app:4")
    played = production.play("rollback_code", *crash)
    assert played.code != 0
    assert played.written == ["ecs UpdateService", "ecs StopServiceDeployment"]
    assert (settled(production), running(production)) == ("spymeo-app:3", {bad})
    text = one_line(played.output)
    assert "tasks of spymeo-app:4 on spymeo-app failed in a row" in text
    assert "it was brought back to spymeo-app:3, which served before" in text
    following = next_command(played)
    assert "rollback_task_definition=spymeo-app:2" in following
    assert "spymeo-app:4" not in following.split("rollback_task_definition=")[-1]


def next_command(played) -> str:
    """The command after NEXT."""
    lines = played.output.replace("\\n", "\n").splitlines()
    return lines[next(number for number, line in enumerate(lines) if "NEXT  " in line) + 1]


def test_a_target_that_fails_stays_where_a_variable_says_so(production, pipeline):
    pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.build("2.0.1", CRASHES)
    pipeline.register("2.0.1")
    played = production.play(
        "rollback_code", "-e", "rollback_task_definition=spymeo-app:3", "-e", "rollback_on_failure=stay"
    )
    assert played.code != 0
    assert played.written == ["ecs UpdateService"]
    assert production.service()["taskDefinition"].endswith("spymeo-app:3")
    assert "it is left as it is, because rollback_on_failure is stay" in one_line(played.output)


def test_after_a_cutover_nothing_goes_back_to_what_must_never_meet_the_restored_database(production, pipeline):
    url = production.database_url()
    pipeline.release("2.0.0", LOGIN_BROKEN)
    pipeline.build("2.0.1", CRASHES)
    pipeline.register("2.0.1")
    played = production.play("rollback_full", "-e", "rollback_task_definition=spymeo-app:3")
    assert played.code != 0
    assert "ecs UpdateService" in played.written
    assert "ecs StopServiceDeployment" not in played.written
    assert production.database_url() == url, "it moves when nothing else is left"
    assert production.origin() == "spymeo-app:3"
    assert "what ran before must never meet the restored one" in one_line(played.output)
    assert "rollback_task_definition=spymeo-app:1" in next_command(played)


def test_a_release_can_be_named_by_its_tag_and_what_is_not_there_lists_what_is(production, pipeline):
    pipeline.release("1.1.0")
    second = running(production)
    pipeline.release("1.2.0")
    pipeline.release("2.0.0", LOGIN_BROKEN)
    unknown = production.play("rollback_code", "-e", "rollback_task_definition=spymeo-app:99")
    assert unknown.written == []
    assert "The newest there are: spymeo-app:4, spymeo-app:3, spymeo-app:2, spymeo-app:1" in one_line(unknown.output)
    never = production.play("rollback_code", "-e", "rollback_task_definition=9.9.9")
    assert never.written == []
    assert "-e rollback_task_definition=spymeo-app:3" in one_line(never.output)
    played = production.play("rollback_code", "-e", "rollback_task_definition=1.1.0")
    assert played.code == 0, played.output
    assert (settled(production), running(production)) == ("spymeo-app:2", second)
