"""The four groups and what each may do: one table, written into the database after every migration.

The groups of these names belong to SmartLock: what is changed in them by hand is set back. Who needs another mixture
makes a group of another name, or gives single permissions to a person. ``docs/people.md`` says the table in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission

CONTACTS = "reservations.view_contacts"
REVEAL = "locks.reveal_pin"
CHANGE_MESSAGE = "notifications.change_message"
CHANGE_EVENT = "webhooks.change_webhookevent"


@dataclass(frozen=True)
class Role:
    """Patterns over ``app.codename``; what ``never`` matches is taken out again."""

    may: tuple[str, ...]
    never: tuple[str, ...] = ()

    def has(self, permission: str) -> bool:
        return _matches(permission, self.may) and not _matches(permission, self.never)


ROLES: dict[str, Role] = {
    # Runs the houses: stays, doors, messages, and what went wrong with them. Not the machine room's settings.
    "operator": Role(
        may=(
            "reservations.*", "locks.*", "notifications.*", "webhooks.view_*", "webhooks.change_webhookevent",
            "scheduler.view_*", "scheduler.change_job", "audit.view_*",
        ),
        never=("*.delete_credential", "*.delete_reservation"),
    ),
    # Sees who comes when and whether the doors are ready: no contacts, no digits, no raw events, no acts.
    "viewer": Role(
        may=("reservations.view_*", "locks.view_*", "notifications.view_notice", "scheduler.view_*"), never=(CONTACTS,)
    ),
    # Sees what was done, by whom, with whose permission. No acts.
    "auditor": Role(
        may=(
            "reservations.view_*", "locks.view_*", "notifications.view_*", "webhooks.view_*", "scheduler.view_*",
            "audit.view_*", "auth.view_*", "axes.view_*", "people.view_*",
        ),
    ),
    # Keeps the machine running: jobs, queues, recurring jobs, events, locks' connections. No guests' contacts, no PINs.
    "engineer": Role(
        may=(
            "scheduler.*", "django_celery_beat.*", "django_celery_results.*", "webhooks.*", "locks.view_*",
            "locks.change_lock", "reservations.view_*", "notifications.view_notice", "audit.view_*", "api.*",
        ),
        never=(CONTACTS, REVEAL),
    ),
}  # fmt: skip


def install() -> None:
    """Make the groups and give each exactly its permissions. Safe to repeat."""
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, role in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set(permission for key, permission in known.items() if role.has(key))


def _matches(permission: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)
