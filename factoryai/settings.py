"""One settings file for the embedded and the production installation; `docs/configuration.md` explains each name."""

import datetime as dt
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from factoryai import env as parse
from factoryai.env import Env, SettingError

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env.beside(BASE_DIR)

# Where and how it runs

MODE = env.text("FACTORYAI_MODE", "embedded", choices=("embedded", "production"))
IS_PRODUCTION = MODE == "production"
DATA_DIR = Path(env.text("FACTORYAI_DATA_DIR", str(BASE_DIR / "data"))).resolve()
DEBUG = env.flag("FACTORYAI_DEBUG")
if DEBUG and IS_PRODUCTION:
    raise SettingError("FACTORYAI_DEBUG", "debugging is never on in production", "Remove it, or set it to false.")

PULSE = env.text("FACTORYAI_PULSE")


def _key(name: str, file_name: str) -> str:
    """Return a key from the environment or from the file that `up` made in the data folder; empty when neither is."""
    path = DATA_DIR / file_name
    return env.raw(name) or (path.read_text(encoding="utf-8").strip() if path.is_file() else "")


SECRET_KEY = _key("FACTORYAI_SECRET_KEY", "secret.key")
FIELD_KEYS = parse.each("FACTORYAI_FIELD_KEY", parse.split(_key("FACTORYAI_FIELD_KEY", "field.key")), parse.fernet_key)
if IS_PRODUCTION and not (SECRET_KEY and FIELD_KEYS):
    raise SettingError(
        "FACTORYAI_SECRET_KEY and FACTORYAI_FIELD_KEY",
        "production needs both",
        "Make them with `python manage.py make_keys` and keep them outside the database.",
    )
if IS_PRODUCTION and parse.is_weak_secret(SECRET_KEY):
    raise SettingError(
        "FACTORYAI_SECRET_KEY",
        "it is too short, too plain, or a default",
        "Write the one that `python manage.py make_keys` prints: at least 50 characters.",
    )
SECRET_KEY = SECRET_KEY or get_random_secret_key()

ALLOWED_HOSTS = env.each("FACTORYAI_HOSTS", [] if IS_PRODUCTION else ["*"], parse.host)
if IS_PRODUCTION and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise SettingError(
        "FACTORYAI_HOSTS",
        "production must know the names it is reached by",
        "Write host names like factory.example.com, separated by commas.",
    )
TRUSTED_PROXIES = env.each("FACTORYAI_TRUSTED_PROXIES", [], parse.network)

# Applications

INSTALLED_APPS = [
    "factoryai.apps.FactoryAIConfig",
    "factoryai.apps.FactoryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "channels",
    "django_celery_beat",
    "axes",
    "factoryai.sites",
    "factoryai.alerts",
    "factoryai.jobs",
    "streaming",
    "identity",
    "attendance",
    "vehicles",
    "occupancy",
]

# Every one is async: a sync one holds a thread for each viewer of a stream, as long as it watches.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "factoryai.middleware.ResponseHeaders",
    "factoryai.middleware.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "factoryai.middleware.LockedOut",
]

ROOT_URLCONF = "factoryai.urls"
ASGI_APPLICATION = "factoryai.asgi.application"

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
            ]
        },
    }
]

# Database, broker, files

DATABASES = {
    "default": parse.database("DATABASE_URL", env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'factoryai.sqlite3'}"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = parse.redis("REDIS_URL", env.text("REDIS_URL", f"unix://{DATA_DIR / 'valkey.sock'}"))

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "visibility_timeout": 3600,
    "global_keyprefix": "factoryai:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "factoryai.jobs.scheduler:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_CRON_STARTING_DEADLINE = 1800
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}

# Time and language

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

# Static files and media

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},  # a third of the bytes
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

MEDIA_PLACE = env.checked("FACTORYAI_MEDIA_URL", str(DATA_DIR / "media"), parse.media_place)

# People

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
ADMIN_PASSWORD = env.text("FACTORYAI_ADMIN_PASSWORD")

# One person from one address is stopped, not the factory behind that address nor the person everywhere.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = dt.timedelta(minutes=10)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]
AXES_LOCKOUT_CALLABLE = "factoryai.logins.locked_out"
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # factoryai.middleware.LockedOut stands for its middleware

# The API

API_RATE = env.whole("FACTORYAI_API_RATE", 12_000, low=0, high=10_000_000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["factoryai.throttles.PerAccount"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["factoryai.rest.JSONParser"],
    "URL_FORMAT_OVERRIDE": None,  # `format` is a word of the payroll export
    "DEFAULT_PAGINATION_CLASS": "factoryai.rest.Page",
    "DEFAULT_FILTER_BACKENDS": [
        "factoryai.sites.permissions.ScopedFilters",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "factoryai.schema.Schema",
    "EXCEPTION_HANDLER": "factoryai.rest.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": dt.timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": dt.timedelta(days=7),
    "CHECK_REVOKE_TOKEN": True,  # a token dies with the password it was got by
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Factory AI",
    "DESCRIPTION": "Attendance, vehicles, occupancy and identity from a factory's own cameras.",
    "VERSION": "1.0.0",
    "TAGS": [
        {"name": "auth", "description": "Logging in: a name and a password for two tokens."},
        {"name": "sites", "description": "Factories. What a person sees follows from their roles at each."},
        {"name": "employees", "description": "People, their faces, and what allows to use them."},
        {"name": "attendance", "description": "Shifts, punches, days, corrections, pay periods and the payroll."},
        {"name": "vehicles", "description": "Plates, the gate's lists, the log and visits."},
        {"name": "vehicle", "description": "The short address of `vehicles/validate-plate`."},
        {"name": "occupancy", "description": "People inside: zones, the count now, the sums, and the scheduler."},
        {"name": "identity", "description": "Whose face it is: search, sightings, unknown faces, kept pictures."},
        {"name": "cameras", "description": "Cameras, their state, and their pictures."},
        {"name": "alerts", "description": "What somebody must know, until somebody takes it on."},
        {"name": "operation", "description": "Whether it all works."},
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "displayRequestDuration": True, "filter": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "CameraDirection": "streaming.models.Camera.Direction",
        "PunchDirection": "attendance.models.punches.Punch.Direction",
        "PassageDirection": "vehicles.models.lists.ListEntry.Direction",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "factoryai.schema_names.polish",
        "factoryai.plain_views.describe",
        "factoryai.schema_examples.add_examples",
    ],
}
CORS_ALLOWED_ORIGINS = env.each("FACTORYAI_CORS_ORIGINS", [], parse.origin)
CORS_URLS_REGEX = r"^/api/"
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Frame-Age", "ETag"]

# What browsers are told

CSRF_FAILURE_VIEW = "factoryai.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^api/health$", r"^metrics$"]
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # the style attributes of charts, the admin and Swagger
    "img-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# Cameras and faces

CAMERA_NETWORKS = env.each(
    "FACTORYAI_CAMERA_NETWORKS", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"], parse.network
)
LOCAL_SOURCES = env.flag("FACTORYAI_LOCAL_SOURCES", not IS_PRODUCTION)
CLIPS_DIR = DATA_DIR / "clips"
FIRST_CAMERA_URL = env.checked("RTSP_URL", "", parse.camera_url)
FACE_ENGINE = env.text("FACTORYAI_FACE_ENGINE", "local", choices=("local", "rekognition"))
FACE_COLLECTION = env.checked("FACTORYAI_FACE_COLLECTION", "factoryai", parse.collection)
FACE_DAILY_REQUESTS = env.whole("FACTORYAI_FACE_DAILY_REQUESTS", 20_000, low=0, high=10_000_000)
FACE_GROUND = env.text("FACTORYAI_FACE_GROUND", "employment", choices=("employment", "consent"))
FACE_NOTICE = env.text("FACTORYAI_FACE_NOTICE", "1")
FACE_IDENTIFIED = "factoryai.pipeline.person_identified"
EMPLOYMENT_CHANGED = "factoryai.pipeline.employment_changed"
AWS_REGION = env.checked("AWS_REGION", "", parse.region)
AWS_ACCESS_KEY_ID = env.text("AWS_ACCESS_KEY_ID")
AWS_SECRET_ACCESS_KEY = env.text("AWS_SECRET_ACCESS_KEY")
AWS_ENDPOINT_URL_REKOGNITION = env.checked("AWS_ENDPOINT_URL_REKOGNITION", "", parse.service_url)
if FACE_ENGINE == "rekognition" and not AWS_REGION:
    raise SettingError("AWS_REGION", "rekognition needs a region", "Write a region like ap-south-1.")

# People inside

LOG_DAYS = env.whole("FACTORYAI_LOG_DAYS", 400, low=40, high=36_500)
PEOPLE_ON_SHIFT = "factoryai.pipeline.PEOPLE_ON_SHIFT"

# Mail, for alerts

EMAIL_CONFIG = parse.mail(env.text("FACTORYAI_EMAIL_URL"))
EMAIL_BACKEND = EMAIL_CONFIG["backend"]
EMAIL_HOST, EMAIL_PORT = EMAIL_CONFIG["host"], EMAIL_CONFIG["port"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL_CONFIG["user"], EMAIL_CONFIG["password"]
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_CONFIG["starttls"], EMAIL_CONFIG["tls"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("FACTORYAI_EMAIL_FROM", "factoryai@localhost")

# Logs: to the console, in UTC, without secrets

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "factoryai.redaction.Formatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            "secrets": [SECRET_KEY, *FIELD_KEYS, AWS_SECRET_ACCESS_KEY, ADMIN_PASSWORD, EMAIL_HOST_PASSWORD],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "axes": {"level": "WARNING"},
        # Two lines a job every ten seconds; how each went is in the table of jobs.
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
