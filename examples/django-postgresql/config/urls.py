from django.urls import path

from guestbook.views import guestbook

urlpatterns = [path("", guestbook)]
