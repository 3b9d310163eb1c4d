"""People of each role, signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "a-long-password"
Join = Callable[..., Client]


def make_person(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


@pytest.fixture
def join(db: None) -> Join:
    """``join("viewer")``: a client signed in as somebody in that group."""

    def signed_in(*groups: str) -> Client:
        client = Client()
        client.force_login(make_person("-".join(groups) or "nobody", *groups))
        return client

    return signed_in
