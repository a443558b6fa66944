# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would make a deployment fail, with the cure of each. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    FOUND,
    NO_JSON,
    NO_KEY,
    NO_VERSION,
    LogGroup,
    NotRead,
    ReleaseObservation,
    ReleaseTarget,
    TaskDefinitionNeeds,
    ValueFrom,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import in_order
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret

ANOTHER_TARGET = "name another target in rollback_task_definition"
OTHER_CONTROLLERS = {
    "CODE_DEPLOY": "Stop the deployment with rollback, or create one to the earlier revision, in CodeDeploy (aws deploy).",
    "EXTERNAL": "Go back with the tool that manages the task sets of this service.",
}


def pinned(reference: str, digest: str) -> str:
    """The reference by ``digest`` (``sha256:…``) of the repository that ``reference`` names."""
    name = reference.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return "%s@%s" % (head if colon and "/" not in tag else name, digest)


def references(definition: TaskDefinitionNeeds, recorded: Mapping[str, str]) -> list[str]:
    """The image references to ask for: those of a TaskDefinitionNeeds, and what its tags meant when it was recorded."""
    told = [pinned(text, recorded[text]) for text in definition.images if text in recorded]
    return list(dict.fromkeys([*definition.images, *told]))


def release_findings(seen: ReleaseObservation) -> list[Finding]:
    """Everything that an ReleaseObservation tells, a Finding for each check of each thing; failures first, then by check."""
    found: dict[Finding, Finding] = {}
    for service, target in seen.targets.items():
        for finding in [*_of_service(seen, target), *_of_definition(seen, service, target)]:
            known = found.get(finding, finding)
            found[finding] = replace(known, services=(*known.services, service))
    return in_order(found.values())


def _of_service(seen: ReleaseObservation, target: ReleaseTarget) -> Iterator[Finding]:
    service = target.service
    if service.status != "ACTIVE":
        what = "it is %s, so nothing can be deployed to it" % service.status
        yield Finding("service", service.name, FAILED, what, "Create it again, or correct rollback_services.")
    else:
        yield Finding("service", service.name, PASSED, "it is ACTIVE")
        yield _controller(service)
        yield _desired(service)
    yield from _under_way(target)
    if service.strategy.name != "ROLLING" and target.since is None:
        yield _bake_time(service, seen.wait_timeout)
    if target.since is None:
        yield from (_pause(service, *pause) for pause in service.strategy.pauses)


def _pause(service: Service, stage: str, minutes: int, action: str) -> Finding:
    """A person has wanted to be asked, also when it is this collection that deploys."""
    then = "goes on by itself" if action == "CONTINUE" else "is rolled back"
    what = "at %s a lifecycle hook pauses its deployments for %d minutes at most, then each %s" % (stage, minutes, then)
    cure = "The run waits, and tells the command that lets it go on (aws ecs continue-service-deployment)."
    return Finding("lifecycle_hook", service.name, NOTED, what, cure)


def _bake_time(service: Service, wait_timeout: int) -> Finding:
    """ECS takes its time with such a service, with the good release as with the bad one."""
    bake, name = service.strategy.bake, service.strategy.name
    what = "it is deployed %s, with %d minutes of bake time" % (name, bake // 60)
    cure = (
        "For one at once: aws ecs update-service --service %s --deployment-configuration strategy=ROLLING."
        % service.name
    )
    if bake < wait_timeout:
        return Finding("bake_time", service.name, NOTED, what, cure)
    what = "%s, and rollback_deploy_timeout is %d s" % (what, wait_timeout)
    cure = "Set it to %d or more, so that the end is seen. %s" % (bake + 900, cure)
    return Finding("bake_time", service.name, FAILED, what, cure)


def _controller(service: Service) -> Finding:
    if service.controller == "ECS":
        return Finding("deployment_controller", service.name, PASSED, "it is ECS")
    what = "it is %s, and UpdateService cannot deploy another task definition then" % service.controller
    cure = OTHER_CONTROLLERS.get(service.controller, "Go back with the tool that deploys this service.")
    return Finding("deployment_controller", service.name, FAILED, what, cure)


def _desired(service: Service) -> Finding:
    if service.fence and not service.desired:
        what = "it was brought to 0 tasks by run %s, and gets its %d back" % (
            service.fence.run_id,
            service.fence.desired,
        )
        return Finding("desired_count", service.name, NOTED, what)
    if service.desired > 0:
        return Finding("desired_count", service.name, PASSED, "%d tasks are wanted" % service.desired)
    what = "no task is wanted (0), so the rollback would start none and prove nothing"
    cure = (
        "Find out who scaled it to 0 and why, then: aws ecs update-service --service %s --desired-count N."
        % service.name
    )
    return Finding("desired_count", service.name, FAILED, what, cure)


def _under_way(target: ReleaseTarget) -> Iterator[Finding]:
    name = target.service.name
    foreign = [item for item in target.under_way if item.task_definition != target.definition.arn]
    for item in foreign:
        what = "a deployment of %s is under way (%s), and the rollback will stop or replace it"
        told = what % (item.task_definition.rpartition("/")[2], item.status)
        yield Finding("deployment", name, NOTED, told, "Keep pipelines and people from deploying until the end.")
    if not foreign:
        yield Finding("deployment", name, PASSED, "no deployment of somebody else is under way")


def _of_definition(seen: ReleaseObservation, service: str, target: ReleaseTarget) -> Iterator[Finding]:
    """What a service that stays where it is lacks is a note: nothing has to start now."""
    stays = _stays(seen, target)
    for finding in _needs(seen, target):
        if finding.verdict == FAILED and stays:
            what = "%s; %s runs already, and the next task that has to start will fail" % (finding.what, service)
            finding = replace(finding, verdict=NOTED, what=what)
        yield finding


def _stays(seen: ReleaseObservation, target: ReleaseTarget) -> bool:
    """Whether nothing will be deployed: the service runs its target, and no secret has changed since its tasks were started."""
    if target.since is None:
        return False
    parsed = [ValueFrom.parse(text) for text in target.definition.secrets]
    secrets = [seen.secrets[item.id] for item in parsed if item.kind == "secret"]
    return all(
        secret is not None
        and not isinstance(secret, NotRead)
        and secret.changed <= target.since
        and not secret.names & seen.restored
        for secret in secrets
    )


def _needs(seen: ReleaseObservation, target: ReleaseTarget) -> Iterator[Finding]:
    definition = target.definition
    subject = definition.arn.rpartition("/")[2]
    if definition.status == "ACTIVE":
        yield Finding("task_definition", subject, PASSED, "it is ACTIVE")
    elif definition.again and target.since is None:
        what = "it is being deleted, and AWS may have forgotten it by the time of the deployment"
        yield Finding("task_definition", subject, FAILED, what, definition.again)
    else:
        what = "it is %s, so its content is registered again as a new revision" % definition.status
        yield Finding("task_definition", subject, NOTED, what)
    for text in definition.images:
        yield _image(seen, text, target.recorded.get(text))
    for check, role in (("execution_role", definition.execution_role), ("task_role", definition.task_role)):
        if role:
            yield _role(check, role, seen.roles[role])
    for group in definition.log_groups:
        yield _log_group(seen, group)
    for text in definition.secrets:
        reference = ValueFrom.parse(text)
        yield from _secret(seen, text, reference)
        yield from _younger(seen, target, reference)
    for text in definition.environment_files:
        read = NotRead("objects in S3 are not looked at", "Look yourself whether it is there.")
        yield _not_checked("environment_file", text, read)


def _image(seen: ReleaseObservation, reference: str, digest: str | None) -> Finding:
    """With a recorded digest, that image has to be there; the tag is pinned where it means another one, or none."""
    image = seen.images[reference]
    if isinstance(image, NotRead):
        return _not_checked("image", reference, image)
    finding = _image_status(reference, image.status, image.digest)
    if digest is None or digest == image.digest or finding.verdict == INCONCLUSIVE:
        return finding
    then = seen.images[pinned(reference, digest)]
    if isinstance(then, NotRead):
        return _not_checked("image", reference, then)
    now = "its tag means %s today" % image.digest if image.digest else "its tag is gone"
    if then.status != "ACTIVE":
        what = "%s, and %s, which it meant when it was deployed, is %s in ECR" % (now, digest, then.status)
        return Finding("image", reference, FAILED, what, "Push the image of then again, or %s." % ANOTHER_TARGET)
    what = "%s; %s, which it meant when it was deployed, is there and is deployed instead" % (now, digest)
    return Finding("image", reference, NOTED, what)


def _image_status(reference: str, status: str, digest: str | None) -> Finding:
    if status == "ACTIVE":
        return Finding("image", reference, PASSED, "it is in ECR, as %s" % digest)
    if status == "MISSING":
        cure = "Push it again, or %s." % ANOTHER_TARGET
        return Finding("image", reference, FAILED, "ECR has no such image", cure)
    if status == "NOT_ECR":
        read = NotRead("it is in a registry other than ECR", "Pull it yourself to see that it is there.")
        return _not_checked("image", reference, read)
    if status == "OTHER_REGION":
        read = NotRead("it is in ECR of another region", "Look there whether it is ACTIVE.")
        return _not_checked("image", reference, read)
    cure = "Restore it (aws ecr update-image-storage-class --target-storage-class STANDARD), wait until it is ACTIVE, or %s."
    return Finding("image", reference, FAILED, "it is %s, and cannot be pulled" % status, cure % ANOTHER_TARGET)


def _role(check: str, role: str, found: str | NotRead | None) -> Finding:
    subject = role.rpartition("/")[2]
    if isinstance(found, NotRead):
        return _not_checked(check, subject, found)
    if found is None:
        cure = "Create the role again with the policies that it had, or %s." % ANOTHER_TARGET
        return Finding(check, subject, FAILED, "there is no such role, so no task can start", cure)
    if role.startswith("arn:") and found != role:
        what = "the task definition names %s, and the role of that name is %s" % (role, found)
        return Finding(check, subject, FAILED, what, "Create the role at that path, or %s." % ANOTHER_TARGET)
    return Finding(check, subject, PASSED, "it is there")


def _log_group(seen: ReleaseObservation, group: LogGroup) -> Finding:
    found = seen.log_groups[group]
    if isinstance(found, NotRead):
        return _not_checked("log_group", group.name, found)
    if found:
        return Finding("log_group", group.name, PASSED, "it is there")
    if group.created:
        what = "it is not there, and the first task creates it if the execution role may (awslogs-create-group)"
        return Finding("log_group", group.name, NOTED, what)
    cure = "Create it: aws logs create-log-group --log-group-name %s." % group.name
    return Finding("log_group", group.name, FAILED, "it is not there, so no task can start", cure)


def _secret(seen: ReleaseObservation, text: str, reference: ValueFrom) -> Iterator[Finding]:
    if reference.kind == "malformed":
        what = "ECS cannot read this reference: it is neither ARN nor ARN:key:stage:version-id"
        yield Finding("secret", text, FAILED, what, "Register the task definition with a right reference.")
    elif reference.kind == "parameter":
        yield _parameter(reference.id, seen.parameters[reference.id])
    else:
        yield from _secret_of(seen, text, reference)


def _parameter(name: str, found: bool | NotRead) -> Finding:
    if isinstance(found, NotRead):
        return _not_checked("parameter", name, found)
    if found:
        return Finding("parameter", name, PASSED, "it is there")
    cure = "Create it again with the value it had, or %s." % ANOTHER_TARGET
    return Finding("parameter", name, FAILED, "SSM has no such parameter", cure)


def _secret_of(seen: ReleaseObservation, text: str, reference: ValueFrom) -> Iterator[Finding]:
    secret = seen.secrets[reference.id]
    subject = _subject(reference)
    if isinstance(secret, NotRead):
        yield _not_checked("secret", subject, secret)
        problem = None
    elif secret is None:
        cure = "Create it again with the value it had, or %s." % ANOTHER_TARGET
        yield Finding("secret", subject, FAILED, "there is no such secret", cure)
        return
    elif secret.deleted:
        cure = "Bring it back: aws secretsmanager restore-secret --secret-id %s." % secret.name
        yield Finding("secret", subject, FAILED, "it is scheduled for deletion and cannot be read", cure)
        return
    else:
        yield from _rotation(secret)
        problem = _no_version(secret, reference)
    if problem:
        yield _unless_restored(seen, secret, reference, Finding("secret", subject, FAILED, *problem))
    elif reference.key:
        found = _unless_restored(seen, secret, reference, _key(subject, reference.key, seen.keys[text]))
        yield _unless_pinned(seen, secret, reference, found)
    elif not isinstance(secret, NotRead):
        yield _unless_pinned(seen, secret, reference, Finding("secret", subject, PASSED, "it can be read"))


def _subject(reference: ValueFrom) -> str:
    """A reference for people: arn:…:secret:NAME-6characters, then what it asks for."""
    name = reference.id.partition(":secret:")[2]
    asked = [("key", reference.key), ("stage", reference.stage), ("version", reference.version)]
    return " ".join([name, *("%s %s" % pair for pair in asked if pair[1])])


def _younger(seen: ReleaseObservation, target: ReleaseTarget, reference: ValueFrom) -> Iterator[Finding]:
    """A value that came after the release had served: it has never run with it."""
    secret = seen.secrets.get(reference.id)
    if target.left is None or secret is None or isinstance(secret, NotRead) or reference.version or reference.stage:
        return
    current = secret.staged("AWSCURRENT")
    if current and current.created > target.left and not secret.names & seen.restored:
        what = "it got another value at %s, after this release had served" % current.created.isoformat(
            timespec="seconds"
        )
        cure = "If that value is part of the accident: rollback_secrets.yml brings the earlier one back, rollback_full.yml does both."
        yield Finding("secret", secret.name, NOTED, what, cure)


def _rotation(secret: Secret) -> Iterator[Finding]:
    pending, current = secret.staged("AWSPENDING"), secret.staged("AWSCURRENT")
    if pending and pending != current:
        what = "a rotation is under way (AWSPENDING is on %s)" % pending.id
        cure = "Wait for its end, or cancel it with CancelRotateSecret and remove AWSPENDING."
        yield Finding("rotation", secret.name, FAILED, what, cure)


def _no_version(secret: Secret, reference: ValueFrom) -> tuple[str, str] | None:
    """Why the version that a reference means cannot be read (what, cure), or None."""
    if reference.version and secret.version(reference.version) is None:
        return "it has no version %s" % reference.version, "Say which version is right: %s." % ANOTHER_TARGET
    stage = reference.stage or ("" if reference.version else "AWSCURRENT")
    staged = secret.staged(stage) if stage else None
    if stage and staged is None:
        cure = "Put the label %s on the right version (aws secretsmanager update-secret-version-stage)." % stage
        return "no version of it bears %s" % stage, cure
    if staged and reference.version and staged.id != reference.version:
        return "%s is on another version" % stage, "Move the label, or %s." % ANOTHER_TARGET
    return None


def _key(subject: str, key: str, reading: str | NotRead) -> Finding:
    if isinstance(reading, NotRead):
        return _not_checked("secret", subject, reading)
    if reading == FOUND:
        return Finding("secret", subject, PASSED, "its JSON has the key")
    what = {
        NO_VERSION: "the version that is asked for cannot be read",
        NO_JSON: "its value is no JSON object, so there is no key %s in it" % key,
        NO_KEY: "its JSON has no key %s" % key,
    }[reading]
    cure = "Bring back a version that has it, as rollback_full does for rollback_secrets, or write one."
    return Finding("secret", subject, FAILED, what, cure)


def _unless_restored(
    seen: ReleaseObservation, secret: Secret | NotRead, reference: ValueFrom, finding: Finding
) -> Finding:
    """A failure of a secret whose AWSCURRENT this very run moves is a note: what counts is the version to come."""
    pinned_elsewhere = reference.version or reference.stage not in ("", "AWSCURRENT")
    names = {reference.id} if isinstance(secret, NotRead) else {reference.id, *secret.names}
    if finding.verdict != FAILED or pinned_elsewhere or not names & seen.restored:
        return finding
    what = "%s; that is the version of now, and this run brings back an earlier one" % finding.what
    return Finding(finding.check, finding.subject, NOTED, what)


def _unless_pinned(
    seen: ReleaseObservation, secret: Secret | NotRead, reference: ValueFrom, finding: Finding
) -> Finding:
    """A version that the task definition itself names is not reached by what this run brings back."""
    pinned_elsewhere = reference.version or reference.stage not in ("", "AWSCURRENT")
    names = {reference.id} if isinstance(secret, NotRead) else {reference.id, *secret.names}
    if finding.verdict != PASSED or not pinned_elsewhere or not names & seen.restored:
        return finding
    what = "it can be read, and names a version of its own, which bringing back another one does not change"
    cure = "If that version is the bad one, register a task definition that names another, and deploy it."
    return Finding(finding.check, finding.subject, NOTED, what, cure)


def _not_checked(check: str, subject: str, read: NotRead) -> Finding:
    return Finding(check, subject, INCONCLUSIVE, read.why, read.cure)
