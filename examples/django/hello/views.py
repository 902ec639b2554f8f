import os

from django.db import OperationalError
from django.shortcuts import render

from .models import Visit


def home(request):
    context = {
        "app": os.environ.get("HEROKU_APP_NAME", "this machine"),
        "dyno": os.environ.get("DYNO", "no dyno"),
        "release": os.environ.get("HEROKU_RELEASE_VERSION", "no release"),
        "visits": count_visit(),
    }
    return render(request, "hello/home.html", context)


def count_visit():
    """How often this dyno was asked; nothing where its disk has no table yet.

    The release command migrates the disk of its own one-off dyno, which is gone when the web dyno starts. With a
    database add-on both would see the same tables.
    """
    try:
        Visit.objects.create()
        return Visit.objects.count()
    except OperationalError:
        return None
