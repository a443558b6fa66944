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
    r"(?:(?P<quote>\\{0,4}(?:\"\"\"(?=[^\"])|[\"']))(?:(?!(?P=quote)).)*(?P=quote)?"
    r"|(?:[^\s,;&\"'}\])]|[,;&\"'}\])](?![\s\"':;,}\])=&]|[\w.-]{0,40}[\"']?\s?[:=]|$))+)"
)
_QUOTED_OR_WORD = r"(?:(?P<quote>[\"'])(?:(?!(?P=quote)).)*(?P=quote)?|\S+)"
_NAME = (
    r"(?:pass(?:[_-]?word|wd|phrase|code)(?:[_-]?(?:hash|digest|confirm(?:ation)?|repeat(?:ed)?|again|old|new))?|passwort|kennwort|mot[_ ]de[_ ]passe"
    r"|contrase.a|senha|(?<![A-Za-z])(?:pw|mdp|jwt)(?![A-Za-z])"
    r"|wachtwoord|l\u00f6senord|has\u0142o|parola|salasana|\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u30d1\u30b9\u30ef\u30fc\u30c9"
    r"|(?<![A-Za-z])(?:db)?pass(?!\W{1,6}\d)"
    r"|(?<![A-Za-z])pwd|secret|token"
    r"|api[_. -]?key|access[_. -]?key(?:[_-]?id)?|private[_ -]?key|secret[_-]?key(?:[_-]?base)?"
    r"|(?:encryption|account|shared|storage|master|signing|license|jwt|webhook)[_-]?key|credentials?|signature|samlresponse"
    r"|session(?:[_-]?(?:id|key))?|sess(?:ion)?id|\bsid|otp|(?:recovery|backup|scratch)[_-]?codes?)"
)
# Names and values may stand in quotes, in the brackets of print_r, and in HTML, where all of these are entities.
_QUOTE_IN_HTML = r"(?:&(?:quot|apos|#3[49]|#x2[27]);)"
_ASSIGNED = (
    r"(?:[\"'\\\])]|%s){0,5}(?: (?:is|was))?\s{0,4}(?:[:=-]=?>|:=|:-|==|[:=]|%%3[ad]|\\u003[ad]|&(?:#61|#x3d|equals|colon|#58|#x3a);)\s{0,4}%s?"
    % (_QUOTE_IN_HTML, _QUOTE_IN_HTML)
)
# What a message says of a secret behind a colon is none: "token: expired".
_NO_SECRET = (
    r"(?![\s(\[<{]{0,2}(?:required|missing|expected|filtered|redacted|hidden|masked|nil"
    r"|invalid|incorrect|wrong|empty|expired|weak|null|none|undefined|unknown|too (?:short|long|weak)|not \w+|must \w+"
    r"|cannot \w+|true|false)"
    r"(?![\w-]|\.\w))"
)
# After "password is …" these tell of the password, and are none.
_NO_VALUE = (
    r"(?!(?:a|an|the|in|no|not|too|being|required|missing|invalid|incorrect|wrong|empty|expired|weak|null|none|undefined|un(?:known|set)"
    r"|set|correct|ok|valid|short(?:er)?|long(?:er)?|blank|needed|malformed|mandatory|rejected|refused|revoked|different|only|already|used"
    r"|about|it|that|this|now|still|never|always|out|of|for|from|stored|hashed|encrypted|masked|hidden|safe|kept)\b)"
)
_COOKIE = r"[^\s;,\"'=:]{1,200}=[^\s;,\"']*(?:;\s?[^\s;,\"'=]{1,200}(?:=[^\s;,\"']*)?)*"

_NAMED = (  # one of these, in small letters, is in every name
    "pass", "pwd", "pw", "mdp", "contrase", "secret", "token", "key", "credential", "signature", "sess", "sid", "otp", "jwt", "saml", "code", "kennwort",
    "senha", "wachtwoord", "senord", "has\u0142o", "parola", "salasana", "\u043f\u0430\u0440\u043e\u043b\u044c", "\u5bc6\u7801",
    "\u30d1\u30b9\u30ef\u30fc\u30c9", "mot de passe", "mot_de_passe",
)  # fmt: skip

# (words of which one must be there, in small letters; expression; what takes its place)
_SECRETS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("-----begin",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END).)*(?:-----END [A-Z0-9 ]{0,40}-----)?",
        "-----BEGIN PRIVATE KEY----- " + MASK,
    ),
    (("eyj",), r"\beyJ[\w-]{10,}(?:\.[\w-]*)*", MASK),
    # A login in a URL ends with the last @ before a slash; with a slash in the password too, unless it is host:port.
    (("@",), r"(://)[^\s/\"'<>]{0,500}@", r"\1" + MASK + "@"),
    (("@",), r"(://)[^\s:/@\"'<>]{0,100}:(?!\d{1,5}(?:[/?#\s]|$))[^\s\"'<>]{0,500}@", r"\1" + MASK + "@"),
    # Without a scheme, and with a blank in the password.
    (("@",), r"((?<![\w/.:@-])(?!(?:mailto|sip|xmpp|acct|npm|git|file|workspace|patch|https?):)(?://)?[\w.-]{1,60}:)"
     r"[^\s:/@\"'<>,;]{1,200}@(?=[\w.-]{1,200}(?::\d|/)|tcp\()",
     r"\1" + MASK + "@"),
    (("@",), r"(://[^\s:/@\"'<>]{1,100}:)(?!\d{1,5}\b)[^@/\"'<>]{1,60}@(?=[\w.-]{1,200}[:/])", r"\1" + MASK + "@"),
    ((":thin:",), r"(:thin:[^\s/@]{1,60}/)[^\s@]{1,200}@", r"\1" + MASK + "@"),
    (
        ("authorization",),
        r"(authorization%s(?:\[\s?)?)(?:(?:digest|aws4-hmac-sha256)\s.*|(?:[A-Za-z]{3,12}\s+(?=[^\s]))?(?:%s))" % (_ASSIGNED, _VALUE),
        r"\1" + MASK,
    ),
    (("bearer",), r"\b(bearer:?\s+)(?:(?=[A-Za-z._~+/=-]{0,200}[\d=])[\w.~+/=-]{8,}|[\w.~+/=-]{24,})", r"\1" + MASK),
    (("basic",), r"\b(basic\s+)(?=[A-Za-z+/]{0,200}[\d=])[A-Za-z0-9+/=]{8,}", r"\1" + MASK),
    (("cookie",), r"(\bcookies?2?[\"'\\]{1,5}\s?:\s?\[)[^\]]*", r"\1" + MASK),
    # A list of them may be in one line, with the commas of their dates.
    (("set-cookie",), r"(\bset-cookie%s[\"']?)(?!\[)[^\"']+" % _ASSIGNED, r"\1" + MASK),
    (("cookie",), r"(\bcookie%s(?P<open>\\{0,4}[\"'])?)(?:%s)" % (_ASSIGNED, _COOKIE), r"\1" + MASK),
    (("failing row contains",), r"(failing row contains \()[^)]*", r"\1" + MASK),
    (("provided ",), r"(argument `[^`]{0,60}(?:pass|secret|token|key)[^`]{0,60}`: .{0,200}?\bprovided )\S+", r"\1" + MASK),
    (("auth ",), r"(?-i:(\bAUTH (?:PLAIN|LOGIN|XOAUTH2|CRAM-MD5) )[A-Za-z0-9+/=]{8,})", r"\1" + MASK),
    (("pbkdf2", "scrypt:"), r"\b(pbkdf2\w{0,20}[$:]|scrypt:)[\w:$./+=-]{8,}", r"\1" + MASK),
    # The address that a mail takes somebody to, to prove who they are.
    (("reset", "magic", "invit", "confirm", "verify"),
     r"(/(?:[\w-]{0,30}-)?(?:reset|magic|invit(?:e|ation)|confirm|verify)[\w-]{0,20}/)(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Za-z])[\w-]{16,}",
     r"\1" + MASK),
    (("code ",), r"(\b(?:your|verification|login|security|one-time|confirmation) code(?: is|:)? )\d{4,8}\b", r"\1" + MASK),
    (("pin", "cvc", "cvv"), r"((?<![A-Za-z])(?:pin[\"']\s?:\s?[\"'](?=\d{4})|cv[cv]2?[\"']?\s?[:=]\s?[\"']?))\d{3,8}\b", r"\1" + MASK),
    (("number",), r"(number[\"']?\s?[:=]\s?[\"']?)\d{13,19}\b", r"\1" + MASK),
    (('"d"', '"p"', '"q"', '"k"', '"qi"'), r"(\"(?:d|p|q|dp|dq|qi|k)\"\s?:\s?\")[\w-]{22,}", r"\1" + MASK),
    (("form-data",), r"(form-data;\s?name=[\"']?[^\"'\s;]{0,40}%s[^\"'\s;]{0,40}[\"']?\s{1,6})\S+" % _NAME, r"\1" + MASK),
    # Beside its name in a row of a table, in a list and in a tuple of Erlang.
    (("</t",), r"(%s\s{0,3}</t[dh]>(?:\s{0,3}<[^<>]{1,100}>){1,4}\s{0,3})[^<\s][^<]*" % _NAME, r"\1" + MASK),
    ((',"', ", \"", ",<<", ", <<", ",'", ", '"), r"(\{[\w.-]{0,30}%s\s?,\s?(?:<<)?[\"'])[^\"']+" % _NAME, r"\1" + MASK),
    (('","', '", "', "','", "', '"),
     r"(%s[\"']\s?,\s?[\"'])(?=[^\"']{0,200}\d)(?=[^\"']{0,200}[A-Za-z])[^\"']{8,}" % _NAME, r"\1" + MASK),
    (("rejected value",), r"((?:pass|secret|token|key)\w{0,40}['\"]: rejected value )\[[^\]]*\]", r"\1" + MASK),
    # An object under such a name.
    (("password", "secret", "credential"), r"((?:password|secret|credentials?)[\"'\\]{1,5}\s?:\s?\{)[^{}]{1,2000}", r"\1" + MASK),
    (("&quot;", "&apos;", "&#3", "&#x2"),
     r"(%s%s\s?(?:=>|[:=])\s?(?P<entity>%s))(?:(?!(?P=entity)).)+" % (_NAME, _QUOTE_IN_HTML, _QUOTE_IN_HTML), r"\1" + MASK),
    (_NAMED,
     r"(?<!unexpected )(?<!no such )(%s%s)%s(?:%s)" % (_NAME, _ASSIGNED, _NO_SECRET, _VALUE), r"\1" + MASK),
    # A cell of a table beside its name.
    (("pass", "secret", "token", "key"),
     r"(\b(?:\w{0,40}[_-])?(?:password|passwd|passphrase|secret|token|api[_-]?key)(?:\s{2,40}|\s?\|\s{0,40}|,))"
     r"(?=[^\s|,)]{0,200}\d)(?=[^\s|,)]{0,200}[A-Za-z])[^\s|,)]{6,}",
     r"\1" + MASK),
    (("pass", "pwd", "secret", "token", "key"),
     r"\b((?:password|passwd|passwort|pwd|passphrase|passcode)(?: \w{1,40}){0,4}? (?:is\b|was\b|=) ?)%s(?:%s)" % (_NO_VALUE, _QUOTED_OR_WORD), r"\1" + MASK),
    (("secret", "token", "key"),
     r"\b((?:secret|token|api key)(?: \w{1,40}){0,4}? (?:is\b|was\b|=) ?)(?:'[^']+'|\"[^\"]+\"|(?=\S{0,200}\d)(?=\S{0,200}[A-Za-z])\S{6,})", r"\1" + MASK),
    (("pass",), r"(\b(?:with |the |wrong |by )?password )(?:'[^']+'|\"[^\"]+\")", r"\1" + MASK),
    (("pass",),
     r"(\b(?:pass(?:word|wd|phrase|code|wort)|mot de passe)(?: for(?: \w{1,40}){1,3}:)? [(\[]?)(?=[^\s)\]]{0,200}\d)"
     r"(?=[^\s)\]]{0,200}[A-Za-z])[^\s()\[\]:=]{8,}", r"\1" + MASK),
    # What a URL is signed with, or a login hands over in it.
    (("auth=", "key=", "sig=", "hmac=", "code=", "verifier="),
     r"((?:[?&](?:auth|key|sig|code)|(?<![\w-])(?:hmac|oauth_verifier))=)(?=[^\s&\"'<>]{0,200}\d)[^\s&\"'<>]{6,}", r"\1" + MASK),
    (("token", "session", "cookie"),
     r"\b((?:token|session(?: id)?|(?:auth|session)[_ ]cookie) )(?=[\w~+=-]{0,200}\d)(?=[\w~+=-]{0,200}[A-Za-z])[\w.~+/=-]{8,}", r"\1" + MASK),
    (("sess:",), r"(\bsess:)[\w.-]{8,}", r"\1" + MASK),
    (("sshpass ", "redis-cli", "mysql", "mariadb"),
     r"(\b(?:sshpass -p|redis-cli (?:[^\n|]{0,200} )?-a|(?:mysql|mariadb)\w* (?:[^\n|]{0,200} )?-p) ?)(?=\S{0,200}[\dA-Z])[^\s-]\S*", r"\1" + MASK),
    (("auth ",), r"(?-i:((?:^|[\"'>\]:] ?)AUTH (?!failed|failure|error|is|was|not|ok)(?:[a-z][\w-]{0,60} )?))(?=\S{0,200}\d)\S{8,}", r"\1" + MASK),
    (("identified by", "crypt("),
     r"((?:(?-i:\bIDENTIFIED (?:WITH \S{1,60} )?BY (?:PASSWORD )?)|\bidentified by password |\bcrypt\()['\"])[^'\"]+", r"\1" + MASK),
    # In the environment, in capitals; keys of tables and caches are none.
    (("_key", "_salt", "_auth", "_private", "salt"),
     r"(?-i:((?<![A-Z0-9_])(?:(?!PRIMARY|SORT|PARTITION|FOREIGN|CACHE|PUBLIC|UNIQUE|INDEX|HOT|SHORTCUT)[A-Z][A-Z0-9]{0,40}_){0,6}"
     r"(?:(?<=_)(?:KEYS?|AUTH|PRIVATE)|SALT)[\"'\]]{0,2}\s?(?:=>|=)\s?))(?:%s)" % _VALUE,
     r"\1" + MASK),
    (_NAMED, r"((?<![\w-])--?%s )%s" % (_NAME, r"(?:[\"'][^\"']*[\"']?|[^\s-]\S*)"), r"\1" + MASK),
    (("-u ", "--user "), r"(\s(?:-u|--user) [^\s:/]{1,100}:)\S+", r"\1" + MASK),
    (_NAMED, r"(<[^<>/\s]{0,40}%s[^<>]{0,100}>)[^<]+" % _NAME, r"\1" + MASK),
    (_NAMED,
     r"(\b(?:name|key|field|path|param)[\"'\\]{1,5}\s?:\s?[\"'\\]{1,5}[^\s\"']{0,40}%s[^\s\"']{0,40}[\"'\\]{1,5}\s?,\s?[\"'\\]{1,5}"
     r"(?:value|rejected_?value|val|input)[\"'\\]{1,5}\s?:\s?)(?:%s)" % (_NAME, _VALUE), r"\1" + MASK),
    (_NAMED,
     r"(\bvalue[\"'\\]{1,5}\s?:\s?)[\"'\\]{1,5}[^\"']{1,500}(?=[\"'\\]{1,5}\s?,\s?[\"'\\]{1,5}(?:name"
     r"|key)[\"'\\]{1,5}\s?:\s?[\"'\\]{1,5}[^\s\"']{0,40}%s)" % _NAME,
     r"\1\"" + MASK),
    # A field of a form, and a setting in XML: the name in one attribute, the value in another.
    (("value=", "content="),
     r"(<[^<>]{0,300}\b(?:name|id|type|key)=[\"']?[^\"'<>\s]{0,40}%s[^<>]{0,300}\b(?:value|content)=)(?:\"[^\"]*\"?|'[^']*'?|[^\s>]+)" % _NAME, r"\1" + MASK),
    (("value=", "content="),
     r"(<[^<>]{0,300}\b(?:value|content)=)(?:\"[^\"]*\"|'[^']*'|[^\s>]+)(?=[^<>]{0,300}\b(?:name|id|type|key)=[\"']?[^\"'<>\s]{0,40}%s)" % _NAME,
     r"\1" + MASK),
    (("akia", "asia"), r"\b(AKIA|ASIA)[A-Z0-9]{16}\b", r"\1" + MASK),
    # A secret access key: 40 characters of base64 of every sort, which a hash or a path is not.
    (
        (),
        r"(?<![\w/+=.-])(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}[0-9])[A-Za-z0-9/+]{40}(?![\w/+=.-])",
        MASK,
    ),
    (("$2", "$argon2", "$5$", "$6$", "$y$"), r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,}|argon2\w{0,3}\$\S+|[56y]\$\S{20,})", MASK),
    (("iqoj", "fwog", "fqog"), r"\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_-]{20,}", MASK),
    (("mii",), r"\bMII[A-Za-z0-9+/=]{20,}", MASK),
    (("age-secret-key-",), r"\bAGE-SECRET-KEY-1[A-Z0-9]+", "AGE-SECRET-KEY-" + MASK),
    (("hooks.", "webhook"), r"(\bhttps://(?:hooks\.slack\.com/(?:services|workflows)"
     r"|discord(?:app)?\.com/api/webhooks|[\w.-]{1,60}\.webhook\.office\.com/webhookb2)/)\S+",
     r"\1" + MASK),
    (("hvs.", "hvb.", "sbp_", "dp."), r"\b(hv[sbr]\.|sbp_|dp\.(?:st|pt|ct|sa)\.)[\w.-]{12,}", r"\1" + MASK),
    (("ya29.", "1//0", "hf_", "dop_v1_", "shp", "eaa", "key-", "xapp-", "pypi-", "dckr_pat_", "sntry", "lin_api_", "pat-", "glrt-", "gldt-"),
     r"\b(ya29\.|1//0|hf_|dop_v1_|shp(?:at|ss|ca|pa)_|EAA(?=\w{0,60}\d)|key-(?=[0-9a-z]{32}\b)"
     r"|xapp-|pypi-|dckr_pat_|sntry[su]_|lin_api_|gl(?:rt|dt|ptt)-)[\w.-]{12,}",
     r"\1" + MASK),
    (("sg.", "whsec_", "sk-", "npm_", "aiza"), r"\b(SG\.|whsec_|sk-(?:proj-|ant-)?|npm_|AIza)(?=[\w.-]{0,200}\d)[\w.-]{16,}", r"\1" + MASK),
    (("_live_", "_test_"), r"\b([sr]k_(?:live|test)_)\w+", r"\1" + MASK),
    (("gh", "github_pat_", "glpat-", "xox"), r"\b(gh[pousr]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{10,}", r"\1" + MASK),
)  # fmt: skip
_CASE = ("eyj", "akia", "_live_", "iqoj", "mii", "age-secret-key-", "ya29.", "$2")
_RULES = tuple(
    (words, re.compile(pattern, re.DOTALL | (0 if not words or words[0] in _CASE else re.IGNORECASE)), replacement)
    for words, pattern, replacement in _SECRETS
)


_BETWEEN = re.compile(r"[\"',< ]+")  # two members, of which one has a name that is a hint itself
_HINTS = {word for words, _pattern, _replacement in _RULES for word in words if not _BETWEEN.fullmatch(word)} | {
    *_NAMED
}
_HINT = re.compile("|".join(sorted(map(re.escape, _HINTS))))
_ALWAYS = tuple(rule for rule in _RULES if not rule[0])


# What languages write before a value: string(9), Some(, SecretStr(, new String(, b, u, &, @; and what encloses values.
_WRAPPED = re.compile(
    r"(?<!unexpected )(?<!no such )%s%s(?P<wrapped>(?:&?(?:str|string|bytes|array)\(\d{1,9}\)\s{0,6}|[&@]|[bBuUrR](?=[\"'])|(?:&|new )?\w{0,40}(?=[(\[{])"
    r"|<<(?=[\"'])|(?=<(?!/|(?:input|br|span|b|p|div|t[dhr]|pre|a|code|strong|em|label|i|u|li|ul|h\d)\b)))"
    r"(?=[\"'(\[{<]))" % (_NAME, _ASSIGNED),
    re.IGNORECASE,
)
_MAY_WRAP = re.compile(
    r"[=:>-]\s{0,5}[\"']?(?:[&@<(\[{]|[bBuUrR][\"']|(?:new )?\w{1,40}\()"
)  # in every text that _WRAPPED finds something in
_NOTHING_IN = re.compile(
    r"(?:undefined|null|nil|none|empty|redacted|hidden|masked|filtered|expected|required|missing|invalid|true|false|unset|object Object)(?: [a-z]{1,20}){0,3}",
    re.IGNORECASE,
)
_OPENS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_LONGEST_WRAPPED = 5000  # characters


def _without_wrapped(text: str) -> str:
    """A text without what is wrapped under the name of a secret: the whole of an object, a list or a call, whatever is in it."""
    told, at = [], 0
    for found in _WRAPPED.finditer(text):
        if found.start() < at or (found["wrapped"] == "" and text[found.end() : found.end() + 1] not in _OPENS):
            continue
        end = _end_of(text, found.end())
        inner = text[found.end() : end].strip("()[]{}<> \"'")
        if inner and not _NOTHING_IN.fullmatch(inner):
            told.append(text[at : found.start("wrapped")] + MASK)
            at = end
    return "".join([*told, text[at:]])


def _end_of(text: str, at: int) -> int:
    """Where what begins there ends: a quoted text, or what is in brackets, with those in it; with the text where it does not."""
    most = min(len(text), at + _LONGEST_WRAPPED)
    open_: list[str] = []
    quote, escaped = "", False
    while at < most:
        character = text[at]
        at += 1
        if quote:
            if character == quote and (escaped or text[at - 2] != "\\"):
                quote = ""
        elif character in "\"'" and (not open_ or _closes(text, at, character)):
            quote, escaped = character, text[at - 2 : at - 1] == "\\"
        elif character in _OPENS:
            open_.append(_OPENS[character])
        elif open_ and character == open_[-1]:
            open_.pop()
        if not quote and not open_:
            return at
    return most


def _closes(text: str, at: int, quote: str) -> bool:
    """Whether a quote that opens there is closed: an apostrophe in an object is none."""
    return text.find(quote, at, at + _LONGEST_WRAPPED) >= 0


def without_secrets(text: str) -> str:
    """A text without what looks like a password, token, key, cookie or session, or like the login in a URL."""
    small = text.lower()
    if not _HINT.search(small):  # most lines have no word of any
        rules = _ALWAYS
    else:
        rules = _RULES
        if _MAY_WRAP.search(text):
            text = _without_wrapped(text)
    for words, pattern, replacement in rules:
        if not words or any(word in small for word in words):
            text = pattern.sub(replacement, text)
    return text
