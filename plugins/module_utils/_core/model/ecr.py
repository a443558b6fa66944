# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container images as a task definition names them, and as ECR knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

ACTIVE = "ACTIVE"
"""The only status in which an image can be pulled. ECR's others are ARCHIVED and ACTIVATING (botocore ImageStatus)."""
MISSING = "MISSING"
"""ECR has no such image, or no such repository."""
NOT_ECR = "NOT_ECR"
"""Another registry holds the image, and ECR cannot be asked about it. ECR Public is another registry, too."""
OTHER_REGION = "OTHER_REGION"
"""ECR holds the image in another region than the one that was asked."""

LATEST = "latest"
"""The tag of a reference that has neither tag nor digest, as for every container runtime."""

# FIPS: dkr.ecr-fips.REGION; IPv6 as well: dkr-ecr.REGION.on.aws (ECR user guide, "Private registry").
_REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
    r"/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Reference:
    """A reference to an image in ECR, taken apart. ``tag`` is None where a digest decides."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Reference | None:
        """The Reference in ``account.dkr.ecr.region.amazonaws.com/repository`` with ``:tag``, ``@sha256:…`` or both.

        The digest wins over the tag, and without either the tag is LATEST.

        :return: None when the image is not in a private registry of ECR.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return None
        digest = match["digest"]
        return cls(
            account=match["account"],
            region=match["region"],
            repository=match["repository"],
            tag=None if digest else match["tag"] or LATEST,
            digest=digest,
        )


@dataclass(frozen=True)
class Image:
    """What ECR says about a reference.

    ``status`` is ECR's imageStatus, MISSING, NOT_ECR or OTHER_REGION. ``digest`` (``sha256:…``) is what the reference
    means now; None where nobody was found to ask. ``repository`` has no host; for NOT_ECR it is all but tag and digest.
    """

    reference: str
    repository: str
    digest: str | None
    status: str
