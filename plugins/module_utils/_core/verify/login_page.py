# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a web page is there to log in at, which many applications answer with 200 when they should show something else. Pure.

What a page asks for decides, not what it mentions: the password that somebody has, an address or a code to log in with, and nothing besides; or it
sends to a page that does, or says that nothing goes on without. A password of something else (of a mail server, a new one, one to confirm) is none,
nor is a field in the head of a page that shows something, nor a link to the login, nor a text about it. A page that only a script fills says
nothing: nobody sees from here what it becomes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.html import tags

_LOOKED_AT = 200_000  # characters of a page
_DEEPEST = 100  # elements in each other of which it is kept in mind that they are open
_SHORT, _LONG = (
    600,
    1500,
)  # characters that a page shows which is there for one thing; beyond these it is there for something else, unless it says so
_BARE, _TERSE = 40, 200  # characters that are no content, and that are no text about something
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
_HEADINGS = ("h1", "h2", "h3", "legend")
_WORDS_OF = (*_HEADINGS, "button", "label", "p")  # a link to the login is on every page

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
    r"(?:^|[/?&=_-])(?:log[_-]?in|log[_-]?on|sign[_-]?in|signin|connexion|auth|authorize|oauth2?|sso)(?=$|[/?&#_.-])|/sessions?(?:/new)?/?(?=$|[?#])",
    re.IGNORECASE,
)
_SIGNS_UP = re.compile(
    r"(?:^|[/?&=_ -])(?:sign[ _-]?up|regist\w*|create (?:an |your |my )?account|join|"
    r"s['\u2019 ]inscrire|inscription|inscris\w*|cr[e\u00e9]er (?:un|votre|mon) compte"
    r"|crear (?:una )?cuenta|konto (?:erstellen|anlegen)|registrieren|criar (?:uma )?conta|crea(?: un)? account)(?=$|[/?&#_. !-])",
    re.IGNORECASE,
)
# Nothing of the page is shown without it; a comment or a vote is a part of a page.
_MUST = re.compile(
    r"(?:you (?:must|need to|have to)|please) (?:be )?(?:logg?(?:ed)?|sign(?:ed)?)[ -]?(?:in|on)"
    r"(?! to (?:comment|reply|review|post|like|vote|download|rate|follow))\b.{0,80}"
    r"|(?:vous devez|veuillez) (?:\u00eatre connect\u00e9|vous (?:connecter|identifier))(?! pour (?:commenter|voter|r\u00e9pondre))\b.{0,80}",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?:one[_-]?time|otp|totp|2fa|mfa|code|pin|token)", re.IGNORECASE)
_ASKS_FOR_A_CODE = re.compile(
    r".{0,60}(?:code (?:we|that was|has been) sent|sent (?:you )?a code|(?:verification|security|one-time|authentication|login) code"
    r"|two[- ](?:factor|step)|\b2fa\b|code (?:\u00e0 usage unique|de v\u00e9rification|re\u00e7u)|double authentification).{0,60}", re.IGNORECASE,
)  # fmt: skip
_GREETS = re.compile(
    r"(?:welcome(?: back)?|bienvenue|willkommen|bienvenido|enter your password|mot de passe|password)\b.{0,40}",
    re.IGNORECASE,
)
_BESIDE_WHO = re.compile(
    r"remember|captcha|tenant|compan|organi[sz]|domain|realm|workspace|otp|code|pin|lang|honey|trap|csrf", re.IGNORECASE
)
_TYPED = ("text", "email", "tel", "number", "url", "date", "search", "datetime-local")
_HANDS_ON = frozenset(
    ("samlrequest", "client_id", "redirect_uri", "response_type", "relaystate")
)  # what one site gives another to log somebody in
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
                  "de", "passe", "mdp", "contrasena", "senha", "motdepasse", "clave", "wachtwoord", "haslo", "parola", "heslo", "salasana", "passord",
                  "adgangskode", "current"))  # fmt: skip
_TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_WHO = re.compile(
    r"user|e-?mail|login|ident|account|name|phone|mail|courriel|benutzer|kennung|utili[sz]a|usu[a\u00e1]rio|utente|gebruiker|kunde",
    re.IGNORECASE,
)


_NOT_OWN = ("new-password", "several")


class _Page:
    """What a page has that tells what it is for: its title, forms, headings and buttons, and how much it shows."""

    def __init__(self, text: str) -> None:
        self.title, self.sent_to, self.shown = "", "", 0
        self.words: list[str] = []
        self.headings: list[str] = []
        self.forms = [_Form()]
        self._sent_by_a_function = False
        self._open: list[str] = []
        self._text = text[:_LOOKED_AT]
        before = 0
        for tag, attributes, start, end in tags(self._text):
            self._show(before, start)
            before = end
            self._take(tag, attributes, end)

    @property
    def is_short(self) -> bool:
        """Whether it shows so little that it is there for one thing."""
        return self.shown < _SHORT

    @property
    def says_so(self) -> bool:
        """Whether a heading says that it is for logging in."""
        return any(_ASKS.fullmatch(words) for words in self.headings)

    @property
    def sends_to_login(self) -> bool:
        """Whether it sends on to a page to log in at. A function may never be called on a page that shows something."""
        called = not self._sent_by_a_function or self.shown < _BARE
        return self.is_short and called and _TO_LOGIN.search(self.sent_to) is not None

    def _show(self, start: int, end: int) -> None:
        if not any(tag in _UNSEEN for tag in self._open):
            self.shown += len(" ".join(self._text[start:end].split()))

    def _take(self, tag: str, attributes: Mapping[str, str], end: int) -> None:
        if tag[0] == "/":
            if tag[1:] in self._open:
                while self._open.pop() != tag[1:]:
                    pass
            return
        is_open = tag == "dialog" and "open" in attributes
        if (tag in _BESIDE or tag in _UNSEEN) and not is_open and len(self._open) < _DEEPEST:
            self._open.append(tag)
        if tag == "title" and not self.title and "svg" not in self._open:
            self.title = self._until_tag(end)
        elif tag == "script":
            self._take_script(end)
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            found = _REFRESHES.search(attributes.get("content", ""))
            self.sent_to = self.sent_to or (found[1] if found else "")
        elif not any(tag in _BESIDE for tag in self._open):
            self._take_content(tag, attributes, end)

    def _take_script(self, end: int) -> None:
        """Where a script sends."""
        found = _SENDS.search(self._text, end, min(end + 5000, len(self._text)))
        if found and not self.sent_to:
            before = self._text[end : found.start()]
            self.sent_to = found[1] or found[2] or ""
            self._sent_by_a_function = before.count("{") > before.count("}")

    def _take_content(self, tag: str, attributes: Mapping[str, str], end: int) -> None:
        if tag == "form":
            self.forms.append(_Form(" ".join(attributes.get(name, "") for name in ("action", "id", "class", "name"))))
        elif tag == "input":
            self.forms[-1].add(attributes)
        elif tag in _WORDS_OF and len(self.words) < 50:
            words = self._until_tag(end)
            self.words.append(words)
            if tag in _HEADINGS:
                self.headings.append(words)
            elif tag == "button":
                self.forms[-1].buttons.append(words)

    def _until_tag(self, at: int) -> str:
        end = self._text.find("<", at)
        return " ".join(self._text[at : at + 200 if end < 0 else min(end, at + 200)].split())


class _Form:
    def __init__(self, called: str = "") -> None:
        self.called, self.who, self.asks_for_a_code = called, False, False
        self.passwords: list[tuple[str, str]] = []
        self.buttons: list[str] = []
        self.typed: list[str] = []  # names of what is filled in besides passwords
        self.hidden: set[str] = set()

    def add(self, attributes: Mapping[str, str]) -> None:
        """Take an input."""
        kind, use = attributes.get("type", "text").lower(), attributes.get("autocomplete", "").lower()
        name = attributes.get("name") or attributes.get("id") or ""
        style = attributes.get("style", "").replace(" ", "")
        if kind == "hidden" or "hidden" in attributes or "display:none" in style:
            self.hidden.add(name.lower())
        elif kind == "submit":
            self.buttons.append(attributes.get("value", ""))
        elif "readonly" not in attributes and "disabled" not in attributes:
            self._add_seen(kind, use, name)

    def _add_seen(self, kind: str, use: str, name: str) -> None:
        if kind == "password" or use in ("current-password", "new-password"):
            self.passwords.append((use, name))
        elif kind in _TYPED:
            is_who = kind == "email" or _WHO.search(name) is not None or use in ("username", "email", "tel")
            self.who = self.who or (kind in ("text", "email", "tel") and is_who)
            self.asks_for_a_code = self.asks_for_a_code or use == "one-time-code" or _CODE.fullmatch(name) is not None
            self.typed.append(name)

    @property
    def asks_for_a_password(self) -> bool:
        """Whether it has one field for a password, which is the one that somebody logs in with; a code may be beside it."""
        use, name = self._password
        own = all(token.lower() in _OWN for token in _TOKENS.findall(name))
        return use == "current-password" or (use not in _NOT_OWN and own)

    @property
    def may_ask_for_a_password(self) -> bool:
        """The same where the page says what it is for: a program may call the field by its own name."""
        return self.who and self._password[0] not in _NOT_OWN

    @property
    def _password(self) -> tuple[str, str]:
        """(autocomplete, name) of its one field for a password."""
        own = [(use, name) for use, name in self.passwords if not _CODE.fullmatch(name)]
        return own[0] if len(own) == 1 else (_NOT_OWN[1], "")

    @property
    def asks_for_more(self) -> bool:
        """Whether it asks for something that nobody logs in with: of several fields, one says who somebody is."""
        return len([name for name in self.typed if not _BESIDE_WHO.search(name)]) > 1

    @property
    def is_for_login(self) -> bool:
        """Whether it is called so."""
        return any(_TO_LOGIN.search(word) for word in self.called.split())

    @property
    def is_for_sign_up(self) -> bool:
        """Whether it is called so, or its button is."""
        logs_in = any(_ASKS.fullmatch(words) for words in self.buttons)
        return not logs_in and any(_SIGNS_UP.search(words) for words in (*self.called.split(), *self.buttons))


def asks_to_log_in(text: str) -> bool:
    """Whether a web page is there to log in at: it has a form for it, its title says nothing else, or it sends to such a page."""
    page = _Page(text)
    if page.sends_to_login:
        return True
    titled = any(_IS_LOGIN.fullmatch(part) for part in _PARTS.split(page.title))
    about_else = not titled and _ABOUT_ELSE.search(page.title) is not None
    if any(_asks_for_the_password(page, form, titled, about_else) for form in page.forms):
        return True
    if about_else or any(form.passwords for form in page.forms):
        return False
    return (titled and _is_what_it_is_titled(page)) or (page.is_short and _says_so(page))


def _asks_for_the_password(page: _Page, form: _Form, titled: bool, about_else: bool) -> bool:
    says_so = titled or page.says_so
    if not (form.asks_for_a_password or (says_so and form.may_ask_for_a_password)) or form.is_for_sign_up:
        return False
    if about_else:  # an account that one has is behind a login, too
        return form.who and form.is_for_login and not form.asks_for_more
    if form.asks_for_more and not (titled or form.is_for_login):
        return False
    if page.shown >= _LONG or any(_SIGNS_UP.search(words) for words in page.headings):
        return says_so
    greeted = not page.headings or any(_GREETS.fullmatch(words) for words in page.headings)
    return says_so or form.who or form.is_for_login or greeted or bool(form.typed)


def _is_what_it_is_titled(page: _Page) -> bool:
    """Whether a page without a field for a password is what its title says, and no text about it."""
    if any(form.who and not form.asks_for_more for form in page.forms):
        return True
    asked = any(form.buttons for form in page.forms) or any(_MUST.fullmatch(words) for words in page.words)
    return page.is_short and (asked or page.shown < _TERSE) and (page.says_so or not page.headings)


def _says_so(page: _Page) -> bool:
    """Whether a short page without a field for a password asks somebody to log in all the same."""
    forms = page.forms[1:]
    if any(_hands_on(form) or _asks_who(page, form) for form in page.forms):
        return True
    if any(_MUST.fullmatch(words) for words in page.words) and not any(form.typed for form in forms):
        return True
    return (page.says_so and bool(forms)) or any(
        _WITHOUT_FORM.search(words) and _ASKS.fullmatch(words) for words in page.words
    )


def _asks_who(page: _Page, form: _Form) -> bool:
    """Whether a form asks who somebody is, or for a code, to log in with."""
    if form.is_for_sign_up:
        return False
    if form.asks_for_a_code and not form.asks_for_more:
        return form.is_for_login or any(_ASKS_FOR_A_CODE.fullmatch(words) for words in page.headings)
    own = (
        form.buttons if form is not page.forms[0] else ()
    )  # beside a field outside of any form, a button may be of the head
    says_so = form.is_for_login or page.says_so or any(_ASKS.fullmatch(words) for words in own)
    return form.who and says_so and not form.asks_for_more


def _hands_on(form: _Form) -> bool:
    """Whether it is a form that a script sends to whoever logs people in: nothing is to be filled in."""
    if form.typed or form.passwords:
        return False
    return "samlrequest" in form.hidden or (form.is_for_login and not _HANDS_ON.isdisjoint(form.hidden))
