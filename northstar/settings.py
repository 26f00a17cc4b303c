"""Every setting, read from the environment or `.env` by django-environ; documented in docs/settings.md."""

from pathlib import Path
from typing import Any

import environ
import pghistory
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from northstar import logs
from northstar.addresses import database_of
from northstar.keys import kept
from northstar.stack import valkey
from northstar.stack.layout import Layout
from northstar.stack.postgres import APP_ROLE, DATABASE, OWNER_ROLE
from owners.sso.provider import ProviderMistake, provider

BASE_DIR = Path(__file__).resolve().parent.parent
SHORTEST_SECRET_KEY = 50  # characters; what Django's own deployment check asks for

env = environ.Env()
environ.Env.read_env(env.str("NORTHSTAR_ENV_FILE", default=str(BASE_DIR / ".env")))


PRODUCTION = env.bool("NORTHSTAR_PRODUCTION", default=False)
DATA_DIR = Path(env.str("NORTHSTAR_DATA", default=str(BASE_DIR / ".northstar"))).absolute()
DEMO = env.bool("DEMO", default=False)
BIND = env.str("BIND", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# Where people find the site; links in mails and on the terminal begin with it.
_host = "127.0.0.1" if BIND in {"0.0.0.0", "::"} else BIND  # noqa: S104 (a comparison)
SITE_URL = env.str("SITE_URL", default=f"http://{_host}:{PORT}")
WEB_WORKERS = env.int("WEB_WORKERS", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=4)
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)
REFRESH_MINUTES = env.int("NORTHSTAR_REFRESH_MINUTES", default=15)  # between two looks at a source
LEASE_SECONDS = env.int("NORTHSTAR_LEASE_SECONDS", default=300)  # a silent worker loses its run after this
# Where warehouses may lie. None listed: any host but this machine, the link's and the cloud's own addresses.
WAREHOUSE_HOSTS = env.list("WAREHOUSE_HOSTS", default=[])
WAREHOUSE_FILES = env.list("WAREHOUSE_FILES", default=[])
# Commands may name any file while no directory is listed: who gives them has the machine. A page may not.
WAREHOUSE_FILES_ON_PAGES = WAREHOUSE_FILES or [str(BASE_DIR / "data"), str(DATA_DIR / "demo")]


def _required(name: str) -> str:
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} must be set when NORTHSTAR_PRODUCTION is true; see docs/settings.md."
        )
    return value


if PRODUCTION:
    SECRET_KEY = _required("SECRET_KEY")
    if len(SECRET_KEY) < SHORTEST_SECRET_KEY or "insecure" in SECRET_KEY or len(set(SECRET_KEY)) < 5:
        raise ImproperlyConfigured(
            f"SECRET_KEY must be random and have at least {SHORTEST_SECRET_KEY} characters when "
            "NORTHSTAR_PRODUCTION is true. docs/settings.md shows how to make one."
        )
    _required("NORTHSTAR_ENCRYPTION_KEYS")
    _required("DATABASE_URL")
    _required("REDIS_URL")
else:
    SECRET_KEY = env.str("SECRET_KEY", default="") or kept(DATA_DIR / "secret_key", get_random_secret_key)

# Secrets in the database are encrypted with the first; all of them decrypt, so that a key can be exchanged.
NORTHSTAR_ENCRYPTION_KEYS = env.list("NORTHSTAR_ENCRYPTION_KEYS", default=[]) or [
    kept(DATA_DIR / "encryption_key", lambda: Fernet.generate_key().decode())
]
try:
    for _key in NORTHSTAR_ENCRYPTION_KEYS:
        Fernet(_key)
except ValueError as error:
    raise ImproperlyConfigured(
        "NORTHSTAR_ENCRYPTION_KEYS must be Fernet keys, separated by commas; docs/settings.md shows how."
    ) from error


DEBUG = env.bool("DEBUG", default=False)
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured(
        "DEBUG shows secrets to visitors and is refused when NORTHSTAR_PRODUCTION is true."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "northstar",  # first: its `migrate` and `collectstatic` come before Django's
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rules",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "owners",
    "metrics",
    "demo",
]

MIDDLEWARE = [
    "northstar.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "northstar.middleware.BrowserPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "northstar.middleware.Sessions",
    "northstar.middleware.Privacy",
    "northstar.middleware.LocalTime",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "northstar.middleware.History",
    "django_htmx.middleware.HtmxMiddleware",
    "northstar.middleware.DefaultDeny",
]

ROOT_URLCONF = "northstar.urls"
WSGI_APPLICATION = "northstar.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "northstar.context.nonce",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"


EMBEDDED_DATABASE = not env.str("DATABASE_URL", default="")
DATABASE_POOL = env.int("DATABASE_POOL", default=0)
PG_BIN = env.str("PG_BIN", default="")  # where pg_dump and pg_restore are
EMBEDDED_BELL = not env.str("REDIS_URL", default="")
LAYOUT = Layout.of(DATA_DIR) if EMBEDDED_DATABASE or EMBEDDED_BELL else None

DATABASES: dict[str, dict[str, Any]]
if LAYOUT and EMBEDDED_DATABASE:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE,
            "USER": APP_ROLE,
            "HOST": str(LAYOUT.sockets),
        }
    }
    DATABASE_OWNER = {"USER": OWNER_ROLE}
else:
    DATABASES = {"default": database_of(env.str("DATABASE_URL"))}
    _owner = database_of(env.str("DATABASE_OWNER_URL", default="") or env.str("DATABASE_URL"))
    # Who migrates. The database itself is the same one.
    DATABASE_OWNER = {part: _owner.get(part, "") for part in ("USER", "PASSWORD", "HOST", "PORT")}

DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASE_POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 10}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


REDIS_URL = valkey.url(LAYOUT) if LAYOUT and EMBEDDED_BELL else env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "northstar.cache.TolerantRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "northstar",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
BROKER_TIMEOUT = 2  # seconds; a dead Redis must not hold up a request
# Celery names a unix socket in its own way.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # An unacknowledged task comes back after this many seconds. Shorter than a long recompute starts it
    # again while it runs (the ledger's fence would drop the second one's work, but it would still cost the
    # warehouse).
    "visibility_timeout": 6 * 3600,
    "socket_timeout": 30,
    "socket_connect_timeout": BROKER_TIMEOUT,
    "socket_keepalive": True,
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.2,
    "retry_on_timeout": False,
    "health_check_interval": 30,
}
CELERY_BROKER_CONNECTION_TIMEOUT = BROKER_TIMEOUT
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_TIMEZONE = "UTC"


AUTH_USER_MODEL = "owners.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "owners.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts come by invitation
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "owners.services.ways_in.ResetTokens"  # noqa: S105 (a class)
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds; as other links are good
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_FORMS = {
    "login": "owners.forms.accounts.SignInForm",
    "reset_password": "owners.forms.accounts.ForgottenForm",
    "change_password": "owners.forms.passwords.ChangePasswordForm",
    "set_password": "owners.forms.passwords.SetPasswordForm",
    "reset_password_from_key": "owners.forms.passwords.ResetPasswordKeyForm",
    "reauthenticate": "owners.forms.passwords.ConfirmPasswordForm",
}
# Tries are counted in PostgreSQL (owners/services/limits.py). The library's counts lie in the cache, let
# parallel tries through, and would shut out an office behind one address.
ACCOUNT_RATE_LIMITS = dict.fromkeys(
    ("login", "login_failed", "reset_password", "change_password", "reauthenticate")
)
MFA_ADAPTER = "owners.adapters.MFAAdapter"
MFA_FORMS = {
    "authenticate": "owners.forms.accounts.CodeForm",
    "reauthenticate": "owners.forms.accounts.ConfirmCodeForm",
    "add_webauthn": "owners.forms.passkeys.AddPasskeyForm",
    "edit_webauthn": "owners.forms.passkeys.RenamePasskeyForm",
    "login_webauthn": "owners.forms.passkeys.SignInPasskeyForm",
    "authenticate_webauthn": "owners.forms.passkeys.PasskeyForm",
    "reauthenticate_webauthn": "owners.forms.passkeys.ConfirmPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": None}  # counted in PostgreSQL: owners/services/limits.py
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a passkey is both factors: the device, and who holds it
try:
    OIDC = provider(
        issuer=env.str("OIDC_ISSUER", default=""),
        client_id=env.str("OIDC_CLIENT_ID", default=""),
        client_secret=env.str("OIDC_CLIENT_SECRET", default=""),
        name=env.str("OIDC_NAME", default=""),
        scopes=env.str("OIDC_SCOPES", default="openid email profile").split(),
        groups_claim=env.str("OIDC_GROUPS_CLAIM", default="groups"),
        roles=env.str("OIDC_ROLES", default=""),
        unmapped=env.str("OIDC_UNMAPPED", default="refuse"),
        create=env.bool("OIDC_CREATE", default=False),
        only=env.bool("OIDC_ONLY", default=False),
        production=PRODUCTION,
    )
except ProviderMistake as mistake:
    raise ImproperlyConfigured(str(mistake)) from mistake
# The addresses that tries to sign in are counted by. Behind a proxy it is the last one that the proxy names.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0


API_READS_PER_MINUTE = env.int("API_READS_PER_MINUTE", default=600)  # of one token or person
API_WRITES_PER_MINUTE = env.int("API_WRITES_PER_MINUTE", default=120)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["owners.api.Bearer", "owners.api.Session"],
    "DEFAULT_THROTTLE_CLASSES": ["owners.api.Counted"],
    "DEFAULT_PERMISSION_CLASSES": ["owners.api.RoutePermission"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "owners.api.OneForm",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["metrics.api.parsing.StrictJSON"],
    "DEFAULT_PAGINATION_CLASS": "metrics.api.paging.Paging",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "North Star",
    "DESCRIPTION": "Metrics, their stored figures, targets and the leaders who answer for them; figures that "
    "people count can be entered. Everything is read and entered by the rights of whoever asks.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["owners.api.RoutePermission"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
}


STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))).absolute()
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "northstar.finders.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "northstar.statics.QuickStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True


# A grid of targets has six fields a metric.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

SECURE_COOKIES = env.bool("SECURE_COOKIES", default=PRODUCTION)
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # asked from inside, without a proxy
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=30 * 24 * 3600 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Subdomains and preload lists concern the whole domain, which is its owner's to decide, not this program's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]


MAIL_SERVER = bool(env.str("EMAIL_URL", default=""))  # else nothing leaves this computer
if MAIL_SERVER:
    vars().update(env.email_url("EMAIL_URL"))
else:
    # Without a mail server nothing is lost and nothing is sent: each mail is a file to look at.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
# Web hooks: hosts and networks that may be asked though they are not public; see owners/outgoing.py.
OUTGOING_ALLOW = [name.lower() for name in env.list("OUTGOING_ALLOW", default=[])]
OUTGOING_HTTP = env.bool("OUTGOING_HTTP", default=False)
OUTGOING_CA_FILE = env.str("OUTGOING_CA_FILE", default="")
REMIND_BEFORE = env.int("REMIND_BEFORE", default=1)  # working days before a check-in is due
NOTICES_KEPT = env.int("NOTICES_KEPT", default=180)  # days that sent notices are kept; at least 30
NOTICES_GUIDE = "metrics.guide"  # tells the outbox of metrics and holidays; see owners/guide.py
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="northstar@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL


LOGGING = logs.configuration(
    level=env.str("LOG_LEVEL", default="INFO" if PRODUCTION else "WARNING").upper(),
    as_json=env.bool("LOG_JSON", default=PRODUCTION),
)

# Every change has a history, the removal of a row too.
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
