# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines in which a server tells of the requests that it has answered, and those that it answered with 5xx. Pure.

Most servers give all of them one level, or none, so what they were answered with decides: Datadog's and Elastic's pipelines do so, too. The same
status in a sentence is none, nor is one that another server has answered with.
"""

from __future__ import annotations

import re

_LOOKED_AT = 1000  # characters of a line
_ACCESS = re.compile(
    r"\S+ \S+ \S+ \[[^\]]{10,40}\] \"|(?:\S+ - )?\"?(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S+(?: HTTP/[\d.]+\")? (?:-> |→ |\()?[1-5]\d\d\b"
    r"|Started [A-Z]{3,7} \"|Completed \d{3} |Processing by \S+#"
    r"|(?:Not Found|Bad Request|Forbidden|Method Not Allowed|Unauthorized|Gone)(?: \([^)\n]{1,80}\))?: /"  # Django
)
# A request that a server has answered with 5xx, as servers and frameworks write it, whatever level they give to all requests.
_5XX = r"5(?:0\d|1[01]|2[0-7]|30|9[89])"  # those that anybody answers with: a number of bytes is none
_STATUS_5 = re.compile(r"[ (=]%s(?:[ )]|$)" % _5XX)
_METHOD = r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)"
_LENGTH = r"(?:\d{1,12}b?|undefined|null)"  # of a body, as morgan, Nest's middleware and koa write it
_FAILED_REQUEST = re.compile(
    r"\"(?P<m1>[A-Z]{3,8}) (?P<p1>[^\"\s]{1,900})(?: HTTP/[\d.]{1,3})?\"(?: from \S{1,60})?(?: -|,)? STATUS(?= |$)"
    r"|(?<![\w\"])(?P<m2>METHOD) (?P<p2>/[^\s\"]{0,900})(?: HTTP/[\d.]{1,3}| 1\.[01])? (?:-> |→ |- |responded |\{[^{}]{0,200}\} )?\(?STATUS(?=\)| \(|$"
    r"| in \d| [\d.]{1,12}\s?(?:ms|s|µs)\b| (?:LENGTH )?- | LENGTH(?:$| [\d.]{1,12}(?:\s?(?:ms|s|µs)\b|$)))"
    r"|\| STATUS \|.{1,80}\| (?P<m3>METHOD) {1,10}(?:\| )?\"?(?P<p3>/[^\s\"]{0,900})"
    r"|\bCompleted STATUS (?:[A-Z]\w+ ){1,4}in \d|\bSent STATUS in \d"
    r"|(?: -?\d{1,9}/-?\d{1,9}/-?\d{1,9}/-?\d{1,9}/\+?\d{1,9}) STATUS \d+ .{1,200}\"(?P<m4>[A-Z]{3,8}) (?P<p4>[^\"\s]{1,900})"
    # ASP.NET Core, Ktor, IIS, tower-http
    r"|\bRequest finished HTTP/[\d.]{1,3} (?P<m5>METHOD) (?P<p5>\S{1,900})(?: \S{1,80}){0,2} - STATUS(?= )"
    r"|\bSTATUS (?:[A-Z][a-z]{1,20} ){0,3}[A-Z][a-z]{1,20}: (?P<m6>METHOD) - (?P<p6>/\S{0,900})"
    r"|\d\d:\d\d:\d\d \S{3,45} (?P<m7>METHOD) (?P<p7>/\S{0,900}) \S{1,900} \d{1,5} \S{1,200} \S{3,45} \S{1,900} \S{1,900} STATUS \d+ \d+ \d+"
    r"|\{method=(?P<m8>METHOD) (?:uri|path)=(?P<p8>/[^\s}]{0,900})[^}]{0,300}\}.{1,300}\bstatus=STATUS\b".replace(
        "METHOD", _METHOD
    )
    .replace("LENGTH", _LENGTH)
    .replace("STATUS", _5XX)
)
_MEASURED = re.compile(r"\W{0,6}(?:\d|in \d|undefined|null)")  # how long or how large the answer was, behind the status
# A client tells of its own request so: urllib3, or an absolute URL without the protocol that servers write behind it.
_OF_A_CLIENT = re.compile(r"https?://[^\s\"]{1,300} \"%s /|\"%s https?://[^\s\"]{1,900}\"" % (_METHOD, _METHOD))


def is_request(line: str) -> bool:
    """Whether a line tells of a request, by its form."""
    return _ACCESS.match(line) is not None


def is_failed_request(line: str) -> bool:
    """Whether a line tells of a request that was answered with 5xx."""
    return _failed(line) is not None


def _failed(line: str) -> re.Match[str] | None:
    if "5" not in line or _STATUS_5.search(line) is None:
        return None  # most lines are told by that
    found = _FAILED_REQUEST.search(line)
    return None if found and "://" in line and _OF_A_CLIENT.search(line) else found


def is_measured_failure(line: str) -> bool:
    """The same of a line that says of the answer more than its status, which a sentence about somebody else's answer does not."""
    found = _failed(line[:_LOOKED_AT])
    return found is not None and _MEASURED.match(line, found.end()) is not None


def failed_request(line: str) -> tuple[str, str] | None:
    """(method, path) of a request that was answered with 5xx, empty where the line does not say; None for any other line."""
    found = _failed(line[:_LOOKED_AT])
    if not found:
        return None
    parts = found.groupdict()
    number = next((number for number in "12345678" if parts["m" + number]), None)
    return (parts["m" + number], parts["p" + number]) if number else ("", "")
