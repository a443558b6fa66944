# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM roles that an instance has for a feature (s3Import, lambda), and the CAs that it can be given."""

from __future__ import annotations

import datetime
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from .instance import USABLE, Instance
from .settings import CERTIFICATE_AUTHORITIES, invalid
from .store import Part, Store

FEATURES = ("s3Import", "s3Export", "Lambda")  # DescribeDBEngineVersions, SupportedFeatureNames of PostgreSQL
VALID_FROM = datetime.datetime(2021, 5, 21, 20, 44, 50, tzinfo=datetime.UTC)
VALID_TILL = datetime.datetime(2061, 5, 21, 21, 44, 50, tzinfo=datetime.UTC)


class Roles(Part):
    """The part of RDS that associates roles, and lists CAs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._authorities = list(CERTIFICATE_AUTHORITIES)

    @property
    def default_authority(self) -> str:
        """The CA of an instance for which none is asked."""
        return self._authorities[0]

    def _role_request(self, request: dict[str, Any], operation: str) -> tuple[Instance, tuple[str, str]]:
        rds_query.refuse_unknown(request, {"DBInstanceIdentifier", "FeatureName", "RoleArn"}, operation)
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        if request["FeatureName"] not in FEATURES:
            message = f"The feature name {request['FeatureName']} isn't supported by the engine postgres."
            raise invalid(message)
        self.store.require(instance, *USABLE)
        return instance, (request["RoleArn"], request["FeatureName"])

    def add_role_to_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Associate a role: PENDING, then ACTIVE. A feature has one role at most."""
        instance, role = self._role_request(request, "AddRoleToDBInstance")
        if any(feature == role[1] for _arn, feature in instance.roles):
            message = f"The DB instance {instance.identifier} already has a role for the feature {role[1]}."
            raise ApiError("DBInstanceRoleAlreadyExists", message)
        instance.roles[role] = "PENDING"
        self.lab.after(
            self.lab.durations.modify, lambda: instance.roles.update({role: "ACTIVE"} if role in instance.roles else {})
        )
        return {}

    def remove_role_from_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a role away."""
        instance, role = self._role_request(request, "RemoveRoleFromDBInstance")
        if role not in instance.roles:
            message = f"Role {role[0]} isn't associated with the DB instance {instance.identifier}."
            raise ApiError("DBInstanceRoleNotFound", message)
        del instance.roles[role]
        return {}

    def describe_certificates(self, request: dict[str, Any]) -> dict[str, Any]:
        """The CAs that instances can be given."""
        wanted = request.get("CertificateIdentifier")
        if wanted and wanted not in self._authorities:
            raise ApiError("CertificateNotFound", f"Certificate {wanted} not found.")
        shown = [
            {
                "CertificateIdentifier": name,
                "CertificateType": "CA",
                "Thumbprint": f"{hash(name) & 0xFFFFFFFF:040x}",
                "ValidFrom": VALID_FROM,
                "ValidTill": VALID_TILL,
                "CertificateArn": f"arn:aws:rds:{self.lab.region}::cert:{name}",
                "CustomerOverride": False,
            }
            for name in self._authorities
            if wanted in (None, name)
        ]
        answer = rds_query.answer("Certificates", shown, request)
        return {**answer, "DefaultCertificateForNewLaunches": self.default_authority}

    def withdraw_authority(self, name: str) -> None:
        """Give a CA to no instance any more; those that have it keep it."""
        self._authorities.remove(name)

    def check_authority(self, name: str) -> None:
        """Refuse a CA that is given no more.

        :raises ApiError: CertificateNotFound.
        """
        if name not in self._authorities:
            raise ApiError("CertificateNotFound", f"Certificate {name} not found.")
