# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other programs wrote, without what looks like a secret: logs, and the bodies of answers. Pure.

It is the last resort, for secrets that nobody has named; values that are known are masked by ``_http.judge.without``. Give it what has
gone through ``_foreign``: a control character inside a name would hide it. No expression here takes more than linear time.
"""

from __future__ import annotations

import re

MASK = "********"

# A value ends with its quote (which may be escaped, as in JSON inside JSON; one that never ends, with the text). Without quotes it ends at a
# blank, or at a comma, semicolon, ampersand, bracket or quote behind which another member begins.
_VALUE = (
    r"(?:(?P<quote>\\{0,4}[\"'])(?:(?!(?P=quote)).)*(?P=quote)?"
    r"|(?:[^\s,;&\"'}\])]|[,;&\"'}\])](?![\s\"':;,}\])=&]|[\w.-]{0,40}[\"']?\s?[:=]|$))+)"
)
_QUOTED_OR_WORD = r"(?:(?P<quote>[\"'])(?:(?!(?P=quote)).)*(?P=quote)?|\S+)"
_NAME = (
    r"(?:pass(?:word|wd|phrase|code)(?:[_-]?(?:hash|digest))?|passwort|mot de passe|contrase.a|(?<![A-Za-z])(?:db)?pass(?!\W{1,6}\d)"
    r"|(?<![A-Za-z])pwd|secret|token"
    r"|api[_. -]?key|access[_. -]?key(?:[_-]?id)?|private[_ -]?key|secret[_-]?key|encryption[_-]?key|credentials?|signature"
    r"|session(?:[_-]?(?:id|key))?|sess(?:ion)?id|\bsid|otp)"
)
_ASSIGNED = r"[\"'\\]{0,5}(?: (?:is|was))?\s{0,4}(?:[:=-]?=?>|:=|==|[:=]|%3[ad]|\\u003[ad])\s{0,4}"
# After "password is …" these tell of the password, and are none.
_NO_VALUE = (
    r"(?!(?:a|an|the|in|no|not|too|being|required|missing|invalid|incorrect|wrong|empty|expired|weak|null|none|undefined|un(?:known|set)"
    r"|set|correct|ok|valid|short(?:er)?|long(?:er)?|blank|needed|malformed|mandatory|rejected|refused|revoked|different|only|already|used"
    r"|about|it|that|this|now|still|never|always|out|of|for|from|stored|hashed|encrypted|masked|hidden|safe|kept)\b)"
)
_COOKIE = r"[^\s;,\"'=:]{1,200}=[^\s;,\"']*(?:;\s?[^\s;,\"'=]{1,200}(?:=[^\s;,\"']*)?)*"

# (words of which one must be there, in small letters; expression; what takes its place)
_SECRETS = (
    (
        ("-----begin",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END).)*(?:-----END [A-Z0-9 ]{0,40}-----)?",
        "-----BEGIN PRIVATE KEY----- " + MASK,
    ),
    (("eyj",), r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*", MASK),
    # A login in a URL ends with the last @ before a slash; with a slash in the password too, unless it is host:port.
    (("@",), r"(://)[^\s/\"'<>]{0,500}@", r"\1" + MASK + "@"),
    (("@",), r"(://)[^\s:/@\"'<>]{0,100}:(?!\d{1,5}(?:[/?#\s]|$))[^\s\"'<>]{0,500}@", r"\1" + MASK + "@"),
    (
        ("authorization",),
        r"(authorization%s(?:\[\s?)?)(?:(?:digest|aws4-hmac-sha256)\s.*|(?:[A-Za-z]{3,12}\s+(?=[^\s]))?(?:%s))" % (_ASSIGNED, _VALUE),
        r"\1" + MASK,
    ),
    (("bearer",), r"\b(bearer\s+)(?=[A-Za-z._~+/=-]{0,200}[\d=])[\w.~+/=-]{8,}", r"\1" + MASK),
    (("basic",), r"\b(basic\s+)(?=[A-Za-z+/]{0,200}[\d=])[A-Za-z0-9+/=]{8,}", r"\1" + MASK),
    (("cookie",), r"(\bcookies?2?[\"'\\]{1,5}\s?:\s?\[)[^\]]*", r"\1" + MASK),
    # A list of them may be in one line, with the commas of their dates.
    (("set-cookie",), r"(\bset-cookie%s[\"']?)(?!\[)[^\"']+" % _ASSIGNED, r"\1" + MASK),
    (("cookie",), r"(\bcookie%s(?P<open>\\{0,4}[\"'])?)(?:%s)" % (_ASSIGNED, _COOKIE), r"\1" + MASK),
    (("rejected value",), r"((?:pass|secret|token|key)\w{0,40}['\"]: rejected value )\[[^\]]*\]", r"\1" + MASK),
    (("pass", "pwd", "contrase", "secret", "token", "key", "credential", "signature", "sess", "sid", "otp"),
     r"(%s%s)(?:%s)" % (_NAME, _ASSIGNED, _VALUE), r"\1" + MASK),
    (("pass", "pwd", "secret", "token", "key"),
     r"\b((?:password|passwd|passwort|pwd|passphrase|passcode|secret|token|api key)(?: \w{1,40}){0,4}? (?:is|was|=) ?)%s(?:%s)" % (
         _NO_VALUE, _QUOTED_OR_WORD), r"\1" + MASK),
    (("password",), r"(\b(?:with |the |wrong |by )?password )(?:'[^']+'|\"[^\"]+\")", r"\1" + MASK),
    (("token", "session"), r"\b((?:token|session(?: id)?) )(?=[\w~+=-]{0,200}\d)[\w.~+/=-]{12,}", r"\1" + MASK),
    (("pass", "secret", "token", "key"), r"((?<![\w-])--?%s )%s" % (_NAME, r"(?:[\"'][^\"']*[\"']?|[^\s-]\S*)"), r"\1" + MASK),
    (("-u ", "--user "), r"(\s(?:-u|--user) [^\s:/]{1,100}:)\S+", r"\1" + MASK),
    (("pass", "secret", "token", "key"), r"(<[^<>/\s]{0,40}%s[^<>]{0,100}>)[^<]+" % _NAME, r"\1" + MASK),
    (("pass", "secret", "token", "key"),
     r"(\b(?:name|key)[\"'\\]{1,5}\s?:\s?[\"'\\]{1,5}[^\s\"']{0,40}%s[^\s\"']{0,40}[\"'\\]{1,5}\s?,\s?[\"'\\]{1,5}value[\"'\\]{1,5}\s?:\s?)(?:%s)" % (
         _NAME, _VALUE), r"\1" + MASK),
    (("akia", "asia"), r"\b(AKIA|ASIA)[A-Z0-9]{16}\b", r"\1" + MASK),
    # A secret access key: 40 characters of base64 of every sort, which a hash or a path is not.
    (
        (),
        r"(?<![\w/+=.-])(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}[0-9])[A-Za-z0-9/+]{40}(?![\w/+=.-])",
        MASK,
    ),
    (("sg.", "whsec_", "sk-", "npm_", "aiza"), r"\b(SG\.|whsec_|sk-(?:proj-|ant-)?|npm_|AIza)(?=[\w.-]{0,200}\d)[\w.-]{16,}", r"\1" + MASK),
    (("_live_", "_test_"), r"\b([sr]k_(?:live|test)_)\w+", r"\1" + MASK),
    (("gh", "github_pat_", "glpat-", "xox"), r"\b(gh[pousr]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{10,}", r"\1" + MASK),
)  # fmt: skip
_CASE = ("eyj", "akia", "_live_")
_RULES = tuple(
    (words, re.compile(pattern, re.DOTALL | (0 if not words or words[0] in _CASE else re.IGNORECASE)), replacement)
    for words, pattern, replacement in _SECRETS
)


_HINT = re.compile("|".join(sorted({re.escape(word) for words, _pattern, _replacement in _RULES for word in words})))
_ALWAYS = tuple(rule for rule in _RULES if not rule[0])


def without_secrets(text):
    """A text without what looks like a password, token, key, cookie or session, or like the login in a URL."""
    small = text.lower()
    for words, pattern, replacement in _RULES if _HINT.search(small) else _ALWAYS:  # most lines have no word of any
        if not words or any(word in small for word in words):
            text = pattern.sub(replacement, text)
    return text
