"""Settings come from config vars; the database's from the add-on's."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.management.utils import get_random_secret_key

SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["*"]  # the router only passes on requests for the app's own domains
INSTALLED_APPS = ["django.contrib.staticfiles", "guestbook"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"


def database(url):
    """postgres://user:password@host:port/name; a build has no database, and needs none."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port,
        # A connection of each thread is kept, and looked at before it is used: the add-on's plan limits how many.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": "require"},
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgres://nobody:@localhost:5432/none"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

# The Python buildpack collects them; there are none.
STATIC_URL = "static/"
STATIC_ROOT = Path(__file__).resolve().parent.parent / "staticfiles"
