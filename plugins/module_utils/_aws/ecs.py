# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls ECS."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

try:
    from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

    UNHEARD = (ConnectionClosedError, ReadTimeoutError)  # it was asked, and nobody knows what became of it
except ImportError as missing:
    BOTOCORE_MISSING = missing  # the module has told which library to install before it comes here

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._aws import ecs_operations as operations
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import MOST, Record
from ansible_collections.spymeo.rollback.plugins.module_utils._core.deleted_definition import (
    NOT_REGISTERED,
    how_again,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RefusedByAws,
    reading,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_FENCE, TAG_ORIGIN, TAG_RUN
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.why_stopped import scaled_in
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import History
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container, Edit

EVIDENCE_EVENTS, EVIDENCE_TASKS = 5, 2
WITHOUT_TOKEN = ("UpdateService", "RegisterTaskDefinition")  # asked twice, they do it twice
LISTED_REVISIONS = 10  # for people
NEWEST_REVISIONS = 5  # among them, a copy that an interrupted run has registered is looked for


class EcsGateway:
    """Reads and changes the services of one cluster."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._ecs = client
        self.cluster = cluster
        for operation in WITHOUT_TOKEN:
            client.meta.events.register("needs-retry.ecs.%s" % operation, _not_again)
        self._record = Record(client, cluster)
        # Answers by the name that was asked for, and by ARN.
        self._known_definitions: dict[str, dict[str, Any] | None] = {}

    def services(self, names: Sequence[str]) -> list[Service]:
        """The services by name, in the order of ``names``.

        :raises BadInput: the cluster or a service does not exist.
        """
        try:
            answers = operations.described_services(self._ecs, self.cluster, names, tags=True)
        except is_boto3_error_code("ClusterNotFoundException"):
            problem = "there is no such ECS cluster in %s" % self._ecs.meta.region_name
            there = _there_are("clusters", operations.cluster_arns(self._ecs))
            raise BadInput("cluster", self.cluster, problem, there) from None
        with reading("DescribeServices"):
            found = {service["serviceName"]: Service.from_boto(service) for service in answers}
        for name in names:
            if name not in found:
                there = _there_are("services", operations.service_arns(self._ecs, self.cluster))
                raise BadInput("services", name, "cluster %s has no such service" % self.cluster, there)
        return [found[name] for name in names]

    def task_definition(self, name: str) -> TaskDefinition:
        """A TaskDefinition by ``family:revision`` or ARN.

        :raises BadInput: there is none of that name.
        """
        return TaskDefinition.from_boto(self.described(name))

    def described(self, name: str) -> dict[str, Any]:
        """The answer of DescribeTaskDefinition, tags included. It is read once: of a revision only the status ever changes.

        :raises BadInput: there is none of that name.
        """
        answer = self._described(name)
        if answer is None:
            problem = "there is no such task definition in %s" % self._ecs.meta.region_name
            raise BadInput("task_definition", name, problem, " ".join(filter(None, self._instead_of(name))))
        return answer

    def of_deleted(self, arn: str) -> str:
        """How a task definition that was deleted can be registered again (str), as far as AWS tells its content or that of a copy.

        :param arn: or family:revision.
        """
        name, known = arn.rpartition("/")[2], self._described(arn)
        if known:
            with reading("DescribeTaskDefinition"):
                return how_again(name, known["taskDefinition"])
        copies = (one for one in self._newest(name.partition(":")[0], LISTED_REVISIONS) if _is_copy_of(one, name))
        return how_again(name, None, next((one["taskDefinition"] for one in copies), None))

    def _instead_of(self, name: str) -> tuple[str, str]:
        """What there is in place of a task definition that is not there, and what is known of that one; nothing where AWS does not tell."""
        listed = self._revisions_of(name)
        try:
            return listed, "If it was deleted: %s" % self.of_deleted(name) if ":" in name else ""
        except ClientError:
            return listed, ""

    def _described(self, name: str) -> dict[str, Any] | None:
        """The same; None when there is none of that name."""
        if name not in self._known_definitions:
            answer = operations.described_definition(self._ecs, name)
            if answer is not None:
                with reading("DescribeTaskDefinition"):
                    self._known_definitions[answer["taskDefinition"]["taskDefinitionArn"]] = answer
            self._known_definitions[name] = answer
        return self._known_definitions[name]

    def task_definitions(self, arns: Iterable[str]) -> dict[str, TaskDefinition]:
        """TaskDefinitions by ARN."""
        wanted = sorted(set(arns))
        return dict(zip(wanted, side_by_side(self.task_definition, wanted)))

    def there(self, arns: Iterable[str]) -> dict[str, TaskDefinition]:
        """TaskDefinitions by ARN; without those that were deleted, of which AWS tells nothing any more."""
        wanted = sorted(set(arns))
        found = zip(wanted, side_by_side(self._described, wanted))
        return {arn: TaskDefinition.from_boto(answer) for arn, answer in found if answer}

    def _revisions_of(self, name: str) -> str:
        """The newest revisions that there are of the family of ``name``, for people; empty when AWS does not tell."""
        family = name.rpartition("/")[2].partition(":")[0]
        try:
            asked = dict(familyPrefix=family, sort="DESC", maxResults=LISTED_REVISIONS)
            arns = self._ecs.list_task_definitions(**asked)["taskDefinitionArns"]
        except ClientError:
            return ""
        # The prefix of a family is that of others, too.
        names = [arn.rpartition("/")[2] for arn in arns if arn.rpartition("/")[2].partition(":")[0] == family]
        return (
            "The newest there are: %s." % ", ".join(names) if names else "There is no revision of %s at all." % family
        )

    def histories(
        self, services: Sequence[str], enough: Callable[[str, History], bool] | None = None, most: int = MOST
    ) -> dict[str, History]:
        """The History of each service by its name; newest first, and read only as far as the answer needs.

        :param enough: callable: the name of a service and its History so far → whether that is enough. None: one page is.
        """
        return self._record.read(services, enough, most)

    def deployments(self, arns: Sequence[str]) -> list[ServiceDeployment]:
        """ServiceDeployments by ARN, with the service revisions that they name."""
        return self._record.deployments(arns)

    def revisions(self, arns: Sequence[str]) -> dict[str, Revision]:
        """Service revisions (Revision) by ARN.

        :raises UnexpectedAnswer: AWS leaves one out.
        """
        return self._record.revisions(arns)

    def deploy(
        self,
        service: str,
        task_definition: str,
        force: bool,
        desired: int | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> bool:
        """Start a deployment. False when no answer came: it may have been started, or not.

        :param configuration: what else of the service changes with it (dict, as UpdateService takes it), such as its security groups.
        :param desired: None leaves ``desiredCount`` out, because sending it overwrites what autoscaling has set. A number is
            for a service that was brought to 0, and gets its tasks back with this very deployment.
        :raises RefusedByAws: ECS refuses it.
        """
        count = {} if desired is None else {"desiredCount": desired}
        try:
            with _refused_for(service):
                self._ecs.update_service(
                    cluster=self.cluster,
                    service=service,
                    taskDefinition=task_definition,
                    forceNewDeployment=force,
                    **{**(configuration or {}), **count},
                )
        except UNHEARD:
            return False
        return True

    def scale(self, service: str, desired: int) -> None:
        """Set the desired count, and nothing else. Where no answer came it may have been set, or not: whoever asks looks again.

        :raises RefusedByAws: ECS refuses it.
        """
        with contextlib.suppress(*UNHEARD), _refused_for(service):
            self._ecs.update_service(cluster=self.cluster, service=service, desiredCount=desired)

    def mark_fence(self, arn: str, text: str) -> None:
        """Write on a service what it is to get back."""
        self._ecs.tag_resource(resourceArn=arn, tags=[{"key": TAG_FENCE, "value": text}])

    def unmark_fence(self, arn: str) -> None:
        """Take that away again, once it has got it back."""
        self._ecs.untag_resource(resourceArn=arn, tagKeys=[TAG_FENCE])

    def remember(self, arn: str, tags: Mapping[str, str]) -> None:
        """Write on a service what its settings were: keys → values of tags.

        :raises RefusedByAws: it may not be written.
        """
        with _refused_for(arn):
            self._ecs.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value} for key, value in tags.items()])

    def forget(self, arn: str, keys: Iterable[str]) -> None:
        """Take such tags away again, once what they tell is put back.

        :raises RefusedByAws: they may not be taken away.
        """
        with _refused_for(arn):
            self._ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))

    def configure(self, service: str, arguments: Mapping[str, Any]) -> None:
        """Change how a service is deployed from now on (arguments of UpdateService that start no deployment). Where no answer came, whoever asks
        looks again.

        :raises RefusedByAws: ECS refuses it.
        """
        with contextlib.suppress(*UNHEARD), _refused_for(service):
            self._ecs.update_service(cluster=self.cluster, service=service, **arguments)

    @property
    def knows_early_success(self) -> bool:
        """Whether this botocore knows DeploymentConfiguration.earlySuccessCriteria."""
        return "earlySuccessCriteria" in self._ecs.meta.service_model.shape_for("DeploymentConfiguration").members

    def stop(self, deployment: str) -> bool:
        """Roll a deployment back (StopServiceDeployment). False when it has ended meanwhile, so that it cannot be stopped."""
        try:
            self._ecs.stop_service_deployment(serviceDeploymentArn=deployment, stopType="ROLLBACK")
        except is_boto3_error_code("ConflictException"):
            return False
        return True

    def copy_of(self, arn: str, pins: Sequence[tuple[str, str]], edits: Sequence[Edit], run_id: str) -> str:
        """The ARN of a new revision with the content of ``arn``, the images of ``pins`` and the values of ``edits``; the one of this
        run if it is there.

        A revision that is INACTIVE cannot be deployed (ClientException), and none is ever made active again.
        """
        answer = copy.deepcopy(self.described(arn))
        with reading("DescribeTaskDefinition"):
            content, family = answer["taskDefinition"], answer["taskDefinition"]["family"]
            for container in content["containerDefinitions"]:
                container["image"] = dict(pins).get(container["image"], container["image"])
                _edit(container, [edit for edit in edits if edit.container == container["name"]])
        for key in NOT_REGISTERED:
            content.pop(key, None)
        kept = [tag for tag in answer.get("tags", []) if tag["key"] not in (TAG_ORIGIN, TAG_RUN)]
        original = self.task_definition(arn)
        ours = [{"key": TAG_ORIGIN, "value": original.release}, {"key": TAG_RUN, "value": run_id}]
        wanted, arn = original.changed(pins, edits), original.release
        there = self._copy_in(family, arn, run_id, wanted)
        try:
            return there or self._registered(family, dict(content, tags=kept + ours))
        except UNHEARD:
            return self._copy_in(family, arn, run_id, wanted) or self._registered(
                family, dict(content, tags=kept + ours)
            )

    def _registered(self, family: str, content: dict[str, Any]) -> str:
        with _refused_for(family):
            return operations.registered(self._ecs, content)

    def _copy_in(self, family: str, arn: str, run_id: str, wanted: tuple[Container, ...]) -> str | None:
        """The ARN of the copy of ``arn`` with those containers that this run has registered, None when it has not."""
        for candidate in self._newest(family):
            tags = {tag["key"]: tag["value"] for tag in candidate.get("tags", [])}
            definition = TaskDefinition.from_boto(candidate)
            if (tags.get(TAG_ORIGIN), tags.get(TAG_RUN), definition.containers) == (arn, run_id, wanted):
                return definition.arn
        return None

    def _newest(self, family: str, most: int = NEWEST_REVISIONS) -> list[dict[str, Any]]:
        answer = self._ecs.list_task_definitions(familyPrefix=family, sort="DESC", maxResults=most)
        # The prefix of a family is that of others, too.
        arns = [arn for arn in answer["taskDefinitionArns"] if arn.rpartition("/")[2].partition(":")[0] == family]
        return [self.described(arn) for arn in arns]

    def events(self, service: str, since: datetime) -> list[str]:
        """The messages of a service's events since then, newest first."""
        return [message for at, message in self.services([service])[0].events if at >= since][:EVIDENCE_EVENTS]

    def tasks(self, services: Sequence[str], status: str = "RUNNING") -> dict[str, list[ServiceTask]]:
        """The ServiceTasks of each service by its name that are to be RUNNING, or that are to be, or are, STOPPED (desiredStatus).

        :raises BadInput: the cluster or a service does not exist.
        """
        found = self._described_tasks(services, lambda service: self._task_arns(service, status))
        with reading("DescribeTasks"):
            return {name: [ServiceTask.from_boto(task, name) for task in tasks] for name, tasks in found.items()}

    def _described_tasks(
        self, services: Sequence[str], arns_of: Callable[[str], list[str]]
    ) -> dict[str, list[dict[str, Any]]]:
        """The answers of DescribeTasks of each service by its name; ``arns_of`` tells the ARNs of a service's."""
        listed = dict(zip(services, side_by_side(arns_of, services)))
        every = [arn for arns in listed.values() for arn in arns]
        with reading("DescribeTasks"):
            known = {task["taskArn"]: task for task in operations.described_tasks(self._ecs, self.cluster, every)}
        return {name: [known[arn] for arn in arns if arn in known] for name, arns in listed.items()}

    def _task_arns(self, service: str, status: str) -> list[str]:
        try:
            return operations.task_arns(self._ecs, self.cluster, service, status)
        except is_boto3_error_code("ClusterNotFoundException") as error:
            problem = "there is no such ECS cluster in %s" % self._ecs.meta.region_name
            raise BadInput("cluster", self.cluster, problem) from error
        except is_boto3_error_code("ServiceNotFoundException") as error:
            raise BadInput("services", service, "cluster %s has no such service" % self.cluster) from error

    def stopped_tasks(self, deployed: Mapping[str, tuple[str, datetime]]) -> dict[str, list[StoppedTask]]:
        """The tasks that show why a deployment fails: StoppedTasks that stopped since then, of their own; of at most 100 of each service.

        :param deployed: service → (ARN of the task definition, aware datetime since when).
        :return: a dict service → list of StoppedTask.
        """
        described = self._described_tasks(list(deployed), self._stopped_task_arns)
        with reading("DescribeTasks"):
            stopped = {
                name: [
                    StoppedTask.from_boto(task, name)
                    for task in tasks
                    if task["taskDefinitionArn"] == deployed[name][0] and task.get("stoppedAt")
                ]
                for name, tasks in described.items()
            }
        return {
            name: [task for task in tasks if task.at >= deployed[name][1] and not scaled_in(task)]
            for name, tasks in stopped.items()
        }

    def _stopped_task_arns(self, service: str) -> list[str]:
        return operations.task_arns(self._ecs, self.cluster, service, "STOPPED", operations.TASKS_A_CALL)


def _is_copy_of(answer: dict[str, Any], name: str) -> bool:
    """Whether a task definition (answer of DescribeTaskDefinition) is a copy of the one of that family:revision."""
    return any(tag["key"] == TAG_ORIGIN and tag["value"].endswith("/" + name) for tag in answer.get("tags", []))


def _edit(container: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Write ``edits`` into a ContainerDefinition; of names given twice, all."""
    for edit in edits:
        key = dict(environment="value", secrets="valueFrom")[edit.kind]
        for entry in container[edit.kind]:
            if entry["name"] == edit.name:
                entry[key] = edit.value


@contextlib.contextmanager
def _refused_for(subject: str) -> Iterator[None]:
    """What ECS refuses for one service must not keep the others from going on, so it becomes an error of that one."""
    try:
        yield
    except ClientError as error:
        answer = error.response["Error"]
        raise RefusedByAws(
            "ECS refuses %s for %s (%s: %s)" % (error.operation_name, subject, answer["Code"], answer["Message"])
        ) from error


def _not_again(caught_exception: Exception | None = None, **_event: Any) -> None:
    """Keep botocore from asking once more where no answer came. What never reached AWS, and what AWS refused, is tried again."""
    if isinstance(caught_exception, UNHEARD):
        raise caught_exception


def _there_are(what: str, arns: Iterable[str]) -> str:
    names = ", ".join(sorted(arn.rpartition("/")[2] for arn in arns)[:10])
    return "The %s there are: %s." % (what, names) if names else "There are no %s at all." % what
