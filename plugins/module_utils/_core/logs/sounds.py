# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines without a level sound like errors, by their words. Pure.

Nobody can read them, so they are no errors; but they keep silence from being good news. A word counts where it is one of its own, and no part of a
name; what says that there was none, what a level is set to and what is done in case of one do not.
"""

from __future__ import annotations

import re

# What a word is when these follow it: "error handler", "error rate is 0", "log level".
COMPOUND = re.compile(
    r"\s+(?:level|rate|ratio|count|budget|boundary|handler|handling|page|pages|report|reporting|reporter|track|tracking|tracker|monitor\w*|log|logs"
    r"|logger|logging|code|codes|class|classes|filter|interceptor|middleware|metric|metrics|queue|topic|channel|threshold|template|module|service"
    r"|response|event|listener|hook|mode|messages?|routes?|server|client|request|port|endpoint|file|free|for|of|is|was|are|mails?|pool)s?\b"
)
# What sounds like an error, in the languages that applications are written in. Where a line has no level, it keeps silence from being good news.
# It must be a word of its own, and no part of a name (payment-failed, error.log), or end the name of a class.
_SOUNDS = re.compile(
    r"(?<![\w./@+`'-])(?i:(?<!0 )\d+ errors|error|exception|fatal|crash(?:ed|es)|panic(?:ked)?|refused|denied|unable|cannot|can't|can\u2019t"
    r"|could not|couldn't|timed out"
    r"|aborted|corrupt(?:ed)?|unavailable|exceeded|unexpected(?:ly)?|died|segfault|no such|not found|went wrong|out of memory|disk full|boom"
    r"|unreachable|rejected"
    r"|(?:is |are )?(?:missing|invalid)(?=$|[.!:;,])|is not set|is required|is down|bad gateway|too many|disconnected|violates|terminating"
    r"|has expired|(?:key|token|certificate|licen[cs]e|credentials?) expired|lost connection|(?:is|are|was|were) lost|giving up|gave up|no response"
    r"|must be (?:set|defined|provided)|(?:missing|invalid) (?:required|environment|config\w*)|does(?: not|n't) exist|not allowed"
    r"|failed(?=$|[.!:;,(]| (?:to|with|because|due|after|while|for|at|on|in|during)\b)|fail(?:s|ing|ure)(?=$|[.!:;,]))(?![\w/-]|\.\w)(?!%s)"
    r"|(?<![\w./@+`'-])(?!On)[A-Z]\w{0,60}(?:Error|Exception)(?=[:(!]|\s|$)"
    r"|(?i:erreur|\u00e9chec|\u00e9chou|impossible|indisponible|refus\u00e9|fehler|fehlgeschlagen|ung\u00fcltig|verweigert|abgelehnt|nicht gefunden"
    r"|\bfallo\b|fall\u00f3"
    r"|no se pudo|fallit|impossibile|falha|falhou|n\u00e3o foi poss|\bfout|mislukt|b\u0142\u0105d|nie uda\u0142o|misslyck|\bfejl|\bvirhe"
    r"|ep\u00e4onnistu|\bhata\b"
    r"|ba\u015far\u0131s\u0131z|chyba|selhal|\bhiba\b|eroare|\u043e\u0448\u0438\u0431\u043a|\u043d\u0435 \u0443\u0434\u0430\u043b\u043e\u0441\u044c"
    r"|\u0441\u0431\u043e\u0439"
    r"|\u03c3\u03c6\u03ac\u03bb\u03bc\u03b1|\u9519\u8bef|\u932f\u8aa4|\u5931\u8d25|\u5931\u6557|\u5f02\u5e38|\u30a8\u30e9\u30fc|\uc624\ub958"
    r"|\uc2e4\ud328|\u062e\u0637\u0623"
    r"|\u05e9\u05d2\u05d9\u05d0|l\u1ed7i|kesalahan|gagal)" % COMPOUND.pattern
)
# A statement of SQL that is printed names columns and tables, whatever they are called.
_STATEMENT = re.compile(
    r"\W{0,3}(?:[\w.-]{1,40}: |\S{1,40} \S{1,40} )?(?:insert into|select|update [\w.\"`]{1,80} set|delete from|(?:create|alter|drop) (?:table|index))\b",
    re.IGNORECASE,
)
# That there was none, what a level or a limit is set to, and what is done in case of one.
_OF_NOTHING = re.compile(
    r"(?i:\b(?:0|no|zero|none|without(?: any)?|any|on|if(?: the)?|when|for|of|from|after|ignor\w{0,4}|handl\w{0,4}|retry(?: on)?|checking|import"
    r"|report|writing|killed) "
    r"(?:\w{1,40} )?(?:error|failure|failed|exception|fail|timeout|abort|processes|not found)\w*"
    r"|\b[\w.]{0,60}(?:error|fail|exception|timeout|fatal|panic|denied|refused|abort)\w*(?: [a-z]{1,20}){0,2}[\"']?\s?[:=(]{1,2}\s?(?:0|none|null|nil"
    r"|no|off|false|\[\]|\{\}|\"\"|'')(?!\w)"
    r"|\b\w{0,40}(?:level|severity|threshold|loglevel)\b.{0,40}"
    r"|\b(?:error|exception)\w{0,3} (?:mapper|formatter|namespace|bar|budget|controller|route|type|name|id|text|title|screen|view|template|event"
    r"|registered)\w{0,3}\b)"
    r"|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|`[^`\n]{0,200}`"
)
# fmt: off
_MAY_SOUND = (  # one of these, or of the words that forms of errors have, is in every line in ASCII that sounds so
    "boom", "disk full", "lost", "unreach", "reject", "invalid", "is required", "is down", "gateway", "too many", "disconnect", "violat", "expired",
    "unavail", "abort", "corrupt", "indispon", "verweigert", "abgelehnt", "fallit", "falha", "falhou", "no se pudo", "mislukt", "misslyck", "fejl", "virhe",
    "unable", "not found", "not allowed", "gefunden", "hata", "chyba", "selhal", "hiba", "eroare", "kesalahan", "gagal", "wrong", "died", "segfault",
    "fehl", "imposs", "giving up", "gave up", "no response", "must be", "missing", "not exist", "n't exist",
)
# fmt: on


def sounds_like_an_error(line: str, has_a_word: bool = False) -> bool:
    """Whether a line has a word that people use for errors, and not to say that there are none.

    :param has_a_word: whether one of the words is known to be in it that forms of errors have.
    """
    if not has_a_word and line.isascii() and not may_sound(line):
        return False
    if _SOUNDS.search(line) is None or _STATEMENT.match(line):
        return False
    return _SOUNDS.search(_OF_NOTHING.sub(" ", line)) is not None


def may_sound(line: str) -> bool:
    """Whether a line in ASCII has one of the words without which none sounds like an error."""
    small = line.lower()
    return any(word in small for word in _MAY_SOUND)
