# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS's record of a service's deployments, read newest first and only as far as the answer needs.

A list of deployments tells of each which service revision it deployed, and how it ended; that is enough for most. Whole descriptions are asked
for only of the newest, which may be under way, of those that ECS has rolled back, and of the oldest, before which the record is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import UnexpectedAnswer, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ENDED, Pause, ServiceDeployment
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import chunks, side_by_side

PAGE = 100  # ListServiceDeployments' most
A_CALL = 20  # DescribeServiceDeployments', DescribeServiceRevisions' most
MOST = 500  # deployments of a service that are read; so many were started again and again, or name what you want
PLAIN = ("SUCCESSFUL", "STOPPED")  # of these, the list tells all that there is to know


class History(list[ServiceDeployment]):
    """ServiceDeployments of one service, newest first. ``whole`` tells whether they go back as far as AWS's record (90 days)."""

    whole = True


class Record:
    """What ECS has recorded of the deployments of one cluster's services.

    :param client: the boto3 client of ECS.
    """

    def __init__(self, client: Any, cluster: str) -> None:
        self._ecs, self._cluster = client, cluster
        self._revisions: dict[str, Revision] = {}  # by ARN; none ever changes
        self._gone: set[str] = set()  # ARNs of those that AWS has no more
        self._ended: dict[str, ServiceDeployment] = {}  # ServiceDeployments that have ended, by ARN; none ever changes

    def read(
        self, services: Sequence[str], enough: Callable[[str, History], bool] | None = None, most: int = MOST
    ) -> dict[str, History]:
        """The History of each service by its name: page by page, those of all services together, until each is enough.

        :param enough: callable: the name of a service and its History so far → whether that is enough. None: one page is.
        :param most: deployments of a service that are read.
        """
        found, open_ = {name: History() for name in services}, list(services)
        tokens: dict[str, str | None] = {}
        while open_:
            pages = dict(zip(open_, side_by_side(lambda name: self._page(name, most, tokens.get(name)), open_)))
            for name, told in self._page_of(pages, found).items():
                found[name].whole = not pages[name].get("nextToken")
                found[name] += told
                found[name].sort(key=lambda item: item.created_at, reverse=True)
                tokens[name] = pages[name].get("nextToken")
            open_ = [name for name in open_ if not (found[name].whole or len(found[name]) >= most)]
            open_ = [name for name in open_ if enough and not enough(name, found[name])]
        return found

    def _page(self, service: str, most: int, token: str | None) -> dict[str, Any]:
        more = {"nextToken": token} if token else {}
        asked = dict(cluster=self._cluster, service=service, maxResults=min(PAGE, most))
        answer: dict[str, Any] = self._ecs.list_service_deployments(**asked, **more)
        return answer

    def _page_of(
        self, pages: Mapping[str, dict[str, Any]], found: Mapping[str, History]
    ) -> dict[str, list[ServiceDeployment]]:
        """The ServiceDeployments of one page of each list, in its order."""
        briefs = {name: page["serviceDeployments"] for name, page in pages.items()}
        whole = [
            brief["serviceDeploymentArn"]
            for name, some in briefs.items()
            for place, brief in enumerate(some)
            if (not found[name] and place < A_CALL)
            or (not pages[name].get("nextToken") and place == len(some) - 1)
            or not _says_all(brief)
        ]
        known = {item.arn: item for item in self.deployments(whole)}
        asked = set(whole)
        plain = [brief for some in briefs.values() for brief in some if brief["serviceDeploymentArn"] not in asked]
        self._know([brief["targetServiceRevisionArn"] for brief in plain])
        known.update((brief["serviceDeploymentArn"], self._listed(brief)) for brief in plain)
        # One that is not known has left the record meanwhile.
        arns = {name: [brief["serviceDeploymentArn"] for brief in some] for name, some in briefs.items()}
        return {name: [known[arn] for arn in some if arn in known] for name, some in arns.items()}

    def _listed(self, brief: dict[str, Any]) -> ServiceDeployment:
        revision = self._revisions[brief["targetServiceRevisionArn"]]
        return _deployment(brief, revision)

    def deployments(self, arns: Sequence[str]) -> list[ServiceDeployment]:
        """ServiceDeployments by ARN, whole."""
        new = [arn for arn in arns if arn not in self._ended]
        answers = [item for part in side_by_side(self._some_deployments, chunks(new, A_CALL)) for item in part]
        self._know(
            [arn for item in answers for arn in _named(item)], [arn for item in answers for arn in _sources(item)]
        )
        with reading("DescribeServiceDeployments"):
            found = [self._whole(item) for item in answers]
        self._ended.update((item.arn, item) for item in found if item.status in ENDED)
        known = {**self._ended, **{item.arn: item for item in found}}
        return [known[arn] for arn in arns if arn in known]

    def _some_deployments(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        answer = self._ecs.describe_service_deployments(serviceDeploymentArns=arns)
        found: list[dict[str, Any]] = answer["serviceDeployments"]
        return found

    def _whole(self, item: dict[str, Any]) -> ServiceDeployment:
        back = item.get("rollback", {}).get("serviceRevisionArn")
        return _deployment(
            item,
            self._revisions[item["targetServiceRevision"]["arn"]],
            back=self._revisions[back] if back else None,
            stage=item.get("lifecycleStage", ""),
            pause=Pause.from_boto(item.get("lifecycleHookDetails", [])),
            alarms=tuple(map(foreign, item.get("alarms", {}).get("triggeredAlarmNames", []))),
            breaker=item.get("deploymentCircuitBreaker", {}).get("status") == "TRIGGERED",
            sources=tuple(self._revisions[arn] for arn in _sources(item) if arn in self._revisions),
        )

    def revisions(self, arns: Sequence[str]) -> dict[str, Revision]:
        """Revisions by ARN.

        :raises UnexpectedAnswer: AWS leaves one out.
        """
        self._know(arns)
        return {arn: self._revisions[arn] for arn in arns}

    def _know(self, needed: Sequence[str], welcome: Iterable[str] = ()) -> None:
        """Read service revisions that are not known yet; those that are only ``welcome`` may be gone."""
        # Until a task has pulled an image, its digest is not known: such a revision is read again.
        new = [arn for arn in dict.fromkeys([*needed, *welcome]) if not self._is_known(arn)]
        for some in side_by_side(self._some_revisions, chunks(sorted(new), A_CALL)):
            self._revisions.update(some)
        missing = [arn for arn in dict.fromkeys(needed) if arn not in self._revisions]
        if missing:
            raise UnexpectedAnswer("DescribeServiceRevisions", "it left out %s" % ", ".join(missing))
        self._gone.update(arn for arn in new if arn not in self._revisions)

    def _is_known(self, arn: str) -> bool:
        known = self._revisions.get(arn)
        return arn in self._gone or (known is not None and known.image_set is not None)

    def _some_revisions(self, arns: Sequence[str]) -> dict[str, Revision]:
        answer = self._ecs.describe_service_revisions(serviceRevisionArns=arns)
        with reading("DescribeServiceRevisions"):
            found = [Revision.from_boto(item) for item in answer["serviceRevisions"]]
        return {item.arn: item for item in found}


def _says_all(brief: dict[str, Any]) -> bool:
    return brief.get("status") in PLAIN and "targetServiceRevisionArn" in brief and "createdAt" in brief


def _named(item: dict[str, Any]) -> list[str]:
    back = item.get("rollback", {}).get("serviceRevisionArn")
    return [item["targetServiceRevision"]["arn"], *([back] if back else [])]


def _sources(item: dict[str, Any]) -> list[str]:
    return [source["arn"] for source in item.get("sourceServiceRevisions", [])]


def _deployment(
    item: dict[str, Any], revision: Revision, back: Revision | None = None, **more: Any
) -> ServiceDeployment:
    return ServiceDeployment(
        arn=item["serviceDeploymentArn"],
        status=item["status"],
        reason=item.get("statusReason", ""),
        created_at=item["createdAt"],
        task_definition=revision.task_definition,
        brought_back=back.task_definition if back else None,
        digests=revision.digests,
        finished_at=item.get("finishedAt"),
        revision=revision,
        back=back,
        **more,
    )
