# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: E501, RUF001 - pages as others write them
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


# What others tried to break it with: what a page asks for decides.
ASKING = [
    (
        "keycloak",
        True,
        "<html class='login-pf'><head><title>Sign in to spymeo</title></head><body><form id=kc-form-login action='https://sso/realms/x/login-actions/authenticate?session_code=a' method=post><label>Username or email</label><input id=username name=username type=text autocomplete=username><label>Password</label><input id=password name=password type=password autocomplete=current-password><input type=checkbox name=rememberMe><input type=submit value='Sign In'></form></body></html>",
    ),
    (
        "auth0 universal 2-step",
        True,
        "<html><head><title>Log in | Spymeo</title></head><body><main><h1>Welcome</h1><p>Log in to Spymeo to continue to App.</p><form method=POST><input type=hidden name=state value=a><label>Email address</label><input name=username id=username type=text inputmode=email autocomplete='email webauthn'><button type=submit name=action value=default>Continue</button></form></main></body></html>",
    ),
    (
        "azure b2c JS",
        True,
        "<html><head><title>Sign in to your account</title></head><body><script>$Config={}</script><div id=lightbox></div></body></html>",
    ),
    (
        "cognito hosted",
        True,
        "<html><head><title>Signin</title></head><body><form name=cognitoSignInForm action='/login?client_id=a'><input name=username type=text><input type=password name=password><input type=submit name=signInSubmitButton value='Sign in'></form></body></html>",
    ),
    (
        "saml auto post",
        True,
        "<html><body onload='document.forms[0].submit()'><noscript>Press continue</noscript><form method=post action='https://idp.example.org/saml2/idp/SSOService'><input type=hidden name=SAMLRequest value=a><input type=hidden name=RelayState value=b></form></body></html>",
    ),
    (
        "form_post oidc",
        True,
        "<html><head><title>Submit this form</title></head><body onload='javascript:document.forms[0].submit()'><form method=post action='https://login.microsoftonline.com/x/oauth2/v2.0/authorize'><input type=hidden name=client_id value=a></form></body></html>",
    ),
    (
        "otp code",
        True,
        "<html><head><title>Spymeo</title></head><body><h1>Enter the code we sent you</h1><form action=/auth/verify><input name=code inputmode=numeric autocomplete=one-time-code><button>Verify</button></form></body></html>",
    ),
    (
        "phone login",
        True,
        "<html><head><title>Spymeo</title></head><body><h1>Connectez-vous</h1><form action=/session><input name=phone type=tel autocomplete=tel><button>Recevoir un code</button></form></body></html>",
    ),
    (
        "formless react SSR",
        True,
        "<html><head><title>Spymeo</title></head><body><div><h2>Bienvenue</h2><input type=email name=email><input type=password name=password autocomplete=current-password><button>Continuer</button></div></body></html>",
    ),
    (
        "french espace",
        True,
        "<html><head><title>Espace praticien</title></head><body><form action=/espace method=post><label>Adresse e-mail</label><input name=mail type=email><label>Mot de passe</label><input type=password name=motdepasse><button>Accéder à mon espace</button></form></body></html>",
    ),
    (
        "pw named user[password]",
        True,
        "<html><head><title>App</title></head><body><form action=/users/sign_in><input name='user[email]' type=email><input type=password name='user[password]'><button>Log in</button></form></body></html>",
    ),
    (
        "in header element whole page",
        True,
        "<html><head><title>App</title></head><body><header><h1>App</h1></header><dialog open><form action=/login><input name=email type=email><input type=password name=password><button>Log in</button></form></dialog></body></html>",
    ),
    (
        "both login+signup on one",
        True,
        "<html><head><title>My account – Shop</title></head><body><h1>My account</h1><form class=login method=post><input name=username type=text><input name=password type=password autocomplete=current-password><button name=login>Log in</button></form><form class=register><input name=email type=email><input type=password name=password autocomplete=new-password></form></body></html>",
    ),
    (
        "meta refresh",
        True,
        "<html><head><meta http-equiv=refresh content='0;url=/connexion?next=/tableau'></head><body></body></html>",
    ),
    (
        "django admin",
        True,
        "<html><head><title>Log in | Django site admin</title></head><body><form action='/admin/login/?next=/admin/' id=login-form><input name=username type=text><input name=password type=password><input type=submit value='Log in'></form></body></html>",
    ),
    (
        "basic js redirect",
        True,
        "<script>window.top.location.href = 'https://sso.example.org/oauth2/authorize?x=1'</script>",
    ),
    ("js router redirect", True, "<script>window.location = '/login'</script><div id=root></div>"),
    (
        "link only",
        True,
        "<html><head><title>Unauthorized</title></head><body><p>You must be logged in to see this page.</p><a href=/login>Log in</a></body></html>",
    ),
    (
        "cloudflare access",
        True,
        "<html><head><title>Sign in ・ Cloudflare Access</title></head><body><h1>Log in to Spymeo</h1><form action=/cdn-cgi/access/login><input type=email name=email><button>Send me a code</button></form></body></html>",
    ),
    (
        "vercel sso protect",
        True,
        "<html><head><title>Authentication Required</title></head><body><h1>Authentication Required</h1></body></html>",
    ),
    (
        "password, username in German",
        True,
        "<html><head><title>Kundenportal</title></head><body><form action=/portal><input name=benutzer><input type=password name=kennwort><button>Weiter</button></form></body></html>",
    ),
    (
        "login w/ pwd + pin (2 password fields)",
        True,
        "<html><head><title>Bank</title></head><body><form action=/login><input name=user><input type=password name=password><input type=password name=pin><button>Log in</button></form></body></html>",
    ),
    (
        "user settings change pw",
        False,
        "<html><head><title>Security | App</title></head><body><h1>Security</h1><form><input type=password name=current_password autocomplete=current-password><input type=password name=new_password autocomplete=new-password><input type=password name=confirm autocomplete=new-password></form></body></html>",
    ),
    (
        "smtp settings",
        False,
        "<html><head><title>Mail server</title></head><body><h1>SMTP</h1><form><input name=smtp_host><input name=smtp_user><input type=password name=smtp_password><button>Save</button></form></body></html>",
    ),
    (
        "smtp generic pw",
        False,
        "<html><head><title>Mail server</title></head><body><h1>Outgoing mail</h1><form action=/config><input name=host><input name=port><input name=username><input type=password name=password><button>Save</button></form></body></html>",
    ),
    (
        "delete account confirm",
        False,
        "<html><head><title>Delete – App</title></head><body><nav>Marie</nav><h1>Delete your data</h1><p>Enter your password to confirm</p><form action=/me/delete><input type=password name=password autocomplete=current-password><button>Delete</button></form></body></html>",
    ),
    (
        "product page with login in div",
        False,
        "<html><head><title>Shop – Shoes</title></head><body><div class=topbar><form action=/login><input name=email type=email><input type=password name=password></form></div><main><h1>Shoes</h1><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p><p>Lovely red shoes in sizes for you.</p></main></body></html>",
    ),
    (
        "home with sign in link",
        False,
        "<html><head><title>Spymeo – trouver un praticien</title></head><body><nav><a>Connexion</a></nav><h1>Trouvez</h1><form action=/search><input name=q></form><a href=/login>Se connecter</a></body></html>",
    ),
    (
        "home small w/ newsletter",
        False,
        "<html><head><title>Spymeo</title></head><body><h1>Spymeo</h1><form class=newsletter action=/newsletter><input type=email name=email><button>Subscribe</button></form><a href=/login>Sign in</a></body></html>",
    ),
    (
        "home title Entrar",
        False,
        "<html><head><title>Padaria | Entrar</title></head><body><h1>Padaria</h1></body></html>",
    ),
    (
        "blog on login",
        False,
        "<html><head><title>Authentication | Docs</title></head><body><h1>Authentication</h1><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p><p>How tokens work with our API.</p></body></html>",
    ),
    (
        "docs sign in",
        False,
        "<html><head><title>Sign in - Docs</title></head><body><h1>Sign in</h1><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p><p>How to sign in with your phone.</p></body></html>",
    ),
    (
        "session list",
        False,
        "<html><head><title>Sessions</title></head><body><h1>Sessions de yoga</h1><form id=session action=/session/4><input name=name type=text><button>Book</button></form></body></html>",
    ),
    (
        "checkout guest",
        False,
        "<html><head><title>Checkout</title></head><body><h1>Checkout</h1><form action=/checkout id=checkout-auth><input type=email name=email><input name=card><button>Pay</button></form></body></html>",
    ),
    (
        "booking session email",
        False,
        "<html><head><title>Yoga – réserver</title></head><body><h1>Réserver une séance</h1><form action='/session/12/reserver'><input type=email name=email><button>Réserver</button></form></body></html>",
    ),
    (
        "sign up",
        False,
        "<html><head><title>Create account</title></head><body><form action=/signup><input type=email name=email><input type=password name=password autocomplete=new-password></form></body></html>",
    ),
    (
        "signup no autocomplete",
        False,
        "<html><head><title>Inscription</title></head><body><form action=/inscription><input type=email name=email><input type=password name=password></form></body></html>",
    ),
    (
        "signup title app",
        False,
        "<html><head><title>Spymeo</title></head><body><h1>Créer un compte</h1><form action=/register><input name=nom><input type=email name=email><input type=password name=password><button>S'inscrire</button></form></body></html>",
    ),
    (
        "wifi config",
        False,
        "<html><head><title>Router</title></head><body><form><input name=ssid><input type=password name=wpa_key></form></body></html>",
    ),
    (
        "db connect",
        False,
        "<html><head><title>Connections</title></head><body><h1>Edit source</h1><form><input name=host><input name=user><input type=password name=password></form></body></html>",
    ),
    (
        "logged in w/ logout",
        False,
        "<html><head><title>Bonjour Marie</title></head><body><h1>Bonjour Marie</h1><form action=/logout><button>Se déconnecter</button></form></body></html>",
    ),
    (
        "unlock pdf",
        False,
        "<html><head><title>Download</title></head><body><h1>Protected file</h1><form><input type=password name=pdf_password></form></body></html>",
    ),
    (
        "WordPress",
        True,
        "<html><title>Log In &lsaquo; Site &#8212; WordPress</title><form name=loginform id=loginform action=https://x/wp-login.php method=post><label>Username or Email Address</label><input type=text name=log id=user_login><label>Password</label><input type=password name=pwd id=user_pass><input type=checkbox name=rememberme><input type=submit value='Log In'></form></html>",
    ),
    (
        "phpMyAdmin",
        True,
        "<html><title>phpMyAdmin</title><h1>Welcome to phpMyAdmin</h1><form id=login_form action=index.php><fieldset><legend>Log in</legend><input type=text name=pma_username><input type=password name=pma_password></fieldset><input type=submit value='Log in'></form></html>",
    ),
    (
        "Jenkins",
        True,
        "<html><title>Sign in [Jenkins]</title><form name=login action=j_spring_security_check><h1>Sign in to Jenkins</h1><input name=j_username><input type=password name=j_password><button>Sign in</button></form></html>",
    ),
    (
        "oauth2-proxy",
        True,
        "<html><title>Sign In</title><form method=GET action=/oauth2/start><input type=hidden name=rd value=/><button type=submit>Sign in with Google</button></form></html>",
    ),
    (
        "tenant",
        True,
        "<html><title>Acme</title><form action=/go><input name=company><input name=username><input type=password name=password><button>Go</button></form></html>",
    ),
    (
        "long page with a login",
        True,
        "<html><title>Acme</title><section>word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them </section><h2>Connexion</h2><form action=/compte><input type=email name=email><input type=password name=password><button>OK</button></form></html>",
    ),
    (
        "expired",
        True,
        "<html><title>Acme</title><p>Please log in again to continue.</p><a href=/login>Log in</a></html>",
    ),
    (
        "ADFS",
        True,
        "<html><title>Sign In</title><form id=loginForm><input type=email name=UserName><input type=password name=Password autocomplete=off><span>Sign in</span></form></html>",
    ),
    (
        "SAML by ADFS",
        True,
        "<html><title>Working...</title><form method=POST name=hiddenform action='https://idp/adfs/ls/'><input type=hidden name=SAMLRequest value=x><noscript><input type=submit value=Submit></noscript></form><script>window.setTimeout('document.forms[0].submit()',0)</script></html>",
    ),
    (
        "OTP by Keycloak",
        True,
        "<html><title>Acme</title><h1>Two-factor authentication</h1><form action=/realms/x/login-actions/authenticate><label>One-time code</label><input name=otp autocomplete=one-time-code><button>Sign in</button></form></html>",
    ),
    (
        "dialog open",
        True,
        "<html><title>Acme</title><header>Acme</header><dialog open><form><input name=email type=email><input type=password name=password><button>Log in</button></form></dialog></html>",
    ),
    ("French must", True, "<html><title>Acme</title><p>Vous devez être connecté pour accéder à cette page.</p></html>"),
    (
        "help about the login",
        False,
        "<html><title>Log in | Help center</title><h1>Log in</h1><p>word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them word and more of them </p></html>",
    ),
    (
        "how to",
        False,
        "<html><title>How to log in - Help</title><h1>How to log in</h1><p>Open the page and type your password.</p></html>",
    ),
    (
        "coupon",
        False,
        "<html><title>Cart</title><h1>Cart</h1><h2>Promo code</h2><form action=/cart><input name=code><button>Apply</button></form></html>",
    ),
    (
        "contact",
        False,
        "<html><title>Contact</title><h1>Contact</h1><form action=/contact><input name=name><input type=email name=email><textarea name=message></textarea><button>Send</button></form></html>",
    ),
    (
        "header button and newsletter without form",
        False,
        "<html><title>Acme</title><div class=top><button>Log in</button></div><h1>Shoes</h1><input type=email name=newsletter><button>Subscribe</button></html>",
    ),
    (
        "sessions of one's own",
        False,
        "<html><title>Devices</title><h1>Active sessions</h1><form action=/sessions/17/revoke><button>Sign out</button></form></html>",
    ),
    (
        "a function that logs out",
        False,
        "<html><title>Orders</title><script>function logout(){fetch('/x').then(function(){window.location.href='/login'})}</script><h1>Orders</h1><p>Order 17 of today is on its way to you now.</p></html>",
    ),
    (
        "edit profile",
        False,
        "<html><title>Acme</title><h1>Your profile</h1><form action=/me><input name=first_name><input name=last_name><input type=email name=email><input type=password name=current_password autocomplete=current-password><button>Save</button></form></html>",
    ),
    (
        "comment",
        False,
        "<html><title>News</title><h1>News</h1><p>It rains.</p><p>You must be logged in to comment.</p><a href=/login>Log in</a></html>",
    ),
    (
        "yoga sessions",
        False,
        "<html><title>Yoga</title><h1>Sessions</h1><form action=/sessions/search><input name=name><button>Find</button></form></html>",
    ),
    (
        "invite",
        False,
        "<html><title>Team</title><h1>Invite</h1><form action=/invitations><input type=email name=email><button>Send invitation</button></form></html>",
    ),
    (
        "login history",
        False,
        "<html><title>Logins</title><h1>Log ins of today</h1><table><tr><td>marie</td></tr></table></html>",
    ),
    (
        "sign up, email and password",
        False,
        "<html><title>Acme</title><h1>Join Acme</h1><form action=/users><input type=email name=email><input type=password name=password><button>Sign up</button></form><a href=/login>Log in</a></html>",
    ),
    (
        "FTP account",
        False,
        "<html><title>Acme</title><h1>Upload to a server</h1><form action=/ftp><input name=server><input name=username><input name=port><input type=password name=password><button>Connect</button></form></html>",
    ),
]


@pytest.mark.parametrize(("name", "wanted", "page"), PAGES, ids=[name for name, _wanted, _page in PAGES])
def test_a_page_to_log_in_at_is_told_from_others(name, wanted, page):
    assert asks_to_log_in(page) is wanted


@pytest.mark.parametrize(("name", "wanted", "page"), ASKING, ids=[name for name, _wanted, _page in ASKING])
def test_a_page_to_log_in_at_is_told_by_what_it_asks_for(name, wanted, page):
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
