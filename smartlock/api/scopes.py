"""What a token may do: ``<resource>:read`` or ``<resource>:write``. Writing includes reading."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext_lazy as _

from smartlock.people.roles import CONTACTS

RESOURCES = {
    "reservations": _("stays and accommodations"),
    "credentials": _("PINs (never their digits)"),
    "jobs": _("jobs and queues"),
    "events": _("webhook events"),
    "locks": _("locks"),
    "recurring": _("recurring jobs"),
}
ALL = tuple(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write"))
# Short for several, in the command and the form.
GROUPS = {"read": tuple(scope for scope in ALL if scope.endswith(":read")), "all": ALL}
# What a person who is signed in to the admin site may read here, by the permissions she has there.
PERMISSIONS = {
    "reservations:read": "reservations.view_reservation",
    "credentials:read": "locks.view_credential",
    "jobs:read": "scheduler.view_job",
    "events:read": "webhooks.view_webhookevent",
    "locks:read": "locks.view_lock",
    "recurring:read": "scheduler.view_recurringjob",
}

# Who makes a token gives away no more than she may herself. Stays come with the guests' contacts.
GRANTS = {
    **PERMISSIONS, "reservations:read": CONTACTS, "reservations:write": "reservations.change_reservation",
    "credentials:write": "locks.change_credential", "jobs:write": "scheduler.change_job",
    "events:write": "webhooks.change_webhookevent", "locks:write": "locks.change_lock",
    "recurring:write": "scheduler.change_recurringjob",
}  # fmt: skip


def grantable(user: User | AnonymousUser) -> list[str]:
    """The scopes this person may put into a token."""
    return [scope for scope in ALL if user.has_perm(GRANTS[scope])]


def expand(names: Iterable[str]) -> list[str]:
    """The scopes that are meant, in order, without repetition. Raises ValueError for one that does not exist."""
    meant: set[str] = set()
    for name in names:
        if name not in GROUPS and name not in ALL:
            raise ValueError(f"No scope is called {name!r}; known: {', '.join([*GROUPS, *ALL])}.")
        meant.update(GROUPS.get(name, (name,)))
    return [scope for scope in ALL if scope in meant]


def allows(granted: Iterable[str], scope: str) -> bool:
    resource, _sep, verb = scope.partition(":")
    return bool({scope, f"{resource}:write"} & set(granted)) if verb == "read" else scope in granted
