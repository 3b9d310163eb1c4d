"""The last of the installed apps, so that every permission exists when the roles are given theirs."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "smartlock.people"
    label = "people"

    def ready(self) -> None:
        post_migrate.connect(_give_roles, sender=self)


def _give_roles(**kwargs: Any) -> None:
    from smartlock.people.roles import install

    install()
