# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a task could not start, in the words that ECS puts into stoppedReason."""


class StartFailure(Exception):
    """What a task needs is missing: an image, a secret, a log group."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason
