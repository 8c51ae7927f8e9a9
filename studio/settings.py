"""All settings, from typed environment variables; docs/configuration.md explains each."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huey.serializer import SignedSerializer

from studio import hosts
from studio.env import (
    check_sign_in,
    database,
    env_bool,
    env_int,
    env_list,
    env_networks,
    env_span,
    env_str,
    kept_secret,
    mail_server,
    sqlalchemy_url,
    url_host,
    writable_folder,
)

# Before numpy comes in: its BLAS would start threads, and whoever forks must have one alone. The
# studio sums columns and multiplies nothing; trials have an environment of their own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where the studio lives and listens ---------------------------------------------------------
STUDIO_HOME = writable_folder(
    Path(env_str("STUDIO_HOME", str(BASE_DIR / "var"))).expanduser().resolve(), "STUDIO_HOME"
)
STUDIO_HOST = env_str("STUDIO_HOST", "127.0.0.1")
STUDIO_PORT = env_int("STUDIO_PORT", 8000, 1, 65535)
STUDIO_URL = env_str(
    "STUDIO_URL",
    f"http://{url_host(STUDIO_HOST)}:{STUDIO_PORT}",
).rstrip("/")
# One of several hosts: what it is called, and which parts of the studio it has.
STUDIO_PARTS = hosts.parts_from(env_list("STUDIO_PARTS"))
STUDIO_NODE = hosts.node_from(env_str("STUDIO_NODE"), STUDIO_PARTS)
os.environ["STUDIO_NODE"] = STUDIO_NODE  # runners know no settings
# Trials of this machine reach the gateway over loopback, if it is here.
_WEB = f"http://127.0.0.1:{STUDIO_PORT}" if "web" in STUDIO_PARTS else STUDIO_URL
STUDIO_GATEWAY = env_str("STUDIO_GATEWAY_URL", _WEB).rstrip("/") + "/tracking"
# Names in other people's job files that mean one of our computes: "cpu-cluster=local,…".
STUDIO_COMPUTE_ALIAS = dict(
    pair.split("=", 1) for pair in env_list("STUDIO_COMPUTE_ALIAS") if "=" in pair
)
# How long building an environment may take.
STUDIO_BUILD_MINUTES = env_int("STUDIO_BUILD_MINUTES", 60, 1, 10_000)
# Computes whose trials run as users of their own: from which numbers these are taken, how many
# processes each may have at a time, and whether there are to be no others.
STUDIO_ISOLATED_UIDS = env_span("STUDIO_ISOLATED_UIDS", "200000-260000", 1000, 2**31 - 2)
STUDIO_ISOLATED_PROCESSES = env_int("STUDIO_ISOLATED_PROCESSES", 4096, 64, 1_000_000)
STUDIO_ISOLATED_ONLY = env_bool("STUDIO_ISOLATED_ONLY")
STUDIO_LOG_CAP_MB = env_int("STUDIO_LOG_CAP_MB", 50, 1, 100_000)
# Less than this free in STUDIO_HOME pauses all sweeps; 0: never.
STUDIO_MIN_FREE_MB = env_int("STUDIO_MIN_FREE_MB", 500, 0, 10_000_000)
STUDIO_UPLOAD_CAP_MB = env_int("STUDIO_UPLOAD_CAP_MB", 1024, 1, 1_000_000)
# Inputs by http(s): the largest, and whether hosts of private networks may be asked.
STUDIO_DOWNLOAD_CAP_MB = env_int("STUDIO_DOWNLOAD_CAP_MB", 10_240, 1, 10_000_000)
STUDIO_DOWNLOAD_PRIVATE = env_bool("STUDIO_DOWNLOAD_PRIVATE")
# Whether notices may go to hosts of private networks.
STUDIO_NOTIFY_PRIVATE = env_bool("STUDIO_NOTIFY_PRIVATE")
# Requests a minute that one API token may make; 0: any number.
STUDIO_API_RATE = env_int("STUDIO_API_RATE", 1200, 0, 1_000_000)
# Requests a minute with a wrong token that one address may make; 0: any number.
STUDIO_WRONG_TOKEN_RATE = env_int("STUDIO_WRONG_TOKEN_RATE", 60, 0, 1_000_000)
# Of one trial's outputs so much becomes artifacts.
STUDIO_OUTPUT_CAP_MB = env_int("STUDIO_OUTPUT_CAP_MB", 10_240, 1, 10_000_000)
STUDIO_OUTPUT_MAX_FILES = env_int("STUDIO_OUTPUT_MAX_FILES", 10_000, 1, 1_000_000)
# Requests a minute that one person's pages may make; 0: any number.
STUDIO_PAGE_RATE = env_int("STUDIO_PAGE_RATE", 12_000, 0, 10_000_000)
# Sweeps that a workspace may have; 0: any number.
STUDIO_MAX_SWEEPS = env_int("STUDIO_MAX_SWEEPS", 1_000, 0, 10_000_000)
# What a workspace may take of the disk, in GB of 10^9 bytes; 0: all of it.
STUDIO_WORKSPACE_QUOTA_GB = env_int("STUDIO_WORKSPACE_QUOTA_GB", 0, 0, 10_000_000)
# So long the audit log is kept; 0: for ever.
STUDIO_AUDIT_DAYS = env_int("STUDIO_AUDIT_DAYS", 0, 0, 36_500)
DEBUG = env_bool("STUDIO_DEBUG")
SECRET_KEY = env_str("STUDIO_SECRET_KEY") or kept_secret(STUDIO_HOME / "secret_key")
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    STUDIO_HOST,
    urlsplit(STUDIO_URL).hostname or "",
    *env_list("STUDIO_ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = [STUDIO_URL]

# --- Behind a proxy with TLS: all of it follows from STUDIO_URL ---------------------------------
BEHIND_TLS = STUDIO_URL.startswith("https://")
# The proxy says how it was asked, and must not pass on what its client says of it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_SSL_HOST = urlsplit(STUDIO_URL).netloc
# Programs of this machine, trials first, speak HTTP over loopback; and whoever sends a token
# without TLS has given it away before any redirect.
SECURE_REDIRECT_EXEMPT = [r"^tracking/", r"^relay/", r"^api/", r"^healthz$"]
SECURE_HSTS_SECONDS = (
    env_int("STUDIO_HSTS_SECONDS", 30 * 24 * 3600, 0, 10 * 365 * 24 * 3600) if BEHIND_TLS else 0
)
# What is for all subdomains or for browsers' lists speaks for hosts that are not ours.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Tracking: MLflow's server behind the gateway -----------------------------------------------
TRACKING_STORE = sqlalchemy_url(
    env_str("STUDIO_TRACKING_STORE", f"sqlite:///{STUDIO_HOME / 'mlflow.db'}")
)
TRACKING_ARTIFACTS = STUDIO_HOME / "artifacts"
TRACKING_SECRET_FILE = STUDIO_HOME / "tracking_secret"
# Where other hosts reach this one's, and where this host reaches another's.
TRACKING_LISTEN = hosts.address_from(env_str("STUDIO_TRACKING_LISTEN"))
TRACKING_URL = env_str("STUDIO_TRACKING_URL").rstrip("/")
# The supervisor chooses the port and tells its processes; 0: not under a supervisor.
WEB_MEMORY_MB = env_int("STUDIO_WEB_MEMORY_MB", 3072, 1024, 10_000_000)
TRACKING_MEMORY_MB = env_int("STUDIO_TRACKING_MEMORY_MB", 3072, 1024, 10_000_000)
TRACKING_PORT = env_int("STUDIO_TRACKING_PORT", 0, 0, 65535)
# When the supervisor started, by the clock that all processes share; 0: not under a supervisor.
STARTED_S = 0.0

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "huey.contrib.djhuey",
    "ninja",
    "studio",
    "sweeps",
]
MIDDLEWARE = [
    # First, so that what the others answer themselves carries it too.
    "studio.security_headers.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "studio.middleware.refuse_nul",
    "studio.middleware.note_who_acts",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "studio.middleware.private_pages",
    "studio.limits.refuse_large_bodies",
    "studio.limits.slow_down",
    "django.middleware.common.CommonMiddleware",
    "studio.middleware.judge_slow_forms",
    "studio.middleware.refuse_long_forms",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "studio.proxies.sign_in_by_proxy",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "studio.middleware.sign_in_over_htmx",
    "studio.limits.refuse_broken_bodies",
]
ROOT_URLCONF = "studio.urls"
WSGI_APPLICATION = "studio.wsgi.application"
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
                "sweeps.context.frame",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data ---------------------------------------------------------------------------------------
DATABASES = {"default": database(env_str("DATABASE_URL"), STUDIO_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env_str("REDIS_URL")
hosts.check(
    node=STUDIO_NODE,
    parts=STUDIO_PARTS,
    database=env_str("DATABASE_URL"),
    redis=REDIS_URL,
    store=TRACKING_STORE,
    tracking=TRACKING_URL,
)
# Huey carries wake-ups only: ids, signed. `immediate` is said outright because Huey's default
# follows DEBUG and would run trials inside the request.
HUEY: dict[str, Any] = {
    "name": "studio",
    "immediate": False,
    "results": False,
    "serializer": SignedSerializer(SECRET_KEY, salt="studio-queue"),
    "consumer": {
        "workers": 7,
        "worker_type": "thread",
        # Waits after an error; messages themselves are handed over at once.
        "initial_delay": 0.1,
        "max_delay": 2.0,
        "backoff": 1.5,
        "check_worker_health": True,
        "health_check_interval": 5,
        "periodic": False,
    },
}
if REDIS_URL:
    HUEY |= {"huey_class": "studio.queues.StudioRedisHuey", "url": REDIS_URL}
else:
    HUEY |= {
        "huey_class": "studio.queues.StudioSqliteHuey",
        "filename": str(STUDIO_HOME / "huey.db"),
    }

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "studio.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
# Reverse proxies whose word counts: where a request came from, and, in this header, who sent it.
STUDIO_PROXY_TRUSTED = env_networks("STUDIO_PROXY_TRUSTED")
STUDIO_PROXY_USER_HEADER = env_str("STUDIO_PROXY_USER_HEADER")
STUDIO_PROXY_SECRET = env_str("STUDIO_PROXY_SECRET")
STUDIO_PROXY_SIGN_UP = env_bool("STUDIO_PROXY_SIGN_UP")
# An OpenID provider, what its button says, and whether whoever it knows gets an account.
STUDIO_OIDC_ISSUER = env_str("STUDIO_OIDC_ISSUER")
STUDIO_OIDC_CLIENT_ID = env_str("STUDIO_OIDC_CLIENT_ID")
STUDIO_OIDC_CLIENT_SECRET = env_str("STUDIO_OIDC_CLIENT_SECRET")
STUDIO_OIDC_BUTTON = env_str("STUDIO_OIDC_BUTTON", "Sign in with single sign-on")
STUDIO_OIDC_SIGN_UP = env_bool("STUDIO_OIDC_SIGN_UP")
check_sign_in(
    issuer=STUDIO_OIDC_ISSUER,
    client=(STUDIO_OIDC_CLIENT_ID, STUDIO_OIDC_CLIENT_SECRET),
    header=STUDIO_PROXY_USER_HEADER,
    trusted=STUDIO_PROXY_TRUSTED,
    secret=STUDIO_PROXY_SECRET,
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_ENGINE = "studio.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
# Two studios on one host differ in port only, which cookies do not see. Where there is TLS, no
# program that listens on another port of the host can set them (RFC 6265bis, 4.1.3.2).
_COOKIE = "__Host-studio" if BEHIND_TLS else "studio"
# Of several hosts each takes the others' cookies, whatever port it has itself.
_PORT = (urlsplit(STUDIO_URL).port or "hosts") if STUDIO_NODE else STUDIO_PORT
SESSION_COOKIE_NAME = f"{_COOKIE}_session_{_PORT}"
CSRF_COOKIE_NAME = f"{_COOKIE}_csrf_{_PORT}"

# --- Mail: only notices go out by it -----------------------------------------------------------
STUDIO_SMTP_URL = env_str("STUDIO_SMTP_URL")
globals().update(mail_server(STUDIO_SMTP_URL, "STUDIO_SMTP_URL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_str("STUDIO_MAIL_FROM", "Sweep Studio <studio@localhost>")

# --- Files and texts ----------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = (STUDIO_HOME / "hosts" / STUDIO_NODE if STUDIO_NODE else STUDIO_HOME) / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_str("STUDIO_LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "huey": {"level": "WARNING"},
    },
}
