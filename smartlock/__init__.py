"""The project: settings, Celery application, URLs, health, and the assembly of the rooms."""

from smartlock.celery import app as celery_app

__all__ = ("celery_app",)
