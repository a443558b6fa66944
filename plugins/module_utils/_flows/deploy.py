# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing several services to their targets side by side: look at all, start all, then watch OUR deployments until each is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_rewrite import (
    pinned_names,
    pinned_versions,
    unpinned,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RefusedByAws, RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
    Revision,
    same_images,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import (
    alone,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import LIFT, broken
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import is_service_revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    next_step,
    running_revision,
    short,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.target_option import moved_images
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import LockLost
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.fast_deployment import Hastening
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.fence import Fencing
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.go_back import BACK, STAY, Failing, Return
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Unrecorded
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.rollout_watch import RolloutWatch
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_rollout import ServiceRollout, last_success
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls, side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import PATIENCE, once_answered, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.autoscaling import ScalingGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecr import EcrGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_rewrite import UrlMove
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Edit
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.changed_values import ValueChanges
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import Teller
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock


class Rollout:
    """The courses of all services.

    :param ecs: EcsGateway.
    :param changes: ValueChanges: callable: a TaskDefinition → when the newest change to what its tasks read at their start was
        made, or None.
    :param ecr: EcrGateway.
    :param logs: LogsGateway.
    :param scaling: callable → ScalingGateway; it is asked for only where a service was brought to 0.
    :param targets: service → task definition (``family:revision`` or ARN).
    :param revisions: service → ARN of the service revision of it that is to come back, with its images and its configuration. Without one, it is
        the one with which the task definition has last succeeded.
    :param elb: callable → ElbGateway; it is asked for only where it is needed.
    :param fast: whether services and target groups are set for a fast deployment. What they had is put back in any case.
    :param as_is: names of services whose target is deployed as it is, with what a run has pinned in it.
    :param anyway: whether settings are those of a deployment also where nothing is to be deployed as things are.
    :param coming: name or ARN of a secret → id of the version that is current when this is deployed; for a plan that is made before that.
    :param move: UrlMove of a database whose address task definitions have in themselves, or None.
    """

    def __init__(
        self,
        ecs: EcsGateway,
        changes: ValueChanges,
        ecr: EcrGateway,
        logs: LogsGateway,
        scaling: Callable[[], ScalingGateway],
        elb: Callable[[], ElbGateway],
        targets: Mapping[str, str],
        run_id: str,
        clock: Clock,
        move: UrlMove | None = None,
        revisions: Mapping[str, str] | None = None,
        failing: Failing | None = None,
        fast: bool = False,
        anyway: bool = False,
        as_is: Iterable[str] = (),
        coming: Mapping[str, str] | None = None,
    ) -> None:
        self._as_is, self._coming = frozenset(as_is), coming
        self.broken: list[str] = []
        self._asked = (ecs, changes, ecr, logs, scaling, elb)
        self.hastening = Hastening(ecs, elb, run_id, clock)
        self._failing = failing or Failing()
        self._ecs, self._changes, self._scaling = ecs, changes, scaling
        self._run_id, self._move = run_id, move
        self._clock = clock
        self._started = clock.now()
        services, asked = ecs.services(sorted(targets)), revisions or {}
        names = [*targets.values(), *(service.task_definition for service in services)]
        with pool_of_calls() as pool:
            reading = pool.submit(ecs.task_definitions, names)
            past = pool.submit(ecs.histories, [service.name for service in services])
            whole = pool.submit(ecs.revisions, sorted(asked.values())) if asked else None
            known = reading.result()
            there = pool.submit(ecs.there, [item.origin for item in known.values() if item.origin])
            found = pool.submit(
                ecr.images_if_allowed, [image for name in targets.values() for image in known[name].images]
            )
        origins, histories, images = there.result(), past.result(), found.result()
        self._wanted = {service: whole.result()[arn] for service, arn in asked.items()} if whole else {}

        def begin(service: Service) -> ServiceRollout:
            target, running = known[targets[service.name]], known[service.task_definition]
            return self._begin(service, target, running, histories[service.name], images, origins)

        self.courses = side_by_side(begin, services)
        self._watch = RolloutWatch(ecs, logs, elb, clock, self.courses, self._started)
        if fast:
            going = [course for course in self.courses if course.under_way or anyway]
            own = ("stop", "join")  # ECS has its configuration already
            updated = [course.service.name for course in going if course.step.verb not in own]
            self.hastening.choose([course.service for course in going], updated)

    def _begin(
        self,
        service: Service,
        target: TaskDefinition,
        running: TaskDefinition,
        history: list[ServiceDeployment],
        images: Mapping[str, Image],
        origins: Mapping[str, TaskDefinition],
    ) -> ServiceRollout:
        target, edits = self._to_read(service, target, origins)
        copied = origins.get(running.origin or "")
        pinned = pinned_versions(running, copied) if copied else ()
        present = running_revision(service, history)
        wanted = self._wanted.get(service.name) or last_success(history, target.arn)
        tag_stayed = not (wanted and running.release == target.release and same_images(present, wanted) is False)
        pins = moved_images(target, dict(wanted.digests) if wanted else {}, images, tag_stayed)
        changed = self._changes(running if running.release == target.release else target)
        superseded = bool(pinned) and self._move is None and self._changes.superseded(pinned, self._coming)
        as_is = service.name in self._as_is
        superseded = superseded and not as_is
        if self._move is None and running.release == target.release and not superseded:
            edits = ()  # what it pins is the current version: there is nothing to take back yet
        step = next_step(service, target, running, history, changed, pins, edits, wanted, superseded, as_is)
        course = ServiceRollout(service, target, running, step, history, present, wanted)
        course.origin_gone = bool(target.origin) and target.origin not in origins
        if self._move:
            course.pins = tuple(dict.fromkeys(edit.name for edit in edits if edit.kind == "secrets"))
        elif not edits:  # what an earlier play of the run, or another run, has pinned stays
            stays = running if step.verb == "nothing" else target
            of_copy = origins.get(stays.origin or "")
            course.pins = pinned_names(stays, of_copy) if of_copy else ()
        if step.verb == "nothing":
            course.outcome = "as before"
        return course

    def _to_read(
        self, service: Service, target: TaskDefinition, origins: Mapping[str, TaskDefinition]
    ) -> tuple[TaskDefinition, tuple[Edit, ...]]:
        """The TaskDefinition to deploy, and the Edits of a copy of it.

        What a run has pinned in a copy is for the deployment of that run alone: where no database moves, the origin comes back.
        """
        if self._move:
            return target, self._move.edits(service.name, target)
        if service.name in self._as_is:
            return target, ()
        origin = origins.get(target.origin or "")
        edits = unpinned(target, origin) if origin else ()
        if origin and edits and target.changed((), edits) == origin.containers:
            return origin, ()
        return target, edits

    @property
    def changes(self) -> bool:
        """Whether something is written."""
        return any(
            course.step.verb not in ("nothing", "join")
            or course.service.fence
            or self.hastening.remembers(course.service)
            for course in self.courses
        )

    @property
    def served_ago(self) -> float:
        """How many seconds ago all traffic was on healthy tasks of every target (float); 0 where it was so before."""
        served = [course.served_at for course in self.courses if course.served_at is not None]
        return self._clock.now() - max(served) if served else 0.0

    def start(self) -> None:
        """Start whatever has to be started, side by side. An error stays with its service: the others go on."""
        side_by_side(self._start_one, [course for course in self.courses if course.under_way])

    def _start_one(self, course: ServiceRollout) -> None:
        step = course.step
        try:
            course.asked_for = step.task_definition
            if step.verb == "register":
                course.asked_for = self._ecs.copy_of(step.task_definition, step.pins, step.edits, self._run_id)
            faster = self.hastening.begin(course.service)
            stopped = step.stopped is not None and self._ecs.stop(step.stopped)
            if step.verb != "join" and not stopped:
                self._deploy(course, course.service.fence, faster)
            if stopped:
                course.ours = next(item for item in course.history if item.arn == step.stopped)
            course.outcome = "under way"
        except Unrecorded:  # the call was made: this is no deployment that was refused, and nobody may call any more
            course.outcome = "under way"
            raise
        except RollbackError as error:
            course.error, course.outcome = error, "not started"

    def _deploy(self, course: ServiceRollout, fence: Fence | None, faster: dict[str, Any]) -> None:
        """Ask for the deployment; where ECS refuses what is set for a fast one, without that."""
        try:
            self._ask(course, fence, faster)
        except RefusedByAws as error:
            if not faster or absence(error):  # it may have been started all the same
                raise
            self._ask(course, fence, {})
            self.hastening.notes.append("%s is deployed as it is configured: %s" % (course.service.name, error.message))

    def _ask(self, course: ServiceRollout, fence: Fence | None, faster: dict[str, Any]) -> None:
        """Ask for a deployment; where no answer came, look whether there is one before asking again."""
        count = self._count(course, fence) if fence else None
        configuration = {**course.step.changes.arguments, **faster}
        asked = course.service.name, course.asked_for, course.step.force, count, configuration
        if self._ecs.deploy(*asked):
            return
        what = "Looking whether ECS has started the deployment of %s, whose answer was lost," % asked[0]
        once_answered(what, lambda: self._watch.find([course]), PATIENCE, self._clock)
        if course.ours is None and not self._ecs.deploy(*asked):
            raise RollbackError(
                "ECS did not answer UpdateService for %s, twice. Run again with the same run id." % asked[0]
            )

    def _count(self, course: ServiceRollout, fence: Fence) -> int | None:
        """The count that a service which was brought to 0 tasks gets with its deployment; None where it has one: an earlier try has asked for it, or
        somebody else, and what was set last stays."""
        now = self._ecs.services([course.service.name])[0]
        if not now.desired:
            return (now.fence or fence).desired
        told = broken(now.name, fence, now.desired, stood=not course.service.desired)
        if told:
            self.broken.append("%s; it keeps them" % told)
        return None

    def wait(self, timeout: float, teller: Teller) -> None:
        """Return when every service runs its target, and has back what was set for a fast deployment.

        :param timeout: seconds.
        :param teller: ``progress.Teller`` that is told how far each service is.
        :raises RollbackError: for all services that failed or are not done in time; the evidence tells which and why.
        """
        try:
            self._deployed(timeout, teller)
        except (LockLost, Unrecorded):  # nobody may call any more
            raise
        except RollbackError as error:
            self._put_back()
            error.evidence += [*self.hastening.notes, *self.hastening.unfinished]
            error.result.update(unfinished=self.hastening.unfinished)
            raise
        self._put_back()

    def _put_back(self) -> None:
        """Put back what was set for a fast deployment. That it cannot be done now does not make a deployment fail."""
        names = [course.service.name for course in self.courses if self.hastening.remembers(course.service)]
        try:
            if names:
                self.hastening.put_back(names)
        except (LockLost, Unrecorded):
            raise
        except RollbackError as error:
            told = "what was set for a fast deployment of %s could not be put back: %s"
            self.hastening.unfinished.append(told % (", ".join(names), error.message))

    def _deployed(self, timeout: float, teller: Teller) -> None:
        """Return when every service runs its target, has its tasks back, and, where a database moves, nothing else is to run."""
        if any(course.under_way for course in self.courses):
            try:
                wait_for(
                    "The deployment",
                    self._watch.look,
                    timeout,
                    self._clock,
                    self._watch.evidence,
                    lambda pending, elapsed: teller.each(self._watch.each(pending), elapsed),
                )
            except RollbackError as error:
                decided = isinstance(error, TimedOut) or all(course.outcome != "under way" for course in self.courses)
                raise (self._left(error, timeout, teller) if decided else error) from None
        self._lift_fences(timeout)
        refused = [course for course in self.courses if course.error]
        if refused:
            raise RollbackError(
                "%d of %d services were not deployed." % (len(refused), len(self.courses)), self._watch.evidence()
            )
        if self._move:
            self._alone(timeout)

    def _alone(self, timeout: float) -> None:
        """Return when ECS is to run nothing but what was deployed: the secret may change for whatever starts from now on.

        :raises TimedOut: something else is still to run.
        """
        deployed = {course.service.name: course.asked_for or course.running.arn for course in self.courses}

        def look() -> Ready | Pending | Failed:
            tasks = self._ecs.tasks(sorted(deployed))
            services = {service.name: service for service in self._ecs.services(sorted(deployed))}
            return alone(deployed, services, tasks)

        wait_for("Waiting until no task of another release is left", look, timeout, self._clock)

    def _left(self, error: RollbackError, timeout: float, teller: Teller) -> RollbackError:
        """The error of targets that have failed, with what has become of their services, and of the others."""
        failed = [(course, course.ours) for course in self.courses if course.outcome == "failed" and course.ours]
        if not failed:
            return error

        def deploy(revisions: Mapping[str, Revision], seconds: float) -> None:
            arns = {name: revision.task_definition for name, revision in revisions.items()}
            known = {name: revision.arn for name, revision in revisions.items() if is_service_revision(revision.arn)}
            back = Rollout(*self._asked, arns, self._run_id, self._clock, None, known, Failing(STAY))
            back.start()
            back.wait(seconds, teller)

        if self._failing.then == BACK:
            told = Return(self._ecs, failed, deploy, self._clock).go(timeout)
        else:
            why = self._failing.because or "that is what was asked for"
            told = dict.fromkeys(
                (course.service.name for course, _ours in failed), "it is left as it is, because %s" % why
            )
        for course, _ours in failed:
            course.outcome = "failed: %s" % told[course.service.name]
        lines = ["%s: %s" % pair for pair in told.items()]
        lines += [
            "%s: serves %s" % (course.service.name, short(course.asked_for or course.target.arn))
            for course in self.courses
            if course.outcome == "serves"
        ]
        following, commands = self._failing.following(told)
        error.result.update(
            services=[course.to_result() for course in self.courses],
            failed_services=list(told),
            next_task_definition=following if len(self.courses) > 1 else "".join(following.values()),
        )
        error.evidence = [*lines, *error.evidence, *commands]
        return error

    def _lift_fences(self, timeout: float) -> None:
        """The tasks are there again; what is left is scaling, and the mark."""
        fenced = [course.service.name for course in self.courses if course.service.fence and not course.error]
        if fenced:
            fencing = once_answered(
                "Looking at the services that were fenced",
                lambda: Fencing(self._ecs, self._scaling(), LIFT, fenced, self._run_id, self._clock),
                PATIENCE,
                self._clock,
            )
            fencing.go(timeout, None, wait=True)

    def to_result(self) -> dict[str, Any]:
        """The result of the module: what was there, what is there, why, and each service on its own."""
        return dict(
            before={course.service.name: course.content(course.running) for course in self.courses},
            after={course.service.name: course.content(course.planned) for course in self.courses},
            plan=[line for course in self.courses for line in course.plan()],
            reason="; ".join(course.step.reason for course in self.courses),
            settings=self.hastening.plan(),
            notes=self.hastening.notes,
            broken=self.broken,
            unfinished=self.hastening.unfinished,
            services=[course.to_result() for course in self.courses],
            seconds=round(self._clock.now() - self._started, 1),
        )
