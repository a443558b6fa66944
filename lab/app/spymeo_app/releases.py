# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each release of the application ships, and how release 2.0.0 can be broken."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = "1.0.0"
SECOND = "2.0.0"

DEFECTS = {
    "crash-loop": "exits with status 1 and a stack trace before it listens",
    "bad-migration": 'its migration renames "fullName", which its code still uses (P2022), and overwrites names and cities',
    "cannot-connect": "connects to the port above the database's, where the pooler it was built for is not (P1001)",
    "login-broken": "checks the admin's password with a pepper that no stored hash was made with, so every login answers 401",
    "payments-broken": "reads the amount from a field that no client sends, so every payment answers 500",
    "slow": "waits three seconds before each answer, health included",
    "full": "crash-loop and bad-migration at once",
}

_FIRST_MIGRATIONS = ("20250110090000_init", "20250214103000_add_payments")
_HARMLESS_MIGRATION = "20250310140000_add_practitioner_phone"
_BAD_MIGRATION = "20250310140000_rename_full_name_to_display_name"


@dataclass(frozen=True)
class Release:
    """One build of the application: its version and what is wrong with it."""

    version: str
    defects: frozenset[str] = frozenset()

    @classmethod
    def named(cls, version: str, defect: str = "") -> Release:
        """The release of this version with this defect, ``""`` for none.

        Raises ValueError for an unknown version or defect, and for a defect of a release that has none.
        """
        if version not in (FIRST, SECOND):
            raise ValueError(f"APP_RELEASE is {version!r}; the releases are {FIRST} and {SECOND}")
        if not defect:
            return cls(version)
        if defect not in DEFECTS:
            raise ValueError(f"APP_DEFECT is {defect!r}; the defects are {', '.join(DEFECTS)}")
        if version == FIRST:
            raise ValueError(f"APP_DEFECT is {defect!r}, but release {FIRST} has no defects")
        return cls(version, frozenset({"crash-loop", "bad-migration"} if defect == "full" else {defect}))

    def has(self, defect: str) -> bool:
        """Whether this build suffers from a defect of the table."""
        return defect in self.defects

    @property
    def migrations(self) -> tuple[str, ...]:
        """The migration folders inside this build's image, in the order of their names, as Prisma applies them."""
        if self.version == FIRST:
            return _FIRST_MIGRATIONS
        return (*_FIRST_MIGRATIONS, _BAD_MIGRATION if self.has("bad-migration") else _HARMLESS_MIGRATION)
