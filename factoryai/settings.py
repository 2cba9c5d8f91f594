"""One settings file for the embedded and the production installation; `docs/configuration.md` explains each name."""

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


def _key(name: str, file_name: str) -> str:
    """Return a key from the environment or from the file that `up` made in the data folder; empty when neither is."""
    path = DATA_DIR / file_name
    return env.raw(name) or (path.read_text(encoding="utf-8").strip() if path.is_file() else "")


SECRET_KEY = _key("FACTORYAI_SECRET_KEY", "secret.key")
FIELD_KEYS = [key.strip() for key in _key("FACTORYAI_FIELD_KEY", "field.key").split(",") if key.strip()]
if IS_PRODUCTION and not (SECRET_KEY and FIELD_KEYS):
    raise SettingError(
        "FACTORYAI_SECRET_KEY and FACTORYAI_FIELD_KEY",
        "production needs both",
        "Make them with `python manage.py make_keys` and keep them outside the database.",
    )
SECRET_KEY = SECRET_KEY or get_random_secret_key()

ALLOWED_HOSTS = env.each("FACTORYAI_HOSTS", [] if IS_PRODUCTION else ["*"], parse.host)
TRUSTED_PROXIES = env.each("FACTORYAI_TRUSTED_PROXIES", [], parse.network)

# Applications

INSTALLED_APPS = [
    "factoryai",
    "django.contrib.admin",
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
    "factoryai.sites",
    "factoryai.alerts",
    "factoryai.jobs",
    "streaming",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}

# Time and language

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

# Static files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"

# People

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"

# The API

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
CORS_ALLOWED_ORIGINS = env.each("FACTORYAI_CORS_ORIGINS", [], parse.origin)

# Cameras

CAMERA_NETWORKS = env.each(
    "FACTORYAI_CAMERA_NETWORKS", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"], parse.network
)
