# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a value of the inventory must be. Each check: a value that is set → what is wrong with it (str), or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import RUN_ID
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store_location import store_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time

_REVISION = r"(arn:aws[a-z-]*:ecs:[^:]+:\d{12}:task-definition/)?[A-Za-z0-9_-]{1,255}:[1-9]\d*"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")
_DIGEST = r"sha256:[0-9a-f]{64}"
_SERVICE_REVISION = r"arn:aws[a-z-]*:ecs:[^:]+:\d{12}:service-revision/[^/\s:]+/[^/\s:]+/\d+"
_TAG = r"(?=[^:]*[.\d])(?!\d+\Z)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"  # without a digit or a dot it would be a family's name as well
TARGET_FORM = re.compile(r"(%s)\Z" % "|".join((_DIGEST, _REVISION, _SERVICE_REVISION, _TAG)))
NO_HTTP = "none"


def _not_text(value: Any) -> str | None:
    if isinstance(value, str):
        return None
    return (
        "it arrived as %s, not as text (AWX and YAML turn text that looks like a number or yes/no into one; put it in quotes)"
        % type(value).__name__
    )


def check_name(value: Any) -> str | None:
    return _not_text(value) or ("it has spaces around it" if value != value.strip() else None)


def check_time(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    if not _TIME.match(value):
        return "it is not a time in ISO 8601 with a zone"
    try:
        parse_time("", value)
    except RollbackError:
        return "there is no such day or hour"
    return None


def check_names(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    if not value:
        return "the list is empty"
    return check_optional_names(value)


def check_optional_names(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    wrong = [item for item in value if not isinstance(item, str) or not item.strip()]
    if wrong:
        return "%r in it is not a name" % (wrong[0],)
    return "it names %s twice" % _twice(value) if _twice(value) else None


def _twice(value: Sequence[Any]) -> Any:
    return next((item for item in value if value.count(item) > 1), None)


def check_patterns(value: Any) -> str | None:
    problem = check_optional_names(value)
    for pattern in () if problem else value:
        try:
            re.compile(pattern)
        except re.error as error:
            return "'%s' is no regular expression: %s" % (pattern, error)
    return problem


def check_url(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    right = value == NO_HTTP or re.match(r"https?://[^/\s?#@]+(/[^\s?#@]*)?\Z", value)
    return None if right else "it is not an http or https URL without user and query"


def check_path(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if value.startswith("/") else "it does not begin with a slash"


def check_folder(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return (
        None
        if value.startswith(("/", "~"))
        else "it begins neither with / nor with ~, so it depends on where somebody stands"
    )


def check_target(value: Any) -> str | None:
    if not isinstance(value, dict):
        return _check_one_target(value)
    for service, target in value.items():
        if not isinstance(service, str) or not service.strip():
            return "%r in it is not the name of a service" % (service,)
        complaint = _check_one_target(target)
        if complaint:
            return "for %s, %s" % (service, complaint)
    return None if value else "it names no service"


def _check_one_target(value: Any) -> str | None:
    if _not_text(value):
        return "a bare %s names no task definition" % type(value).__name__
    if value.startswith("sha256:") and not TARGET_FORM.match(value):
        return "a digest has 64 hexadecimal digits"
    return None if TARGET_FORM.match(value) else "a family alone or a bare number does not say which revision"


def check_seconds(value: Any) -> str | None:
    return check_whole(value) or (None if int(value) > 0 else "it is not above 0")


def check_whole(value: Any) -> str | None:
    if isinstance(value, (bool, float)) or not re.match(r"[0-9]+\Z", str(value)):
        return "it is not a whole number"
    return None


def check_number(value: Any) -> str | None:
    if isinstance(value, bool) or not re.match(r"[0-9]+(\.[0-9]+)?\Z", str(value)):
        return "it is not a number"
    return None if float(value) > 0 else "it is not above 0"


def check_watch(value: Any) -> str | None:
    """Seconds alone, or a mapping."""
    if not isinstance(value, dict):
        return (
            None
            if re.match(r"[0-9]+(\.[0-9]+)?\Z", str(value)) and value is not True
            else "it is not a number of seconds"
        )
    checks = dict(seconds=check_number, interval=check_number, failures=check_whole, metrics=check_flag)
    for name, item in value.items():
        if name not in checks:
            return "there is no %s in it; there are %s" % (name, ", ".join(checks))
        if checks[name](item):
            return "for %s, %s" % (name, checks[name](item))
    return None


def check_text(value: Any) -> str | None:
    return _not_text(value)


def check_choice(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else "there is no such choice"


def check_options(value: Any) -> str | None:
    return None if isinstance(value, dict) else "it is %s, not a mapping" % type(value).__name__


def check_tables(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    wrong = [name for name, item in value.items() if not isinstance(item, dict)]
    return "for %s, there is no mapping" % wrong[0] if wrong else None


def check_mappings(value: Any) -> str | None:
    if not isinstance(value, list):
        return "it is %s, not a list" % type(value).__name__
    return None if all(isinstance(item, dict) for item in value) else "something in it is no mapping"


def check_contacts(value: Any) -> str | None:
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return None
    return "it is not a mapping of text to text (put telephone numbers in quotes)"


def check_mapping(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    for name, item in value.items():
        number = isinstance(item, int) and not isinstance(item, bool)
        if not isinstance(name, str) or not (number or (isinstance(item, str) and item.strip())):
            return "for %s, %r is neither text nor a number" % (name, item)
    return None


def check_lists(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "it is %s, not a mapping" % type(value).__name__
    wrong = [(name, check_names(item)) for name, item in value.items() if check_names(item)]
    return "for %s, %s" % wrong[0] if wrong else None


def check_flag(value: Any) -> str | None:
    return (
        None if isinstance(value, bool) or str(value).lower() in ("true", "false") else "it is neither true nor false"
    )


def check_flag_or_names(value: Any) -> str | None:
    """Names as a list, or as text with commas, which is what ``-e`` gives."""
    if isinstance(value, bool):
        return None
    return check_optional_names([name.strip() for name in value.split(",")] if isinstance(value, str) else value)


def check_id(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if RUN_ID.match(value) else "it cannot be part of the name of a DB instance"


def check_store(value: Any) -> str | None:
    if _not_text(value):
        return _not_text(value)
    return None if store_of(value) else "it is neither a directory nor a bucket"
