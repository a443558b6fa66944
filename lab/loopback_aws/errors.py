# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a task or the lab itself could not start for."""

WHY = "The lab cannot start: "  # before the last line of the log of a lab that does not


class StartFailure(Exception):
    """What a task needs is missing: an image, a secret, a log group. The words are those that ECS puts into stoppedReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotStarted(Exception):
    """The lab does not start; the message is a sentence for a person."""
