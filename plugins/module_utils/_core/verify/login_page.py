# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a web page is there to log in at, which many applications answer with 200 when they should show something else. Pure.

It asks for the password that somebody has, or for an address to send a link to, and says so; or it sends to a page that does. A password of something
else (of a mail server, a new one, one to confirm) is none, nor is a field in the head of a page that shows something. A page that only a script
fills says nothing: nobody sees from here what it becomes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.html import tags

_LOOKED_AT = 200_000  # characters of a page
_DEEPEST = 100  # elements in each other of which it is kept in mind that they are open
_SHORT = 600  # characters that a page shows which is there for one thing
_BESIDE = (
    "nav",
    "header",
    "aside",
    "dialog",
    "noscript",
    "footer",
    "svg",
    "template",
)  # what is in these is not what the page is for
_UNSEEN = ("script", "style", "title", "head", "svg", "noscript", "template", "option")
_WORDS_OF = ("h1", "h2", "h3", "legend", "button", "a", "label", "p")

_LOG_IN = (
    r"(?:log|sign)[ -]?(?:in|on)|log[ -]?into|single sign[ -]?on|se connecter|connectez-vous"
    r"|connexion|(?:s['\u2019])?identifi(?:er|cation)|authenti(?:fication|cation|cate)"
    r"|anmeld(?:en|ung)|einloggen|iniciar sesi[o\u00f3]n|inicio de sesi[o\u00f3]n|acceder"
    r"|accedi|accesso|entrar|iniciar sess[a\u00e3]o|inloggen|aanmelden|logga in|log ind"
    r"|logg inn|kirjaudu(?: sis\u00e4\u00e4n)?|zaloguj(?: si\u0119)?"
    r"|logowanie|p\u0159ihl\u00e1\u0161en\u00ed|p\u0159ihl\u00e1sit(?: se)?|bejelentkez\u00e9s|autentificare|giri\u015f(?: yap)?"
    r"|\u0432\u0445\u043e\u0434|\u0432\u043e\u0439\u0442\u0438|\u30ed\u30b0\u30a4\u30f3|\u767b\u5f55|\u767b\u5165|\ub85c\uadf8\uc778"
)
# A title, or a part of it, that is nothing else; a heading or a button may say with what, and to what.
_IS_LOGIN = re.compile(
    r"(?:please )?(?:%s)(?: page| required| again| to (?:your account|continue|\w+(?: \w+)?)| (?:\u00e0|a|bei|zu) [A-Z]\w+)?[.!]?"
    r"|(?:your )?session (?:has )?(?:expired|timed out)"
    % _LOG_IN, re.IGNORECASE
)  # fmt: skip
_PARTS = re.compile(r"\s*[|\u00b7\u2022:\u00bb\u2013\u2014]\s*|\s+-\s+")
_ASKS = re.compile(
    r"(?:please |you (?:must|need to|have to) |veuillez (?:vous )?)?(?:%s)\b.{0,40}|.{0,60}(?:magic|sign-?in|login) link.{0,40}"
    r"|(?:e-?mail|send) me (?:a|the) (?:link|code).{0,40}|continue with (?:google|e-?mail|sso|passkey).{0,20}" % _LOG_IN,
    re.IGNORECASE,
)  # fmt: skip
_WITHOUT_FORM = re.compile(r"passkey|sso|continue with", re.IGNORECASE)
_TO_LOGIN = re.compile(
    r"(?:^|[/?&=_-])(?:log[_-]?in|log[_-]?on|sign[_-]?in|signin|connexion|auth|authorize|oauth2?|sso|sessions?/new|session)(?=$|[/?&#_.-])",
    re.IGNORECASE,
)
_SENDS = re.compile(
    r"\blocation(?:\.href)?\s{0,3}=\s{0,3}[\"'`]([^\"'`\n]{1,300})|\blocation\.(?:replace|assign)\(\s{0,3}[\"'`]([^\"'`\n]{1,300})"
)
_REFRESHES = re.compile(r"\burl\s{0,3}=\s{0,3}['\"]?([^'\"]{1,300})", re.IGNORECASE)
_ABOUT_ELSE = re.compile(
    r"\b(?:settings|account|profile|dashboard|preferences|administration of|new|edit|create|change|reset|forgot|register|sign[ -]?up|api keys?|data sources?"
    r"|history|activity|param\u00e8tres|r\u00e9glages|profil|tableau de bord|inscription|einstellungen|konto)\b", re.IGNORECASE
)  # fmt: skip
# What the name of a field for the password that one logs in with is made of.
_OWN = frozenset(("password", "passwd", "pass", "pwd", "p", "j", "user", "login", "session", "account", "log", "in", "auth", "sign", "signin", "pw", "passwort",
                  "secret", "key", "txt", "input", "field", "form", "member", "username", "kennwort", "mot",
                  "de", "passe", "mdp", "contrasena", "senha"))  # fmt: skip
_TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_WHO = re.compile(r"user|e-?mail|login|ident|account|name|phone", re.IGNORECASE)


class _Page:
    """What a page has that tells what it is for: its title, forms, headings and buttons, and how much it shows."""

    def __init__(self, text: str) -> None:
        self.title, self.sent_to, self.shown = "", "", 0
        self.words: list[str] = []
        self.forms = [_Form()]
        self._open: list[str] = []
        self._text = text[:_LOOKED_AT]
        before = 0
        for tag, attributes, start, end in tags(self._text):
            self._show(before, start)
            before = end
            self._take(tag, attributes, end)

    def _show(self, start: int, end: int) -> None:
        if not any(tag in _UNSEEN for tag in self._open):
            self.shown += len(" ".join(self._text[start:end].split()))

    def _take(self, tag: str, attributes: Mapping[str, str], end: int) -> None:
        if tag[0] == "/":
            if tag[1:] in self._open:
                while self._open.pop() != tag[1:]:
                    pass
            return
        if (tag in _BESIDE or tag in _UNSEEN) and len(self._open) < _DEEPEST:
            self._open.append(tag)
        if tag == "title" and not self.title and "svg" not in self._open:
            self.title = self._until_tag(end)
        elif tag == "script":
            found = _SENDS.search(self._text, end, min(end + 5000, len(self._text)))
            self.sent_to = self.sent_to or (found and (found[1] or found[2])) or ""
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            found = _REFRESHES.search(attributes.get("content", ""))
            self.sent_to = self.sent_to or (found[1] if found else "")
        elif not any(tag in _BESIDE for tag in self._open):
            self._take_content(tag, attributes, end)

    def _take_content(self, tag: str, attributes: Mapping[str, str], end: int) -> None:
        if tag == "form":
            self.forms.append(_Form(" ".join(attributes.get(name, "") for name in ("action", "id", "class", "name"))))
        elif tag == "input":
            self.forms[-1].add(attributes)
        elif tag in _WORDS_OF and len(self.words) < 50:
            self.words.append(self._until_tag(end))

    def _until_tag(self, at: int) -> str:
        end = self._text.find("<", at)
        return " ".join(self._text[at : at + 200 if end < 0 else min(end, at + 200)].split())


class _Form:
    def __init__(self, called: str = "") -> None:
        self.called, self.who = called, False
        self.passwords: list[tuple[str, str]] = []

    def add(self, attributes: Mapping[str, str]) -> None:
        """Take an input that is seen, and may be filled in."""
        kind, use = attributes.get("type", "text").lower(), attributes.get("autocomplete", "").lower()
        hidden = (
            kind == "hidden" or "hidden" in attributes or "display:none" in attributes.get("style", "").replace(" ", "")
        )
        if hidden or "readonly" in attributes or "disabled" in attributes:
            return
        if kind == "password" or use in ("current-password", "new-password"):
            self.passwords.append((use, attributes.get("name") or attributes.get("id") or ""))
        elif kind == "email" or (
            kind in ("text", "tel") and (_WHO.search(attributes.get("name", "")) or use in ("username", "email"))
        ):
            self.who = True

    @property
    def asks_for_a_password(self) -> bool:
        """Whether it has one field for a password, which is the one that somebody logs in with."""
        if len(self.passwords) != 1:
            return False
        ((use, name),) = self.passwords
        return use == "current-password" or (
            use != "new-password" and all(token.lower() in _OWN for token in _TOKENS.findall(name))
        )

    @property
    def is_for_login(self) -> bool:
        """Whether it is called so."""
        return any(_TO_LOGIN.search(word) for word in self.called.split())


def asks_to_log_in(text: str) -> bool:
    """Whether a web page is there to log in at: it has a form for it, its title says nothing else, or it sends to such a page."""
    page = _Page(text)
    if page.sent_to and _TO_LOGIN.search(page.sent_to) and page.shown < _SHORT:
        return True
    is_login = any(_IS_LOGIN.fullmatch(part) for part in _PARTS.split(page.title))
    if not is_login and _ABOUT_ELSE.search(page.title):
        return False
    passwords = [form for form in page.forms if form.passwords]
    if is_login or any(form.asks_for_a_password for form in passwords):
        return not passwords or any(form.asks_for_a_password for form in passwords)
    called = any(form.is_for_login and form.who and not form.passwords for form in page.forms)
    says = page.shown < _SHORT and any(_ASKS.fullmatch(words) for words in page.words) and not passwords
    return called or (says and (len(page.forms) > 1 or any(_WITHOUT_FORM.search(words) for words in page.words)))
