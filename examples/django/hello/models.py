from django.db import models


class Visit(models.Model):
    """One look at the page, as far as this dyno's own disk remembers."""

    at = models.DateTimeField(auto_now_add=True)
