"""Three people: an administrator, an operator with the usual permissions, and staff without any."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(db: None) -> Client:
    return _client(User.objects.create_superuser("boss", password="a-long-password"))


@pytest.fixture
def operator(db: None) -> Client:
    """May look at everything, and steer jobs and PINs; no superuser."""
    user = User.objects.create_user("olga", password="a-long-password", is_staff=True)
    acting = [
        "change_job",
        "change_queue",
        "change_credential",
        "change_webhookevent",
        "change_notice",
        "change_reservation",
    ]
    acting += ["add_reservation", "change_accommodation", "change_lock"]
    rooms = ["reservations", "locks", "scheduler", "webhooks", "notifications", "audit", "django_celery_results"]
    permissions = Permission.objects.filter(content_type__app_label__in=rooms)
    user.user_permissions.set(
        permissions.filter(codename__startswith="view_") | permissions.filter(codename__in=acting)
    )
    return _client(user)


@pytest.fixture
def newcomer(db: None) -> Client:
    """May log in, and see nothing yet."""
    return _client(User.objects.create_user("nina", password="a-long-password", is_staff=True))
