# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The level that a line of text says it has, in its place: behind a time, a host, a name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import levels
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.sounds import (
    COMPOUND,
)

PLACE = 200  # characters within which a level stands
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,:]\d{1,9})?(?:\s?[AP]M\b)?(?:\s?(?:Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d)\b)?"
TIME = (
    r"(?:(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\s)?"
    r"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/ ]%s[-/ ]\d{4}|%s\s{1,2}\d{1,2}(?:,?\s\d{4})?),?[T _:]?\s?(?:(?:at|um"
    r"|\u00e0|-) )?%s(?:\s\d{4})?"
    r"|%s|\b\d{10}(?:\.\d{1,9}|\d{3})?\b|\b\d\.\d{5,12}e\+09\b)" % (_MONTH, _MONTH, _CLOCK, _CLOCK)
)
_TIMES = re.compile(TIME)
UPPER = (
    "ERROR|ERR|ERRO|ERREUR|FATAL|FTL|CRITICAL|CRIT|SEVERE|EMERG|EMERGENCY|ALERT|PANIC|DPANIC|FAIL|WARN|WARNING|WRN|INFO|INF|NOTICE"
    "|LOG|SUCCESS|DEBUG|DBG|DEBU|TRACE|TRC|VERBOSE|VRB|FINE|FINER|FINEST|DETAIL|HINT|STATEMENT"
)
LOWER = (
    "error|err|fatal|critical|crit|severe|emerg|emergency|alert|panic|fail|warn|warning|info|information|notice|log|debug|dbug|dbg"
    "|trace|trce|verbose|silly|http|success|ready|event|wait"
)
TAGS = frozenset(("http", "event", "log", "ready", "wait", "success"))
_TITLE = "Error|Fatal|Critical|Severe|Warning|Warn|Info|Information|Notice|Debug|Trace|Verbose"
LEVEL = re.compile(
    r"(?<![\w./\\$@#%%=&?-])(?:(?P<upper>%s)(?P<process>/[A-Z]\w{0,40}(?:-\d+)?(?=\]))?|(?P<lower>%s|%s))(?![\w./\\=-]|['\"]\s?[,:}\]])"
    % (UPPER, LOWER, _TITLE)
)
_CHANNEL = re.compile(
    r"(?:^|[\s\]])[\w-]{1,40}\.(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY):\s"
)  # monolog
# klog and glog, Ruby's Logger, tornado, Android, telegraf; then systemd and RFC 5424 by number
LETTER = re.compile(
    r"(?:(?:\[?([DIWEFCV])(?:\d{4}(?:\d\d)? \d\d:\d\d:\d\d|, \[\d{4}-| \d{6,8} \d\d:\d\d|/[\w.-]{1,60}(?:\(\s*\d+\))?: |\] )"
    r"|%s\s+([DIWEFCV])(?:!|/[\w.-]{1,60}:)?\s))" % TIME
)
_REDIS = re.compile(r"\d{1,9}:[XCSM] \d\d %s \d{4} [\d:.]+ [.*#-] " % _MONTH)
_REDIS_TROUBLE = re.compile(
    r"(?!WARNING).{0,200}?(?:[Ff]atal|[Ee]rror|crashed|Out Of Memory|Can't |Could not |Failed |denied)"
)
_NEXT_COLUMN = re.compile(
    r" \|\s{0,5}(%s)\s{0,5}\|" % UPPER
)  # behind the name of a component that is called like a level
_NEUTRAL = re.compile(
    r"%s|\[[^\]\n]{0,80}\]|\([^)\n]{0,60}\)|<[^>\n]{0,40}>|\d{1,9}(?:#\d{1,9})?:?(?=\s|$)|-{3}" % TIME
)
_NAME = re.compile(r"[^\s|]+")
_DELIMITED = re.compile(r"(?:[|:>\]-]|\s[-|])\s*\Z")
_IDENTIFIER = re.compile(r"[\w@/.\[\]:-]{1,60}:?\Z")
_SYSLOG = re.compile(r"%s \S{1,80} \S{1,60}: \Z" % TIME)
_NOTHING = re.compile(r"\W{0,4}(?:0|null|none|None|nil|undefined|false|no|\[\]|\{\}|''|\"\")\s*(?:[,;]|\.?\s*\Z)")
_MARKED = re.compile(r"\s{0,8}(?:[:|\t]|-\s)|\s{1,8}(?=%s)" % TIME)  # what is behind a level


def level_of_text(line: str) -> bool | None:
    """Whether the level of a line means an error; None where none stands in its place."""
    head = line[:PLACE]
    letter = LETTER.match(head)
    if letter:
        return levels.LETTERS[(letter[1] or letter[2]).lower()]
    for found in LEVEL.finditer(head):
        if in_place(head, found):
            column = _NEXT_COLUMN.match(head, found.end()) if head[found.end() : found.end() + 2] == " |" else None
            return levels.of_word(column[1] if column else found["upper"] or found["lower"])
    channel = "." in head and _CHANNEL.search(head)
    if channel:
        return levels.of_word(channel[1])
    redis = _REDIS.match(head)
    return bool(redis[0][-2] == "#" and _REDIS_TROUBLE.match(head, redis.end())) if redis else None


def has_level(before: str) -> bool:
    """Whether a level stands in what is before a record; a word that is a tag as often, like ``[http]``, is none."""
    head = before.strip()
    return level_of_text(head) is not None and not _tag(head)


def _tag(head: str) -> bool:
    found = next((each for each in LEVEL.finditer(head) if in_place(head, each)), None)
    return found is not None and found["lower"] in TAGS


def in_place(head: str, found: re.Match[str]) -> bool:
    """Whether what stands before and behind a word makes it the level of its line."""
    before, behind = head[: found.start()], head[found.end() :]
    if _NOTHING.match(behind):
        return False
    enclosed = _is_enclosed(before, behind)
    plain = _NEUTRAL.sub(" ", before) if before else ""
    if (
        enclosed
    ):  # an opening bracket is before it, with what is in it so far: [core:error], [2026-11-22T03:00:01Z ERROR app]
        plain = plain.rpartition("<" if behind.lstrip()[:1] == ">" else "(" if behind.lstrip()[:1] == ")" else "[")[0]
    names = _NAME.findall(plain.replace("[", " ").replace("]", " "))
    names = [name for name in names if name.strip("-:,>*•·#=!")]
    placed = before.strip() != "" and (
        len(plain.strip()) < len(before.strip()) or _DELIMITED.search(before) is not None
    )
    if names and not enclosed and not behind.strip():
        return False  # "log level: ERROR": what it is said to be
    return _fits(found, behind, names, placed, enclosed, before)


def _is_enclosed(before: str, behind: str) -> bool:
    opened = before.rstrip()[-1:]
    closed = behind.lstrip()[:1]
    pair = {"[": "]", "<": ">", "(": ")", "|": "|"}.get(opened)
    inside = before.rpartition("[")[2]
    return closed == pair or (closed == "]" and "[" in before and "]" not in inside and len(inside) < 60)


def _fits(found: re.Match[str], behind: str, names: Sequence[str], placed: bool, enclosed: bool, before: str) -> bool:
    if found["upper"]:
        if COMPOUND.match(behind) and not placed:
            return False
        if (
            found["upper"] in ("LOG", "FAIL", "ALERT", "DETAIL", "HINT", "STATEMENT", "FINE")
            and not placed
            and behind[:1] not in (":", "[")
        ):
            return found["upper"] == "FAIL" and not names
        return not names or (placed and len(names) <= 3) or (len(names) == 1 and _DELIMITED.search(before) is not None)
    known = all(_IDENTIFIER.match(name) and not name.isalpha() for name in names) if placed else not names
    known = known or (len(names) == 1 and placed) or _SYSLOG.match(before) is not None
    if enclosed:
        return known
    marked = _MARKED.match(behind) is not None
    if found["lower"][0].isupper():
        return known and marked
    if marked:
        return known and (found["lower"] not in ("http", "event", "wait", "ready", "log") or not names)
    if names:
        return False
    timed = _TIMES.search(before) is not None or "[" in before
    capital = re.match(r"\s+[A-Z\"'`\[]", behind) is not None and found["lower"] in (
        "error",
        "warning",
        "info",
        "success",
        "fatal",
        "warn",
    )
    wide = behind[:2] == "  "
    return (
        (timed or (not before.strip() and (capital or wide))) and not COMPOUND.match(behind) and behind[:1] in (" ", "")
    )
