"""Operators, their groups, their second factor, and who failed to sign in."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from smartlock.admin.base import MachinePage, Page, actor, answer, column, fact, moment, verb
from smartlock.audit.services import record
from smartlock.people import second_factor
from smartlock.people.sessions import sign_out_everywhere

admin.site.unregister(User)
admin.site.unregister(Group)

CODENAMES = {
    "add": _("%(what)s: add"), "change": _("%(what)s: change"), "delete": _("%(what)s: delete"),
    "view": _("%(what)s: look at"),
}  # fmt: skip


def in_words(permission: Permission) -> str:
    """A permission in the reader's language: the database keeps its name in the language of whoever migrated it."""
    what = permission.content_type.app_labeled_name
    form = CODENAMES.get(permission.codename.partition("_")[0])
    is_usual = form is not None and permission.codename.endswith(f"_{permission.content_type.model}")
    return str(form) % {"what": what} if is_usual else f"{what}: {gettext(permission.name)}"


class PeoplePage(Page):
    """Users and groups: their permissions in words."""

    filter_horizontal = ()  # axe finds faults in the two boxes of Django

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.related_model is Permission:
            field.label_from_instance = in_words
        return field


@admin.register(User)
class UserPage(PeoplePage, UserAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "in_groups", "protected", "is_active", "last_login"]
    actions = ["reset_second_factor", "sign_out"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        device = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return User.objects.prefetch_related("groups").annotate(has_device=Exists(device))

    @column(_("groups"))
    def in_groups(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    @column(_("second factor"), boolean=True)
    def protected(self, user: Any) -> bool:
        return bool(user.has_device)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("auth.change_user"))

    @verb(_("Reset the second factor"))
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        done = sum(bool(second_factor.reset(user, actor=actor(request))) for user in users)
        text = ngettext("%d person sets it up anew.", "%d people set it up anew.", done) % done
        answer(request, done, text, _("None of them has one."))

    @verb(_("Sign out everywhere"))
    def sign_out(self, request: HttpRequest, users: QuerySet[User]) -> None:
        done = sum(sign_out_everywhere(user, actor=actor(request)) for user in users)
        text = ngettext("%d session was ended.", "%d sessions were ended.", done) % done
        answer(request, done, text, _("None of them is signed in."))


@admin.register(Group)
class GroupPage(PeoplePage, GroupAdmin):
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With a group go only the rows that tie it to people and permissions: Django would list each, in English."""
        rows, counts, needed, protected = super().get_deleted_objects(objs, request)
        mine = str(self.model._meta.verbose_name_plural)
        return [row for row in rows if isinstance(row, str)], {mine: counts.get(mine, 0)}, needed, protected


@admin.register(AccessAttempt)
class FailedSignIns(MachinePage):
    """Names tried with a wrong password, and from where; a locked one may be let in before its time."""

    list_display = ["name", "address", "failures", "at"]
    search_fields = ["username", "ip_address"]
    fields = ["username", "ip_address", "user_agent", "failures_since_start", "attempt_time", "path_info"]
    actions = ["unlock"]
    name = fact("username", _("name"))
    address = fact("ip_address", _("from"))
    failures = fact("failures_since_start", _("wrong tries"))

    @column(_("last try"), ordering="attempt_time")
    def at(self, attempt: AccessAttempt) -> object:
        return moment(attempt.attempt_time)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("auth.change_user"))

    @verb(_("Let them try again"))
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        names = sorted({attempt.username for attempt in attempts if attempt.username})
        done = sum(reset(username=name) for name in names)
        record("sign_in.unlocked", "people", actor=actor(request), summary=", ".join(names))
        answer(request, done, ngettext("%d entry was cleared.", "%d entries were cleared.", done) % done, _("Nothing."))
