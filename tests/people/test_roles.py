"""Each page opens for those whom the table of roles names, and for nobody else."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from smartlock.api.models import ApiToken
from smartlock.people.roles import ROLES, install
from tests.admin.house import make_house
from tests.people.conftest import Join

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def _list(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _may_see(role: str, model: type[Model]) -> bool:
    """Who may change rows may look at them, as everywhere in Django."""
    meta = model._meta
    return any(ROLES[role].has(f"{meta.app_label}.{verb}_{meta.model_name}") for verb in ("view", "change"))


@pytest.mark.parametrize("role", list(ROLES))
def test_every_list_opens_for_those_the_table_names(role: str, join: Join) -> None:
    client = join(role)
    for model in MODELS:
        expected = 200 if _may_see(role, model) else 403
        assert client.get(_list(model)).status_code == expected, model


def test_who_is_in_no_group_sees_the_first_page_and_no_list(join: Join) -> None:
    client = join()
    assert client.get(reverse("admin:index")).status_code == 200
    assert {client.get(_list(model)).status_code for model in MODELS} == {403}


@pytest.mark.parametrize(
    ("permission", "who"),
    [
        ("reservations.view_reservation", {"operator", "viewer", "auditor", "engineer"}),
        ("reservations.change_reservation", {"operator"}),
        ("reservations.view_contacts", {"operator", "auditor"}),
        ("locks.change_credential", {"operator"}),
        ("locks.reveal_pin", {"operator"}),
        ("locks.change_lock", {"operator", "engineer"}),
        ("notifications.view_message", {"operator", "auditor"}),
        ("webhooks.view_webhookevent", {"operator", "auditor", "engineer"}),
        ("webhooks.change_webhookevent", {"operator", "engineer"}),
        ("scheduler.view_job", {"operator", "viewer", "auditor", "engineer"}),
        ("scheduler.change_job", {"operator", "engineer"}),
        ("scheduler.change_queue", {"engineer"}),
        ("django_celery_beat.change_periodictask", {"engineer"}),
        ("audit.view_auditlog", {"operator", "auditor", "engineer"}),
        ("audit.change_auditlog", set()),
        ("audit.delete_auditlog", set()),
        ("auth.view_user", {"auditor"}),
        ("auth.change_user", set()),
    ],
)
def test_the_table_says_what_the_docs_say(permission: str, who: set[str]) -> None:
    app, _dot, codename = permission.partition(".")
    assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()
    assert {name for name, role in ROLES.items() if role.has(permission)} == who
    given = Group.objects.filter(permissions__content_type__app_label=app, permissions__codename=codename)
    assert set(given.values_list("name", flat=True)) == who


def test_a_role_changed_by_hand_is_set_back_and_other_groups_are_left_alone() -> None:
    everything = Permission.objects.all()
    viewer, own = Group.objects.get(name="viewer"), Group.objects.create(name="night shift")
    before = set(viewer.permissions.all())
    viewer.permissions.set(everything)
    own.permissions.set(everything)
    install()
    assert set(viewer.permissions.all()) == before
    assert own.permissions.count() == everything.count()


@pytest.mark.parametrize(
    ("role", "sees"), [("operator", True), ("auditor", True), ("viewer", False), ("engineer", False)]
)
def test_contacts_are_shown_only_to_those_who_need_them(role: str, sees: bool, join: Join) -> None:
    stay = make_house(1, timezone.now())[0]
    page = _page(join(role), stay.pk)
    assert stay.guest_name in page
    assert (stay.guest_email in page) is sees
    assert ("ana@example.com" in page) is sees


def _page(client: Client, stay: int) -> str:
    return client.get(reverse("admin:reservations_reservation_change", args=[stay])).content.decode()


def test_nobody_puts_more_into_a_token_than_she_may_herself(join: Join) -> None:
    engineer, add = join("engineer"), reverse("admin:api_apitoken_add")
    for scope in ("jobs:write", "reservations:read", "credentials:write"):
        engineer.post(add, {"name": scope, "scopes": [scope]})
    assert [token.name for token in ApiToken.objects.all()] == ["jobs:write"]
