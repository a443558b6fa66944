# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: E501 - pages as others write them
"""Which web pages are there to log in at."""

from __future__ import annotations

import time

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.login_page import asks_to_log_in

PAGES = [
    (
        "two step email only",
        True,
        '<html><title>Acme</title><form action="/login"><input type="email" name="email"><button>Continue</button></form>',
    ),
    ("JS redirect", True, '<html><body><script>window.location="/login?next=/admin"</script></body></html>'),
    ("meta refresh", True, '<html><head><meta http-equiv="refresh" content="0;url=/login"></head></html>'),
    (
        "h1 only",
        True,
        '<html><title>Acme Admin</title><h1>Please log in</h1><form><input name="u"><input type="text" name="code"></form>',
    ),
    (
        "login+signup on one page",
        True,
        '<title>Acme</title><form><input type="password" name="p"></form><form><input type="password" name="p1" autocomplete="new-password"></form>',
    ),
    (
        "login+register same page no autocomplete",
        True,
        "<title>Welcome</title><form id=login><input type=password name=p></form><form id=reg><input type=password name=a><input type=password name=b></form>",
    ),
    ("password field with PASSWORD", True, "<INPUT TYPE=PASSWORD NAME=P>"),
    (
        "data in template",
        True,
        '<template><form><input type="password"></form></template><title>Sign in · GitLab</title>',
    ),
    ("title fr", True, "<title>Se connecter | Spymeo</title>"),
    ("title authentification", True, "<title>Authentification</title>"),
    ("title SSO", True, "<title>Single sign-on</title>"),
    ("title es", True, "<title>Acceder</title>"),
    ("title de", True, "<title>Anmeldung</title>"),
    ("title nl", True, "<title>Inloggen</title>"),
    ("title pt", True, "<title>Entrar</title>"),
    ("title pl", True, "<title>Zaloguj się</title>"),
    ("title it", True, "<title>Accesso</title>"),
    (
        "keycloak",
        True,
        '<title>Sign in to realm</title><form><input id="username"><input type="password" id="password"></form>',
    ),
    (
        "password visible toggled",
        True,
        '<title>Acme</title><form><input type="text" class="password" name="password" autocomplete="current-password"></form>',
    ),
    ("magic link", True, '<title>Acme</title><form><input type="email"><button>Send me a magic link</button></form>'),
    ("webauthn", True, "<title>Acme</title><button>Sign in with a passkey</button>"),
    (
        "login react SSR w. hidden json",
        True,
        '<title>Acme</title><script>window.__STATE__={"page":"login"}</script><input type="password">',
    ),
    (
        "login with honeypot",
        True,
        '<title>Acme</title><input type="password" name="p"><input type="password" name="hp" style="display:none">',
    ),
    ("session expired", True, '<title>Session expired</title><a href="/login">Log in again</a>'),
    (
        "dashboard with modal reauth",
        False,
        '<title>Dashboard</title><h1>Hello</h1><dialog><form><input type="password" name="confirm"></form></dialog>',
    ),
    (
        "settings with smtp password",
        False,
        '<title>Settings</title><form><input name="host"><input type="password" name="smtp_password"></form>',
    ),
    (
        "settings delete account confirm",
        False,
        '<title>Account</title><form><input type="password" name="current"></form>',
    ),
    ("api keys page", False, '<title>API keys</title><input type="password" value="****" readonly>'),
    (
        "public home with login box",
        False,
        '<title>Acme - home</title><nav><form action="/login"><input name="u"><input type="password" name="p"></form></nav><main>Products ...</main>',
    ),
    ("title sign-in log", False, "<title>Sign-in activity</title><h1>Recent sign-ins</h1>"),
    ("title login history", False, "<title>Login history - Dashboard</title>"),
    ("title identification of plants", False, "<title>Plant identification guide</title>"),
    ("title connexion internet", False, "<title>Connexion internet fibre - offres</title>"),
    ("title log on the fire", False, "<title>How to put a log on the fire</title>"),
    ("title blog in", False, "<title>Blog in French</title>"),
    ("title sign in the street", False, "<title>A sign in the street</title>"),
    ("title identification docs", False, "<title>Identification des clients</title>"),
    ("title catalog in", False, "<title>Catalog in PDF</title>"),
    ("title signon stat", False, "<title>Orders | Logged in as bob</title>"),
    ("title Anmeldungen (registrations)", False, "<title>Anmeldungen zum Kurs</title>"),
    ("title reconnecter", False, "<title>Dashboard - se connecter à un pair</title>"),
    ("svg title", False, "<svg><title>Log in</title></svg><title>Dashboard</title>"),
    ("title after svg", False, "<head><title>Dashboard</title></head><svg><title>Sign in</title></svg>"),
    ("no title svg", False, "<body><svg><title>log in icon</title></svg><h1>Dashboard</h1></body>"),
    ("comment", False, '<!-- <input type="password"> --><title>Dashboard</title>'),
    ("noscript", False, '<noscript><input type="password"></noscript><title>Dashboard</title>'),
    ("change pw 2 fields", False, '<title>Change</title><input type="password"><input type="password">'),
    (
        "user admin form new user one pw",
        False,
        '<title>New user</title><form><input name="email"><input type="password" name="user[password]"></form>',
    ),
    (
        "unlock db cred",
        False,
        '<title>Data source</title><input type="password" name="db_password" autocomplete="off">',
    ),
    ("textarea", False, '<textarea><input type="password"></textarea><title>Editor</title>'),
    (
        "e-mail first, in French",
        True,
        "<title>Acme</title><form action='/connexion'><input type=email name=email><button>Continuer</button></form>",
    ),
    (
        "a form that is called so",
        True,
        "<title>Acme</title><form class='auth-form sign-in'><input name=username><button>Next</button></form>",
    ),
    (
        "replaced by a script",
        True,
        "<body><script>window.location.replace('https://id.example.org/oauth2/authorize?client=1')</script></body>",
    ),
    (
        "a link by mail",
        True,
        "<title>Acme</title><form><input type=email><p>We will send you a link.</p><button>Email me a link</button></form>",
    ),
    ("a title in parts", True, "<title>Acme » Sign in to your account</title><div id=app></div>"),
    (
        "Rails and Devise",
        True,
        "<title>Shop</title><form id=new_user action=/users/sign_in><input type=email name='user[email]'><input type=password name='user[password]' autocomplete=current-password></form>",
    ),
    ("Keycloak behind a refresh", True, "<meta http-equiv=Refresh content='2; URL=/auth/realms/shop'>"),
    (
        "an article that links to the login",
        False,
        "<title>News</title><main>word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word  <a href=/login>Log in</a></main>",
    ),
    (
        "a newsletter",
        False,
        "<title>Acme</title><form action=/newsletter><input type=email name=email><button>Subscribe</button></form>",
    ),
    (
        "a wireless network",
        False,
        "<title>Network</title><form><input name=ssid><input type=password name=wifi_password></form>",
    ),
    ("a script that goes elsewhere", False, "<script>location.href='/dashboard/today'</script>"),
    ("a hidden field", False, "<title>Orders</title><form><input type=password name=password hidden></form>"),
    (
        "a script that may go there",
        False,
        "<title>Orders</title><main>order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order order </main><script>if(expired){location.href='/login'}</script>",
    ),
    ("a table of logins", False, "<title>Logins of today</title><h1>Sign-ins</h1><table></table>"),
    (
        "users are invited",
        False,
        "<title>New member</title><form action=/members><input type=email name=email><input type=password name=password></form>",
    ),
]


@pytest.mark.parametrize(("name", "wanted", "page"), PAGES, ids=[name for name, _wanted, _page in PAGES])
def test_a_page_to_log_in_at_is_told_from_others(name, wanted, page):
    assert asks_to_log_in(page) is wanted


def test_a_page_that_only_a_script_fills_says_nothing():
    assert asks_to_log_in("<title>Acme</title><div id=root></div><script src=/assets/login.js></script>") is False


@pytest.mark.parametrize(
    "part",
    [
        "<nav>",
        "<nav><p>",
        "</nav>",
        "<form>",
        "<p>a",
        "<h1>Log in",
        "location.href=",
        "<script>location.href='",
        "<title>a | ",
    ],
)
def test_no_page_takes_long(part):
    began = time.process_time()
    asks_to_log_in(part * (1_000_000 // len(part)))
    assert time.process_time() - began < 1
