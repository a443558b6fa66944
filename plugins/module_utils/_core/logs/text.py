# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a line of plain text says: its level, where one stands where loggers put it, else what it is by its form. Pure.

A level counts only in its place: at the beginning, behind a time, a process, a thread or a logger's name, or in brackets of its own.
The same word in a sentence is no level. A line without one is an error by the form that languages, runtimes and tools give to theirs.
No expression here takes more than linear time, for lines are of any length.
"""

from __future__ import annotations

import re

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.access import is_failed_request, is_request
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.level_in_text import (
    LETTER,
    LEVEL,
    LOWER,
    PLACE,
    TAGS,
    TIME,
    UPPER,
    in_place,
    level_of_text,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.sounds import (
    may_sound,
    sounds_like_an_error,
)

# What a line is. An ERROR or FINE has a level; THROWN is an error by its form; QUIET belongs to another line or says nothing of
# how things are; ACCESS is a request of a web server's own log; UNKNOWN is what nobody here can read.
ERROR, THROWN, FINE, ACCESS, QUIET, UNKNOWN = "error", "thrown", "fine", "access", "quiet", "unknown"
# And what nobody here can read, with a word in it that sounds like an error.
DOUBTFUL = "doubtful"

_LOOKED_AT = 1000  # characters of a line: what it is stands at its beginning
_MARKS_OF_ERRORS, _MARKS_OF_NONE = "⨯✗✘✖❌🚨💥⛔", "✓✔✅▲○◯ℹ⚠»◐→🚀"  # noqa: RUF001

_COLOUR = re.compile(
    r"(?:\x1b|\^\[|#033|\\x1b|\\u001b|\\033|\\e)\[(?:\d{1,3}(?:;\d{1,3}){0,5})?m|\[\d{1,3}(?:;\d{1,3}){0,5}m"
)

# Syslog, RFC 5424 and 3164: the priority, and what comes before the message.
_PRIORITY = re.compile(
    r"<(\d{1,3})>(?:1 (?:\S{1,255} ){5}(?:-|(?:\[[^\]\n]{0,300}\])+)\s?|%s \S{1,80} \S{1,60}: ?|)" % TIME
)
# What may stand before an error: times, and what names who speaks, as routers, relays, supervisors and loggers of one's own write it.
_PREFIX = re.compile(
    r"(?:\s+|%s|(?:\[[\w:./ +#,-]{1,60}\]){1,4}(?=\s)|\(\d+\)|[|>\u203a»•·*,#=-]+(?=\s)|#?\d{1,9}(?:#\d{1,9})?:?(?=\s)|[\w@/.-]{1,40}\s*\|(?=\s)"
    r"|[\w./@-]{1,60}\[[\w./:-]{1,40}\]:?(?=\s)|[\w./-]{1,80}\.\w{1,5}:\d{1,6}:?(?=\s)|\w[\w.-]{0,40} #?\d{1,6}(?::| -)(?=\s)"
    r"|[A-Za-z][\w.-]{0,40}=[^\s\"']{1,80}(?=\s)"
    r"|(?!(?i:%s|%s)\b)[\w.@/-]{1,60}(?::|\s-)(?=\s)|[A-Za-z]{1,12}-\d[\w-]{0,40}(?=\s)|[A-Z][a-z]{1,30}(?:[A-Z][a-z]{1,30}){1,4}(?=\s(?!at ))"
    r"|(?![%s%s])[^\w\s\x00-\x7f]{1,3}(?=\s))*" % (TIME, UPPER, LOWER, _MARKS_OF_ERRORS, _MARKS_OF_NONE)
)
_HOST = re.compile(
    r"(?:%s )[\w.-]{1,80} (?=[\w./-]{1,60}(?:\[\d+\])?: )" % TIME
)  # of syslog, between the time and the program

# A member of another object, or a word that is about errors and tells none.
_NO_HANDLER = (
    r"\b(?!s? (?:handl|hook|listen|event|filter|track|report|monitor|count|rate|page)|['\"`)\]]|\s?[=:]\s?0\b)"
)
_EXCEPTION = r"(?:[A-Za-z_$][\w$]{0,80}(?:\.|::|\\)){0,12}(?:[A-Z_$][\w$]{0,80})?(?:Error|Exception|Rejection|Failure)"
_ERRNO = (
    r"E(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|PIPE|ADDRINUSE|ADDRNOTAVAIL|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|ACCES|PERM|NOENT"
    r"|MFILE|NFILE|NOMEM|NOSPC|ROFS|ISDIR|EXIST|PROTO|SOCKETTIMEDOUT|BUSY)"
)
_SYSTEM = (
    r"(?:not found|[Nn]o such file or directory|[Pp]ermission denied|[Ee]xec format error|executable file not found|cannot execute|No space left on device"
    r"|Read-only file system|[Aa]ddress already in use|Too many open files|Cannot allocate memory|[Cc]onnection refused|[Cc]onnection reset by peer"
    r"|[Cc]onnection timed out|Name or service not known|[Tt]emporary failure in name resolution|[Ss]yntax error|unbound variable|parameter not set"
    r"|bad substitution|Operation not permitted|Argument list too long|No module named|i/o timeout|context deadline exceeded|no such host|bad option)"
)
_VERB = (
    r"(?:It was not possible to|[Ii]mpossible (?:de|d')|[Cc]ould not|[Cc]ouldn't|[Cc]annot|[Cc]an['\u2019]t|[Uu]nable to|[Ff]ailed to"
    r"|[Ff]ailure (?:to|in|while)|[Tt]imed out)"
)
_TRYING = r"(?:Error|error|ERROR) (?:in|while|when|during|on|at|from|occurred|(?!handl|track|report|log|monitor)[a-z]{3,20}ing)\b"

# Forms at the beginning of a line, behind times, processes and brackets.
_AT_HEAD = re.compile(
    "|".join(
        (
            # languages
            r"(?:Uncaught |Unhandled |uncaughtException:? |unhandledRejection:? )?%s(?= ?(?::|\[|\{|$)| at | - |\s\()"
            % _EXCEPTION,
            r"\[%s\b|\[Unhandled" % _EXCEPTION,
            r"(?:\w+\.){1,8}(?:exceptions?|errors?|exc)\.\w+(?:: |$)|(?:PG|Errno|Net|Redis|Faraday|OpenSSL)::[A-Z]\w+",
            r"(?:\+ Exception Group )?Traceback \(most recent call last\)|SystemExit: [1-9]|(?:Execution|Evaluation|Compilation|Runtime) error\b(?!s)"
            r"|Caused by: |Exception in thread|During handling of the above exception",
            r"\S{1,300}\.rb:\d+:in .{1,200}\([A-Z]\w*(?:::\w+)*\)|Unhandled exception|Unhandled [Rr]ejection|Fatal Python error",
            r"panic: |fatal error: |fatal runtime error|goroutine \d+ \[|\[signal SIG|SIG(?:SEGV|ABRT|BUS|ILL|KILL)%s|runtime: out of memory"
            % _NO_HANDLER,
            r"thread '.{0,80}'(?: \(\d{1,9}\))? (?:panicked at|has overflowed)"
            r"|memory allocation of \d+ bytes failed|\*\* \(\w|=(?:ERROR|CRASH|SUPERVISOR) REPORT|Crash dump"
            r"|CallStack \(from HasCallStack\)"
            r"|(?:\{\")?(?:init|Runtime|Kernel pid) terminat|Process terminated\b",
            r"(?:PHP )?(?:Fatal|Parse|Recoverable fatal|Catchable fatal|Compile|Core)(?: JavaScript)?(?: [a-z]+){0,2} error\b",
            r"(?:Error: )?APPLICATION FAILED TO START|Terminating due to java|# A fatal error has been detected|Error occurred during initialization",
            # Node, and what runs on it
            r"node:\S+:\d+$|(?:file://)?/\S+\.[cm]?[jt]sx?:\d+$|<--- (?:Last few GCs|JS stacktrace) --->|triggerUncaughtException",
            r"\(node:\d+\) (?:\[\w+\] )?(?:UnhandledPromiseRejection|%s)" % _EXCEPTION,
            r"npm (?:ERR!|ERROR|error)|ERR_PNPM|ELIFECYCLE|➤ YN\d{4}: .{0,40}(?:✖|Error|failed)|prisma:error|PrismaClient\w*Error\b",
            r"(?:code|errorCode|sqlState|routine): '(?:P\d{4}|E[A-Z_]{3,30}|ERR_\w+|[0-9A-Z]{5})'",
            r"(?:Error code: )?P[1-6]\d{3}(?::|$)|SQLSTATE\[\w{5}\]|Invalid `[^`]{1,200}` invocation|(?:Connector|Query|Database)Error\(",
            r"Raw query failed|Query engine exited|Environment variable not found|Error code: |Server has closed the connection",
            r"The (?:table|column|model|database|user|schema|application|file|directory|path|command|module) .{1,200} does not exist|(?:Unique"
            r"|Foreign key|Null|Check) constraint (?:failed|violat)",
            r"(?:Unknown|Missing|Invalid) (?:argument|arg|field|value|scalar)\b|Argument `|Inconsistent column data|Connection (?:lost|terminated|aborted)",
            r"(?:\w+: )?(?:relation|column|table|role|database|type|schema|function|user) .{1,200} does not exist",
            # what Redis answers with
            r"(?:OOM|READONLY|NOAUTH|WRONGPASS|MISCONF|CLUSTERDOWN|WRONGTYPE|EXECABORT|MASTERDOWN|NOREPLICAS|NOPERM) [A-Za-z][\w']{0,30} \w",
            # shells and systems
            r"(?:\S{1,80} )?(?:\S{0,80}/)?(?:[\w.-]{1,60})(?:\[\d+\])?: (?:line )?.{0,300}\b%s" % _SYSTEM,
            r"(?:.{0,80} )?(?:Segmentation fault|Bus error|Illegal instruction)|.{0,80}\(core dumped\)",
            r"Killed$|Killed process|Aborted$|.{0,80} aborted!?$|OOMKilled|Out of memory|Memory cgroup out of memory",
            r"terminate called after|double free or corruption|free\(\): |malloc\(\): |\*\*\* stack smashing|.{0,80}[Aa]ssertion .{0,200} failed",
            r".{0,80}error while loading shared libraries|.{0,80}version `GLIBC",
            r".{0,80}\b[Ee]xit(?:s|ed)?(?: with)?(?: exit)? (?:code|status)[ :=\[(]{0,3}-?[1-9]|(?:\w+ ){0,4}failed with (?:exit )?(?:status"
            r"|code):? ?-?[1-9]|.{0,80}non-zero (?:exit|status|code)",
            # sentences that tell of a failure and begin with it
            r"(?:\w+: ){0,2}%s " % _VERB,
            _TRYING,
            # The same in the languages of those who write applications.
            r"(?:Erreur|[\u00c9E]chec|Fehler|Errore|Fallo|Falha|Fout|B\u0142\u0105d|\u041e\u0448\u0438\u0431\u043a\u0430)\b(?!s)|Error al |Erro (?:ao"
            r"|no|na|de) "
            r"|\u9519\u8bef|\u932f\u8aa4|\u30a8\u30e9\u30fc|\uc624\ub958",
            r"(?:[\w.-]{1,40}:){1,4}error\s",  # debug's namespaces
            r"\S{1,200}[:(]\d{1,6}[,:]\d{1,6}\)?:? error\b",  # compilers
            r"\(\d{1,3}\)[A-Z][a-z]{2,20} ",  # Apache's runtime: (98)Address already in use
            r"(?!(?i:no|none|0|if|when|retry)\b)(?:[A-Za-z1-9][\w'`\"-]{0,40} ){1,4}(?<!from )(?<!no )(?<!not )(?<!any )(?<!all )(?<!of )failed"
            r"(?:$|[:.;!,]| (?:with|because|after|to|due|while|against|during|at|in|for|on|from)\b)(?! ?:? ?0\b)",
            r"[Ff]ailed(?:$|: (?!0)| (?:with|because|after|due|while|against|during)\b)",
        )
    )
)
# Forms that tell an error wherever they stand in a line without a level.
_ANYWHERE = re.compile(
    "|".join(
        (
            r"\b[Uu]n(?:caught|handled)[ _]?(?:[Pp]romise[ _]?)?(?:[Ee]rror|[Ee]xception|[Rr]ejection)%s" % _NO_HANDLER,
            # A name of an error; what begins small and goes on with a capital is a member (onError, lastError).
            r"(?:^|[\s:>(])(?<![Oo]n )(?:\w{1,60}\.){0,9}(?:[A-Z]\w{0,60}?(?:Error|Exception)|[a-z_\d]{0,60}?error|Error|Exception)(?: \[\w{1,60}\])?"
            r": (?!0\b|null|none|no\b|undefined|false)\S",
            r"(?<!no )(?<!any )(?<!if an )(?<!when an )(?<!0 )\b(?:[Ee]xception|[Ee]rror) (?:was |were |has been |had |has )?"
            r"(?:never retrieved|raised|occur?red|thrown|encountered|returned|detected)\b",
            r"\bgot (?:an? )?(?:\w{1,20} )?error (?:from|while|when|during|on|in|at)\b",
            r"\bInternal [Ss]erver [Ee]rror\b(?!s? (?:page|handler|template|response))|\bpanic recovered\b|\(os error \d+\)|: user error \(",
            r"\bapp crashed\b|\b[Tt]imeout (?:after|occurred|while|waiting|reached)\b|\b[Ii]nsufficient (?:memory|disk|space)\b",
            r": %s(?:$|[:;(,.]| \()" % _SYSTEM,
            r"\bcode: '(?:P\d{4}|E[A-Z]{3,20}|ERR_\w+)'",
            # an error as its language shows it: OperationalError('x'), #<NoMethodError: x>
            r"(?<![\w.])(?:\w{1,40}\.){0,5}[A-Z]\w{0,60}(?:Error|Exception)\(['\"]|#<(?:[A-Z]\w{0,60}::){0,5}\w{0,60}(?:Error|Exception): ",
            r"\bunexpectedly\b|\b[Uu]nexpected (?:token|end of|error|EOF|exception|response)\b|\bSIG(?:KILL|SEGV|ABRT)%s"
            % _NO_HANDLER,
            r"\b(?:connect|read|write|getaddrinfo|listen|bind|open|spawn|send|accept|queryA|querySrv)\w* %s\b" % _ERRNO,
            r"(?:^|[:(\[] ?)%s\b(?!['\"])" % _ERRNO,
            r"(?<!level )(?<!to )(?<!is )(?<!be )(?<!= )(?<!\d )(?<![\w./=:\"'-])(?:ERROR|FATAL|CRITICAL|SEVERE)(?=[:\]]|\s+\S"
            r"|(?<!: ERROR)(?<!: FATAL)(?<!: CRITICAL)(?<!: SEVERE)\s*$)(?! ?[=:] ?0\b)",
            r"Can't reach database server|PHP (?:Fatal|Parse) error|JavaScript heap out of memory|(?<![\w+-])OutOfMemoryError|dial tcp \S+: ",
            r"\bsocket hang up\b|(?<!0 )\btimed out\b(?!: ?0)|\btimeout (?:of \S{1,20} )?exceeded\b|(?<!0 )\b(?:[Aa]ccess"
            r"|[Pp]ermission) denied\b(?!: ?0| (?:page|handler|view|template|hook))",
            r"\bdeadlock detected\b|\bMODULE_NOT_FOUND\b|: connection refused\b|password authentication failed",
        )
    )
)
# One of these, in small letters, is in every line that has one of the forms above, or the second where there is an E or a SIG. Most lines have
# none, and the search for a form takes long.
# fmt: off
_WORDS = (
    "error", "exception", "rejection", "fail", "uncaught", "unhandled", "fatal", "critical", "severe", "panic", "crash", "traceback", "caused by",
    "during handling", "::", ".rb:", "goroutine", "overflowed", "memory", "** (", "terminating due", "node:", ".js", ".ts", ".mjs", ".cjs", ".mts",
    ".cts", "<---", "triggeruncaught", "npm", "yn0", "prisma", "code: '", "routine: '", "p1", "p2", "p3", "p4", "p5", "p6", "invalid `",
    "query engine", "server has closed", "does not exist", "constraint", " not ", "no such", "denied", "cannot", "no space", "read-only",
    "in use", "too many open", "refused", "reset by peer", "timed out", "timeout", "unbound", "bad ", "too long", "exceeded", "segmentation",
    "illegal", "dumped", "killed", "aborted", "terminate called", "double free", "free():", "malloc():", "stack smashing", "assertion", "glibc",
    "exit", "non-zero", "unexpected", "argument", "missing", "unknown", "inconsistent",
    "connection ", "erreur", "\u00e9chec", "echec", "fehler", "fallo", "falha", "fout",
    "b\u0142\u0105d", "\u043e\u0448\u0438\u0431\u043a\u0430", "erro", "\u9519\u8bef",
    "\u932f\u8aa4", "\u30a8\u30e9\u30fc", "\uc624\ub958", "systemexit", "terminat", "possible", "no module", "insufficient",
    "couldn't", "can't", "can\u2019t", "unable to", "php ", "dial tcp", "hang up", "deadlock",
)
# fmt: on
_NAMES = re.compile(
    "%s|SIG(?:SEGV|ABRT|BUS|ILL|KILL)|\\[signal|ELIFECYCLE|SQLSTATE"
    "|CallStack|READONLY|NOAUTH|WRONGPASS|CLUSTERDOWN|WRONGTYPE|EXECABORT|MASTERDOWN|NOREPLICAS|NOPERM|REPORT=|_NOT_FOUND|sqlState"
    % _ERRNO
)
# What a level hides: a logger that gives a harmless one to whatever another program says, or to the end of a program.
_ALWAYS = re.compile(
    r"\(exit status \d{1,3}; not expected\)|entered FATAL state|\bSIGSEGV\b|\(core dumped\)|- core dumped\b|http: panic serving "
    r"|class=\S{1,200} jid=\S{1,80} .{0,200}INFO: fail$|PHP [\w ]{1,30}: +Uncaught |PHP (?:Fatal|Parse) error|PHP message: (?:PHP )?(?:Uncaught|Fatal)"
)
_TO_SUPPRESS = re.compile(r"\bto (?:suppress|silence|hide|disable) this (?:message|warning|notice)\b")
_FINE = re.compile(
    r"SLF4J(?:\([WID]\))?: |(?:\[\d+:0x[\da-f]+\]\s{1,10})?\d{1,10} ms: (?:Scavenge|Mark-)"  # SLF4J of itself; V8's --trace-gc
    r"|"
    r"\S{1,300}\.py:\d{1,6}: \w{0,60}Warning: |"
    r"(?:PHP )?(?:Notice|Warning|Deprecated|Strict Standards): |\(node:\d+\) (?:\[\w+\] )?(?!Unhandled)\w*Warning: |prisma:(?:query|info|warn)"
    r"|npm (?:warn|WARN|notice|info|http|timing|verb|sill)\b"
)
_QUIET = re.compile(
    r"[\W_]*\Z|> \S+@\S+ \S+|> |Node\.js v\d|\(Use `node --trace|\.\.\. \d+ (?:more|common)|#\d+ |\[stack\]|Stack trace:|main\.\w+\(|created by |\S+\(0x"
    r"|note: run with `RUST_BACKTRACE|rs: |Require stack:|Description:$|Action:$"
    r"|\S*/docker-entrypoint\S*: (?!.*not found)|Prisma schema loaded from |Datasource \"\w+\": |\d+ migrations? found in |No pending migrations to apply"
    r"|Applying migration |The following migration|All migrations have been |Environment variables loaded from |(?:up to date|added \d+ packages)"
)


def _behind_a_tag(line: str) -> str:
    """What is behind a level that is a tag as often as a level; empty where there is none."""
    found = next((each for each in LEVEL.finditer(line[:PLACE]) if in_place(line[:PLACE], each)), None)
    return line[found.end() :].lstrip(" ]:|>-") if found and found["lower"] in TAGS else ""


def of_text(line: str) -> str:
    """What a line is."""
    if "[" in line and _COLOUR.search(line):
        line = _COLOUR.sub("", line)
    line = line[:_LOOKED_AT]
    bare = line.lstrip()
    if not bare:
        return QUIET
    if bare is not line and bare.startswith(("at ", "... ", 'File "')):
        return QUIET  # frames of a stack
    if (
        "PHP " in line
        or ": fail" in line
        or "panic" in line
        or "SIGSEGV" in line
        or "d)" in line
        or "dumped" in line
        or "FATAL s" in line
    ) and _ALWAYS.search(line):
        return THROWN
    header = _PRIORITY.match(bare)
    if header:  # who relays lines gives all of them one priority: it tells an error, and never that there is none
        told = of_text(bare[header.end() :])
        return ERROR if int(header[1]) % 8 <= 3 else FINE if told in (QUIET, UNKNOWN) else told
    level = level_of_text(bare)
    behind = _behind_a_tag(bare) if level is False else ""
    if behind:  # "[http] TypeError: x"
        told = of_text(behind)
        return FINE if told in (QUIET, UNKNOWN) else told
    if level is False and is_failed_request(bare):
        return THROWN
    if level is not None:
        return FINE if not level else THROWN if bare.startswith(("Error", "[Error")) else ERROR
    return _by_form(line, bare)


def _by_form(line: str, bare: str) -> str:
    if is_failed_request(line):
        return THROWN
    if is_request(bare):
        return ACCESS
    host = _HOST.match(bare) if "]: " in bare else None
    prefix = _PREFIX.match(bare, host.end() if host else 0)
    start = prefix.end() if prefix else 0
    own = bare[start:] if start else bare
    marked = _by_mark(own, bare)
    if marked is None and start and (LEVEL.search(own, 0, PLACE) or LETTER.match(own)):
        level = level_of_text(own)  # behind a name that no logger puts there
        marked = None if level is None else ERROR if level else FINE
    return marked or _by_words(line, bare, own)


def _by_mark(own: str, bare: str) -> str | None:
    mark = own[:1]
    if mark and mark in _MARKS_OF_ERRORS:
        return ERROR
    if mark and mark in _MARKS_OF_NONE:
        return FINE
    fine = (
        _FINE.match(own) or (own is not bare and _FINE.match(bare)) or (" this " in bare and _TO_SUPPRESS.search(bare))
    )
    return FINE if fine else None


def _by_words(line: str, bare: str, own: str) -> str:
    may_tell = _has_a_word(line)
    if may_tell and (_AT_HEAD.match(own) or (own is not bare and _AT_HEAD.match(bare))):
        return UNKNOWN if _is_about_nothing(own) else THROWN
    if own is not bare and is_request(own):
        return ACCESS
    if may_tell and _ANYWHERE.search(line):
        return THROWN
    if line[:1] in " \t" or _QUIET.match(bare):
        return QUIET
    return DOUBTFUL if sounds_like_an_error(line, may_tell) else UNKNOWN


def may_tell(text: str) -> bool:
    """Whether anything in a text may tell of an error, in a form or by its sound; of most it is sure that nothing does."""
    return not text.isascii() or _has_a_word(text) or may_sound(text)


def _has_a_word(line: str) -> bool:
    small = line.lower()
    for word in _WORDS:
        if word in small:
            return True
    return ("E" in line or "SIG" in line or "[s" in line or "sqlS" in line) and _NAMES.search(line) is not None


_EMPTY_ERROR = re.compile(r"\w+: ?(?:0|null|none|None|nil|undefined|false|\[\]|''|\"\")\s*[,;.]?\s*\Z")


def _is_about_nothing(own: str) -> bool:
    """``error: null`` is a member of an object, not an error."""
    return _EMPTY_ERROR.match(own) is not None
