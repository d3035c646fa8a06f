"""Settings, all from the environment (django-environ); the defaults are the embedded mode of ``make run``.

| variable | meaning | default |
|---|---|---|
| DEMONSTRATION | demonstration data, one-click sign-in; refused off a local address | true when SECRET_KEY is unset |
| SECRET_KEY | required outside the demonstration | a key kept in var/ |
| DEBUG | Django's debug pages | false |
| ALLOWED_HOSTS | names the site answers to | 127.0.0.1, localhost |
| DATABASE_URL | PostgreSQL in production | SQLite in var/ |
| CELERY_BROKER_URL | Redis or RabbitMQ | an SQLite file in var/ |
| CACHE_URL | shared cache for rate limits when there are several workers | local memory |
| TRUSTED_PROXY_COUNT | proxies before the site, for the limits of sign-in attempts | 0 |
| EMAIL_URL | SMTP server | console |
| EMAIL_TIMEOUT | seconds the SMTP server may stay silent | 20 |
| DEFAULT_FROM_EMAIL | the sender people read, on a domain that allows this server (SPF, DKIM) | groupements@localhost |
| SITE_URL | the address people use, for the links of mails and calendars | http://127.0.0.1: and PORT, or 8000 |
| SIGNED_LINK_DAYS | how long a member's answering link stays open | 60 |
| SAVINGS_REFERENCE_BAND | the mark drawn on the charts, in %: what the bilan 2016 announced; empty for none | 20,30 |
| SAVINGS_PLAUSIBLE | gains outside these %, both included, ask for a comment; nothing is blocked | 0,30 |
| DATA_DIR | everything the product writes | var/ |
"""

import secrets
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
SAVINGS_REFERENCE_BAND = tuple(env.list("SAVINGS_REFERENCE_BAND", cast=int, default=[20, 30]))
SAVINGS_PLAUSIBLE = tuple(env.list("SAVINGS_PLAUSIBLE", cast=int, default=[0, 30]))
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
DEMONSTRATION = env.bool("DEMONSTRATION", default="SECRET_KEY" not in env.ENVIRON)


def _demonstration_key() -> str:
    """A secret of this machine only, so that sessions survive a restart and no key is ever committed."""
    path = DATA_DIR / "demonstration.key"
    if not path.exists():
        path.write_text(secrets.token_urlsafe(64))
        path.chmod(0o600)
    return path.read_text()


SECRET_KEY = env("SECRET_KEY", default=None) or (_demonstration_key() if DEMONSTRATION else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "djmoney",
    "procurement.core",
    "members",
    "groupings",
    "savings",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "members.middleware.CurrentAffiliationMiddleware",
    "procurement.core.middleware.ReadOnlyGetMiddleware",
    "procurement.core.middleware.BusinessErrorMiddleware",
]

ROOT_URLCONF = "procurement.urls"
WSGI_APPLICATION = "procurement.wsgi.application"
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
                "members.context_processors.current_affiliation",
            ],
            "builtins": ["procurement.core.templatetags.fr", "groupings.templatetags.grouping_nav"],
        },
    }
]
FORM_RENDERER = "procurement.core.forms.FormRenderer"
DJANGO_TABLES2_TEMPLATE = "components/table.html"

# SQLite for one métropole: WAL lets readers read while one writes; IMMEDIATE takes the write lock at once, since a
# read that turns into a write fails with "database is locked" whatever the timeout (measured: 77 % of transactions).
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
}
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'groupements.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600  # measured: twice the requests per second on PostgreSQL
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# CNIL, délibération 2022-100: twelve characters, throttled, no forced renewal.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "members.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # sign-up is closed; this is what gives the sign-in form its password
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 900
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True  # until SESSION_COOKIE_AGE, without asking
ACCOUNT_CHANGE_EMAIL = True  # one address per account, replaced once the new one is confirmed
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# How many proxies stand before the site: without it the limits of sign-in attempts would count the proxy's address.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_ADAPTER = "members.accounts.MFAAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Groupements de commandes] "
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Groupements de commandes"

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)  # a silent server would hold its worker for ever
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="groupements@localhost")
SIGNED_LINK_DAYS = env.int("SIGNED_LINK_DAYS", default=60)
# Without a request to ask: a task, a command. No final slash, reverse() begins with one.
SITE_URL = env("SITE_URL", default=f"http://127.0.0.1:{env('PORT', default='8000')}").rstrip("/")

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False  # True would write years as "2 026" and break addresses
CURRENCIES = ("EUR",)
DEFAULT_CURRENCY = "EUR"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns at start when it is missing
STATICFILES_DIRS = [BASE_DIR / "procurement" / "static"]
# The demonstration serves the files where they lie; production collects, compresses and names them by content.
WHITENOISE_USE_FINDERS = DEMONSTRATION or DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Documents are never served by their path: a view checks visible_to and sends the bytes.
MEDIA_ROOT = DATA_DIR / "documents"
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
SPREADSHEET_MAX_BYTES = 10 * 1024 * 1024

# Everything from this host, nothing inline. data: is for the SVG arrows inside bootstrap.min.css.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not (DEBUG or DEMONSTRATION):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=f"sqla+sqlite:///{DATA_DIR / 'broker.sqlite3'}")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # without it a killed child loses its task even with late acknowledgement
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True  # the Job row is the truth, the broker only a bell
CELERY_TASK_TIME_LIMIT, CELERY_TASK_SOFT_TIME_LIMIT = 1800, 1700
CELERY_TASK_DEFAULT_QUEUE = "groupements"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 4
CELERY_TIMEZONE = TIME_ZONE
if CELERY_BROKER_URL.startswith("redis"):
    # Longer than the longest task, else it runs twice; the default sweep of unacknowledged tasks takes 100 s.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "core.sweep_jobs", "schedule": 60.0},
    "send-mail": {"task": "core.send_mail", "schedule": 60.0},
    "send-reminders": {"task": "groupings.send_reminders", "schedule": crontab(hour=6, minute=30)},
    "enter-amendments": {"task": "groupings.enter_amendments", "schedule": crontab(hour=0, minute=20)},
    "check-ledger": {"task": "savings.check_ledger", "schedule": crontab(hour=4, minute=10)},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING")},
    # fontTools and svglib explain every glyph they meet
    "loggers": {"fontTools": {"level": "ERROR"}, "svglib": {"level": "ERROR"}},
}
