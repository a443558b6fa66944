# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What looks like a secret is masked however it is written, and what only sounds like one stays."""

from __future__ import annotations

import re
import time

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import MASK, without_secrets
from hypothesis import given, settings
from hypothesis import strategies as st

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nhunter2\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("can't open postgresql://app:hunter2@db:5432/x", ["hunter2", "app:"]),
        ("redis://:hunter2@cache", ["hunter2"]),
        ("postgresql://app:hun@ter2@db/x", ["hun", "ter2"]),
        ("postgresql://app:hun/ter2@db/x", ["hun", "ter2"]),
        ('{"url":"postgresql://app:hunter2@db/x","to":"a@b.fr"}', ["hunter2"]),
        ("password=hunter2", ["hunter2"]),
        ("password=hun,ter2", ["hun", "ter2"]),
        ("password=hun'ter2 next", ["hun", "ter2"]),
        ("DB_PASSWORD=hunter2", ["hunter2"]),
        ("SMTP_PASS=hunter2", ["hunter2"]),
        ("DBPASS: hunter2", ["hunter2"]),
        ("MYSQL_PWD=hunter2", ["hunter2"]),
        ("ALTER ROLE app WITH PASSWORD 'hun ter2'", ["hun", "ter2"]),
        ("the password 'hunter2' is wrong", ["hunter2"]),
        ("Field error in object 'form' on field 'password': rejected value [hunter2]; codes", ["hunter2"]),
        ('{"headers":{"Authorization":["Bearer Hunter2xQ9"]}}', ["Hunter2xQ9"]),
        ("dbPassword: hunter2", ["hunter2"]),
        ('{"password": "hunter2"}', ["hunter2"]),
        ('{"password": "hun ter2, and more"}', ["hun", "ter2", "more"]),
        ("{'password': 'hun ter2'}", ["hun", "ter2"]),
        (r'{"body":"{\"password\":\"hun ter2\",\"a\":1}"}', ["hun", "ter2"]),
        ('password="hun ter2 and then it was cut', ["hun", "ter2"]),
        ("password is hunter2", ["hunter2"]),
        ("the password was 'hun ter2'", ["hun", "ter2"]),
        ("passphrase: hunter2", ["hunter2"]),
        ("passphrase is hunter2", ["hunter2"]),
        ("Authorization: hunter2", ["hunter2"]),
        ("Authorization: Bearer hunter2", ["hunter2"]),
        ('"authorization":"Bearer hunter2"', ["hunter2"]),
        ("authorization=Basic YWRtaW46aHVudGVyMg==", ["YWRtaW46"]),
        ("Authorization: Digest username=a, response=hunter2", ["hunter2"]),
        ("Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=hunter2", ["hunter2"]),
        ("sent Bearer abcdefgh12345678 to it", ["abcdefgh12345678"]),
        ("Basic YWRtaW46aHVudGVyMg==", ["YWRtaW46"]),
        ("api_key='hunter2'", ["hunter2"]),
        ("X-Api-Key: hunter2", ["hunter2"]),
        ("Cookie: theme=dark; connect.sid=s%3Ahunter2", ["hunter2", "dark"]),
        ("Set-Cookie: auth=hunter2; Path=/; HttpOnly", ["hunter2"]),
        ('"cookie":"a=hun; b=ter2","host":"x"', ["hun", "ter2"]),
        ("session=hunter2", ["hunter2"]),
        ("sessionId: hunter2", ["hunter2"]),
        ("JSESSIONID=hunter2", ["hunter2"]),
        ("?sid=hunter2&a=1", ["hunter2"]),
        (KEY_ID, [KEY_ID[4:]]),
        ("ASIAIOSFODNN7EXAMPLE", ["IOSFODNN7EXAMPLE"]),
        ("aws_secret_access_key = " + SECRET_KEY, [SECRET_KEY]),
        ("it said " + SECRET_KEY + " and died", [SECRET_KEY]),
        ("X-Amz-Signature=hunter2&X-Amz-Date=1", ["hunter2"]),
        (JWT, JWT.split(".")),
        (PRIVATE_KEY, ["MIIE", "hunter2"]),
        (PRIVATE_KEY.replace("\n", " "), ["MIIE", "hunter2"]),
        (PRIVATE_KEY[:70], ["MIIE", "hunter2"]),
        ("stripe sk_live_hunter2abc", ["hunter2abc"]),
        ("ghp_abcdefghijklmnop123456", ["abcdefghijklmnop"]),
        ("psql --password hunter2 -h db", ["hunter2"]),
        ("deploy --api-key 'hun ter2' now", ["hun", "ter2"]),
        ("curl -u admin:hunter2 https://x", ["hunter2"]),
        (":password => 'hunter2'", ["hunter2"]),
        ("password == hunter2", ["hunter2"]),
        ("password := hunter2", ["hunter2"]),
        ("password -> hunter2", ["hunter2"]),
        ("password%3Dhunter2", ["hunter2"]),
        ("password is: hunter2", ["hunter2"]),
        ("pwd is hunter2", ["hunter2"]),
        ("password for user admin is hunter2", ["hunter2"]),
        ("mot de passe : hunter2", ["hunter2"]),
        ("Passwort: hunter2", ["hunter2"]),
        ("contraseña: hunter2", ["hunter2"]),
        ("pass: hunter2", ["hunter2"]),
        ("api.key=hunter2", ["hunter2"]),
        ("private key: hunter2", ["hunter2"]),
        ("<password>hun ter2</password>", ["hun", "ter2"]),
        ('{"name":"DB_PASSWORD","value":"hun ter2"}', ["hun", "ter2"]),
        ("used token hunter2abc123 to call", ["hunter2abc123"]),
        ('"set-cookie":["a=hunter2; Path=/","b=ter3"]', ["hunter2", "ter3"]),
        ("set-cookie: a=hunter2; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b=ter3", ["hunter2", "ter3"]),
        ("SG.abcdefghijklmnop123.qrstuvw", ["abcdefghijklmnop"]),
        ("sk-proj-abcdefghijklmnop123", ["abcdefghijklmnop"]),
        ("whsec_abcdefghijklmnop123", ["abcdefghijklmnop"]),
        ("senha=Hunter2xQ9", ["Hunter2xQ9"]),
        ("пароль: Hunter2xQ9", ["Hunter2xQ9"]),
        ("密码: Hunter2xQ9", ["Hunter2xQ9"]),
        ("SECRET_KEY_BASE=Hunter2xQ9", ["Hunter2xQ9"]),
        ("APP_KEY=base64:Hunter2xQ9", ["Hunter2xQ9"]),
        ("COOKIE_KEYS=Hunter2xQ9 HASH_SALT=Hunter3", ["Hunter2xQ9", "Hunter3"]),
        ("REDISCLI_AUTH=Hunter2xQ9", ["Hunter2xQ9"]),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Hunter2xQ9==;", ["Hunter2xQ9"]),
        ('{"password":{"value":"Hunter2xQ9"}}', ["Hunter2xQ9"]),
        ('{"secret":{"a":"Hunter2xQ9","b":1}}', ["Hunter2xQ9"]),
        ('{"password_confirmation":"Hunter2xQ9"}', ["Hunter2xQ9"]),
        ('{"value":"Hunter2xQ9","name":"DB_PASSWORD"}', ["Hunter2xQ9"]),
        ('{"field":"password","rejectedValue":"Hunter2xQ9"}', ["Hunter2xQ9"]),
        ("[password] => Hunter2xQ9", ["Hunter2xQ9"]),
        ('password="""Hunter2xQ9"""', ["Hunter2xQ9"]),
        ("password    Hunter2xQ9", ["Hunter2xQ9"]),
        ("| password | Hunter2xQ9 |", ["Hunter2xQ9"]),
        ("(password,Hunter2xQ9)", ["Hunter2xQ9"]),
        ('<input type="password" value="Hunter2 xQ9">', ["Hunter2", "xQ9"]),
        ("<input value='Hunter2xQ9' name=password>", ["Hunter2xQ9"]),
        ('<add key="Password" value="Hunter2xQ9"/>', ["Hunter2xQ9"]),
        ('data-page="{&quot;password&quot;:&quot;Hunter2xQ9&quot;}"', ["Hunter2xQ9"]),
        ("password&#61;Hunter2xQ9", ["Hunter2xQ9"]),
        ("app:Hunter2xQ9@db:5432/x", ["Hunter2xQ9"]),
        ("//app:Hunter2xQ9@db/x", ["Hunter2xQ9"]),
        ("DSN=app:Hunter2xQ9@tcp(db:3306)/x", ["Hunter2xQ9"]),
        ("postgres://app:hun ter2@db/x", ["hun", "ter2"]),
        ("amqps://app:Hunter2xQ9@mq/", ["Hunter2xQ9"]),
        ("mongodb+srv://app:Hunter2xQ9@c.net", ["Hunter2xQ9"]),
        ("jdbc:oracle:thin:app/Hunter2xQ9@db:1521", ["Hunter2xQ9"]),
        ("mysql -uroot -pHunter2xQ9", ["Hunter2xQ9"]),
        ("sshpass -p Hunter2xQ9 ssh", ["Hunter2xQ9"]),
        ("redis-cli -h x -a Hunter2xQ9", ["Hunter2xQ9"]),
        ("AUTH default Hunter2xQ9", ["Hunter2xQ9"]),
        ("CREATE USER 'a' IDENTIFIED BY 'Hunter2xQ9'", ["Hunter2xQ9"]),
        ("crypt('Hunter2xQ9', gen_salt('bf'))", ["Hunter2xQ9"]),
        ("session Hunter2xQ9 expired", ["Hunter2xQ9"]),
        ("sess:Hunter2xQ9", ["Hunter2xQ9"]),
        ("SAMLResponse=Hunter2xQ9", ["Hunter2xQ9"]),
        ("password (Hunter2xQ9) rejected", ["Hunter2xQ9"]),
        ("Password for user app: Hunter2xQ9", ["Hunter2xQ9"]),
        ("https://x/y?auth=Hunter2xQ9&sig=Hunter3xQ9", ["Hunter2xQ9", "Hunter3xQ9"]),
        ("IQoJb3JpZ2luX2VjEAaCXVzLWVhc3QtMSJHMEUCIQ", ["IQoJ"]),
        ("eyJhbGciOiJkaXIi..abc.def.ghi", ["eyJ", "ghi"]),
        ("eyJhbGciOiJIUzI1NiJ9", ["eyJ"]),
        ("MIIEpAIBAAKCAQEA7Hunter2xQ9", ["Hunter2xQ9"]),
        ("AGE-SECRET-KEY-1QQQQQQQQQQQQQQ", ["QQQ"]),
        ("$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", ["N9qo8"]),
        ("$argon2id$v=19$m=65536$c29tZXNhbHQ$abc", ["c29t"]),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", ["XXXX", "B000"]),
        ("ya29.a0AfH6SMBx1234567890abcdef", ["a0Af"]),
        ("shpat_0123456789abcdef0123456789abcdef", ["0123"]),
        ("hf_abcdefghijklmnopqrstuvwxyz1234", ["abcdef"]),
    ],
)
def test_a_secret_is_masked(text, secrets):
    told = without_secrets(text)
    assert [secret for secret in secrets if secret in told] == [], told
    assert MASK in told


@pytest.mark.parametrize(
    "text",
    [
        "token expired",
        "the token is expired",
        "no password",
        "password is required",
        "password is not correct",
        "password must be longer than 8 characters",
        "tokenizer: bert",
        "Unexpected token < in JSON at position 0",
        "basic authentication failed",
        "bearer authentication required",
        "Basic Authentication",
        "secretary=Anne",
        "the cookie was not set",
        "session expired",
        "monkey=1",
        "https://app.spymeo.fr:8443/a?mail=a@b.fr",
        "https://registry.npmjs.org/@nestjs/core",
        "duplicate key value violates unique constraint practitioner_email_key",
        "tests: pass: 12, fail: 0",
        "token for user 5 is missing",
        "the password of user bob is not correct",
        "key practitioner_pkey2 is there",
        "git log --pass",
        "session 12345 ended",
        "secret spymeo/production/app-v2 has 2 versions",
        "commit 8a43c70f1e2d3c4b5a69788796a5b4c3d2e1f001",
        "at Object.<anonymous> (/usr/src/app/node_modules/express/lib/router/index.js:284:15)",
        "task arn:aws:ecs:eu-west-3:123456789012:task/main/0123456789abcdef0123456789abcdef",
        "-----BEGIN CERTIFICATE-----",
        "P1000: Authentication failed against database server",
        "mailto:bob@example.org/x",
        "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app@sha256:abc",
        "docker pull nginx:1.25@sha256:abcdef/",
        "PRIMARY_KEY=id SORT_KEY=a CACHE_KEY=users:17 PUBLIC_KEY=abc",
        "password, email and name",
        "AUTH failed 12345678",
        "Can't locate revision identified by '1a2b'",
        "value=5 name=password_changed",
        "<input name='q' value='shoes'>",
        "token bucket is full",
        "SyntaxError: Unexpected token: u",
        "Invalid token: expired",
        "password: required",
        "no such secret: prod/app",
        "users who pass (a1b2c3d4) are",
        "hf_transfer is on, pypi-server started",
        "price: $6$ each",
        '{"fields":["email","password","name"]}',
        "form-data; name=file",
        "exit code is 137 and your status code is 5030",
        "GPIO pin: 13",
        '{"order":{"number":"4711"}}',
        "GET /reset-password/form 200",
        "the queue of tokens (3) is full",
        '{"d":"2026-11-22","p":"4"}',
        "password reset mail sent to user 17",
        "invalid token: (expected string)",
        "verifyToken(req) failed: token=(undefined)",
        "password: [FILTERED]",
        "TypeError: Cannot read properties of undefined (reading 'token')",
        "GET /verify/account/17 500",
    ],
)
def test_innocent_text_stays(text):
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ('{"token":5,"user":"bob","status":401}', '"user":"bob","status":401}'),
        ("password=hunter2 user=bob", " user=bob"),
        ("a=1&token=x&b=2", "&b=2"),
        ("[token: abc] then", "] then"),
        ("postgresql://app:hunter2@db:5432/x", "@db:5432/x"),
        ("Cookie: a=1; b=2 status=500", " status=500"),
    ],
)
def test_what_stands_beside_a_secret_stays(text, stays):
    assert without_secrets(text).endswith(stays), without_secrets(text)


@given(st.text(alphabet="abc hunter2\"'\\=:@/,;&{}[]-_.", max_size=80))
def test_nothing_that_follows_uncovers_a_secret(text):
    assert "hunter2" not in without_secrets('{"password": "hunter2", "x": %s' % text.replace("hunter2", ""))


@pytest.mark.parametrize(
    "part",
    ["cookie:", "cookie=", "name:'password',value:", "<password", "-password ", "token a ", " -u a",
     "://", "://a:", "password", "password=", 'password="', "Cookie: a=", "a=b; ", "-----BEGIN PRIVATE KEY-----", "eyJ",
     "eyJaaaaa.", "authorization: ", "token is ", "aA1+", "\\", "a,", "Bearer aaaaaaa", "@", "'", "session:  ",
     "<input ", "<input name=", "<a value='", "value=", "password |", "a:b", "a:b@", "password&quot;", "mysql ", "$2b$", "A_", "AUTH ", "password (",
     "{\"value\":\"",
     "password=(", "password=[", "password:[\"", "password=x(", "form-data; name=", "password</td>", "/reset/", "password&quot;:&quot;", "{password,",
     "password:'", "token=<", "Failing row contains (", "argument `password`: ", "secret={[(",
     "redis-cli ", "[password", "password:{", "?key=", "pass for a "],
)  # fmt: skip
def test_no_text_takes_long(part):
    text = part * (20_000 // len(part))
    began = time.process_time()
    without_secrets(text)
    without_secrets("password=" + text)
    without_secrets("Cookie: a=b" + text)
    assert time.process_time() - began < 1


# Where programs show a value under its name: NAME and VALUE stand for both, and what is around them has to stay. What stands in quotes may hold
# anything but quotes, backslashes and brackets.
BARE = (
    "Before NAME=VALUE After", "Before NAME: VALUE After", "Before NAME = VALUE After", "Before [NAME] => VALUE After", "Before (NAME)=(VALUE) After",
    "Before NAME:VALUE, After", "Before Config(user=app, NAME=VALUE, host=After)", "Before {User:app NAME:VALUE Host:After}", "Before ?NAME=VALUE&a=After",
    "Before X-NAME: VALUE After", "Before <NAME>VALUE</NAME> After", "Before <td>NAME</td><td class=code><pre>VALUE</pre></td> After",
    "Before <th>NAME</th> <td>VALUE</td> After", "Before {NAME=VALUE, host=After}", "Before NAME=[VALUE] After", "Before NAME=(VALUE) After",
    "Before NAME={VALUE} After", "Before NAME=<VALUE> After", "Before NAME -> VALUE After", "Before NAME := VALUE After", "Before --NAME=VALUE After",
    "Before form-data; name=NAME\r\n\r\nVALUE\r\n--x After", "Before ${NAME:-VALUE} After", "Before NAME==VALUE After",
)  # fmt: skip
QUOTED = (
    'Before {"NAME":"VALUE","a":"After"}', 'Before {"NAME": "VALUE"} After', r'Before {"a":"{\"NAME\":\"VALUE\"}"} After', "Before {'NAME': 'VALUE'} After",
    'Before ["NAME"]=> string(9) "VALUE" After', 'Before ["NAME"]=>\n  string(9) "VALUE"\n After', 'Before "NAME" => "VALUE" After',
    "Before 'NAME' => 'VALUE', After", 'Before :NAME=>"VALUE", :a=>"After"', 'Before #<Config @NAME="VALUE", @a="After">', 'Before NAME: Some("VALUE") After',
    "Before NAME=SecretStr('VALUE') After", "Before 'NAME': b'VALUE' After", "Before NAME: u'VALUE' After", 'Before {NAME,"VALUE"} After',
    'Before {NAME,<<"VALUE">>} After', 'Before %{NAME: "VALUE"} After', 'Before {"NAME":["VALUE","VALUE"]} After', 'Before {"NAME":{"id":"VALUE"}} After',
    'Before {"NAME":[{"id":"VALUE"}]} After', 'Before {"NAME":{"a":{"id":"VALUE"}}} After', 'Before NAME="VALUE" After', "Before NAME = 'VALUE' After",
    'Before <x NAME="VALUE" a="After">', 'Before <meta name="NAME" content="VALUE"> After', 'Before <meta content="VALUE" name="NAME"> After',
    'Before <input type="hidden" value="VALUE" name="NAME"> After', 'Before &quot;NAME&quot;:&quot;VALUE&quot; After', "Before NAME=>('VALUE') After",
    'Before {"name":"NAME","value":"VALUE"} After', 'Before {"key":"NAME","value":"VALUE"} After', 'Before NAME = ["VALUE", "VALUE"] After',
    "Before NAME=('VALUE',) After", 'Before NAME: new String("VALUE") After', 'Before "NAME": String("VALUE") After',
    'Before NAME: &"VALUE" After', "Before NAME='VALUE' After", 'Before NAME=@"VALUE" After', "Before \\\"NAME\\\": \\\"VALUE\\\" After",
)  # fmt: skip
NAMES = (
    "password", "db_password", "dbPassword", "PASSWORD", "DB_PASSWORD", "client_secret", "clientSecret", "secret", "token", "access_token", "accessToken",
    "refreshToken", "csrf_token", "api_key", "apiKey", "API_KEY", "SECRET_KEY", "session_id", "private_key", "passwordHash", "api-token", "recovery_codes",
)  # fmt: skip
WORDS = st.text(alphabet="abcdefghijkXYZ0123456789_-", min_size=8, max_size=30).map(lambda text: "q7%sW" % text)
TEXTS = st.text(alphabet="abcXYZ0123456789 _-+/=.:!#$%*~^?|@;,", min_size=6, max_size=30).map(
    lambda text: "q7%sW9" % text
)


def masked(form, name, secret):
    """What is shown of a form, without a secret, and with what stands around it."""
    told = without_secrets(form.replace("NAME", name).replace("VALUE", secret))
    parts = [part for part in re.split(r"[^\w]+", secret) if len(part) > 4] or [secret]
    assert [part for part in parts if part in told] == [], told
    assert told.startswith("Before ") and "After" in told, told  # noqa: PT018 - one sentence


@pytest.mark.parametrize("form", BARE)
@given(st.sampled_from(NAMES), WORDS)
@settings(max_examples=60, deadline=None)
def test_no_secret_without_quotes_survives_whatever_is_around_it(form, name, secret):
    masked(form, name, secret)


@pytest.mark.parametrize("form", QUOTED)
@given(st.sampled_from(NAMES), st.one_of(WORDS, TEXTS))
@settings(max_examples=60, deadline=None)
def test_no_secret_in_quotes_survives_whatever_is_around_it(form, name, secret):
    masked(form, name, secret)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Das Passwort Hunter2xQ9 ist falsch", "Hunter2xQ9"),
        ("Le mot de passe Hunter2xQ9 est incorrect", "Hunter2xQ9"),
        ('"APP_KEY" => "base64:Hunter2xQ9"', "Hunter2xQ9"),
        ('["password","Hunter2xQ9"]', "Hunter2xQ9"),
        ("Failing row contains (17, a@x, Hunter2xQ9, null).", "Hunter2xQ9"),
        ("Argument `password`: Invalid value provided. Expected String, provided Hunter2xQ9", "Hunter2xQ9"),
        ("535 auth failed for AUTH PLAIN AGFwcABTM2NyZXRQdzk=", "AGFwcABTM2"),
        ("pbkdf2_sha256$600000$Hunter2xQ9$abcdefHunter2xQ9=", "Hunter2xQ9"),
        ("scrypt:32768:8:1$Hunter2xQ9$abcdef", "Hunter2xQ9"),
        ("https://x/reset-password/Hunter2xQ9Hunter2xQ9", "Hunter2xQ9"),
        ('{"message":"Your code is 483920"}', "483920"),
        ('{"pin":"4839"}', "4839"),
        ('{"card":{"number":"4242424242424242","cvc":"123"}}', "4242424242424242"),
        ("hvs.Hunter2xQ9Hunter2xQ9Hunter2xQ9", "Hunter2xQ9"),
        ('{"kty":"RSA","d":"Hunter2xQ9Hunter2xQ9Hunter2xQ9"}', "Hunter2xQ9"),
    ],
)
def test_a_secret_is_masked_where_only_its_place_tells_it(text, secret):
    assert secret not in without_secrets(text)
