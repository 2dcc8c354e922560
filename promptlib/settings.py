"""Every setting of promptlib. Values come from the environment (and `.env`); docs/configuration.md names each one."""

from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from promptlib.core.logs import hide_secrets

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# ---- the installation ------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is empty. Put a long random text into .env; script/server does it for you.")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
REGISTRATION = env.str("REGISTRATION", default="open")
if REGISTRATION not in {"open", "invite", "closed"}:
    raise ImproperlyConfigured("REGISTRATION must be open, invite or closed.")
PUBLIC_LIBRARY = env.bool("PUBLIC_LIBRARY", default=False)
CURRENCY = env.str("CURRENCY", default="EUR")
ECHO_PROVIDER = env.bool("ECHO_PROVIDER", default=False)
AUDIT_SEAL_KEYS = env.list("AUDIT_SEAL_KEYS", default=[])
AUDIT_SEAL_FILE = env.str("AUDIT_SEAL_FILE", default="")
ACCOUNT_GRACE_DAYS = env.int("ACCOUNT_GRACE_DAYS", default=14)
AUDIT_ARCHIVE_DIR = env.str("AUDIT_ARCHIVE_DIR", default="")
AUDIT_ARCHIVE_DAYS = env.int("AUDIT_ARCHIVE_DAYS", default=730)
RETENTION_TRASH_DAYS = env.int("RETENTION_TRASH_DAYS", default=30)
PROVIDER_HOSTS = [host.lower() for host in env.list("PROVIDER_HOSTS", default=[])]
PROVIDER_CONNECT_SECONDS = env.float("PROVIDER_CONNECT_SECONDS", default=10)
PROVIDER_FIRST_TOKEN_SECONDS = env.float("PROVIDER_FIRST_TOKEN_SECONDS", default=60)
PROVIDER_TOTAL_SECONDS = env.float("PROVIDER_TOTAL_SECONDS", default=300)
PROVIDER_ATTEMPTS = env.int("PROVIDER_ATTEMPTS", default=3)
ORPHAN_SECONDS = env.float("ORPHAN_SECONDS", default=60)
STREAMS_PER_PROCESS = env.int("STREAMS_PER_PROCESS", default=250)

# ---- applications ----------------------------------------------------------

INSTALLED_APPS = [
    "promptlib.core",
    "auditlog",
    "audit",
    "accounts",
    "templates_app",
    "conversations",
    "promptlib.site",
    "accounts.admin_config.SecureAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "promptlib.core.middleware.PrivateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "promptlib.core.middleware.FragmentMiddleware",
    "promptlib.core.middleware.BodyLimitMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "accounts.middleware.ClosingMiddleware",
    "audit.middleware.AuditMiddleware",
]

ROOT_URLCONF = "promptlib.urls"
WSGI_APPLICATION = "promptlib.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "promptlib.core.templatetags.interface",
            ],
        },
    }
]

FORM_RENDERER = "promptlib.core.forms.InterfaceRenderer"

# ---- database --------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'promptlib.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    DATABASES["default"] |= {
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
            **DATABASES["default"].get("OPTIONS", {}),
        },
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_0900_ai_ci"},
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                "PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;"
            ),
            **DATABASES["default"].get("OPTIONS", {}),
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES = {"auditlog": None}

# ---- people and sign-in ----------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "handle", "display_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
CONTACT = env.str("CONTACT", default="")
ADMIN_REQUIRES_SECOND_FACTOR = env.bool("ADMIN_REQUIRES_SECOND_FACTOR", default=False)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.models.display_name"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "accounts.signin_forms.LoginForm",
    "signup": "accounts.signin_forms.SignupForm",
    "add_email": "accounts.signin_forms.AddEmailForm",
    "change_password": "accounts.signin_forms.ChangePasswordForm",
    "set_password": "accounts.signin_forms.SetPasswordForm",
    "reset_password": "accounts.signin_forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.signin_forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.signin_forms.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.second_factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.second_factor_forms.ReauthenticateForm",
    "activate_totp": "accounts.second_factor_forms.ActivateTOTPForm",
    "add_webauthn": "accounts.second_factor_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.second_factor_forms.EditPasskeyForm",
    "authenticate_webauthn": "accounts.second_factor_forms.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "accounts.second_factor_forms.ReauthenticatePasskeyForm",
    "login_webauthn": "accounts.second_factor_forms.LoginPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Else a second factor would have to be removed before an e-mail address can change.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "mandatory"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "promptlib"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG or BASE_URL.startswith("http://")
USERSESSIONS_ADAPTER = "accounts.adapter.SessionsAdapter"
# E-mail is unique among living people only (a constraint with `alive`), which the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

# ---- e-mail, cache, files --------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="promptlib <promptlib@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "promptlib.core.storage.StaticStorage"
        )
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MAX_BODY_BYTES = 20 * 1024 * 1024
CONVERSATION_IMPORT_MB = env.int("CONVERSATION_IMPORT_MB", default=100)
MAX_BODY_BYTES_OF = {"/conversations/imports/": (CONVERSATION_IMPORT_MB + 1) * 1024 * 1024}
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000  # a contract of 200 variables, each with a dozen fields, and 200 examples

# ---- words and clocks ------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
USE_TZ = True
TIME_ZONE = "UTC"

# ---- audit -----------------------------------------------------------------

AUDITLOG_LOGENTRY_MODEL = "audit.AuditLog"
AUDITLOG_STORE_JSON_CHANGES = True
AUDITLOG_USE_BASE_MANAGER = True
AUDITLOG_MASK_CALLABLE = "audit.masking.mask"
AUDITLOG_CID_GETTER = "audit.context.request_id"

# ---- security --------------------------------------------------------------

HTTPS = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside the container, without the proxy
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=HTTPS)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=HTTPS)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# ---- logs ------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="console")
_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
    hide_secrets,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _shared_processors,
        },
        "console": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.dev.ConsoleRenderer(colors=False),
            "foreign_pre_chain": _shared_processors,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {"django.server": {"level": "INFO"}},
}
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
