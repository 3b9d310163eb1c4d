"""Codes for cleaners, owners, craftsmen: who, at which doors, from when to when; the digits are shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from locks import staff
from locks.errors import Capacity
from locks.models import StaffCode
from locks.staff import State
from scheduler import clock
from smartlock.admin.base import DASH, Page, actor, answer, button, column, label, leads_to, moment, verb
from smartlock.admin.paging import FewRelated
from smartlock.people.roles import REVEAL

if TYPE_CHECKING:
    StaffCodeFormBase = ModelForm[StaffCode]
else:
    StaffCodeFormBase = ModelForm

STATES = {
    State.READY: (_("on all doors"), "success"),
    State.WAITING: (_("to come"), "info"),
    State.INCOMPLETE: (_("not yet on all doors"), "danger"),
    State.NO_DOORS: (_("no doors"), "warning"),
    State.REMOVING: (_("being removed"), "warning"),
    State.ENDED: (_("ended"), ""),
}


class StaffCodeForm(StaffCodeFormBase):
    """A code opens something, and its end is after its start and still to come."""

    class Meta:
        model = StaffCode
        fields = ["name", "person", "locks", "accommodations", "starts_at", "ends_at", "active"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        begins, ends = data.get("starts_at"), data.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", _("This is not after its start."))
        elif ends and data.get("active") and ends <= clock.now():
            self.add_error("ends_at", _("This time is over."))
        if not self.errors and not data["locks"] and not data["accommodations"]:
            self.add_error("locks", _("Choose a door, or a unit with doors."))
        return data


@admin.register(StaffCode)
class StaffCodePage(Page):
    form = StaffCodeForm
    list_display = ["name", "who", "doors", "opens", "closes", "state", "proven"]
    list_filter = ["active", ("locks", FewRelated)]
    search_fields = ["name", "person", "locks__name", "accommodations__name"]
    autocomplete_fields = ["locks", "accommodations"]
    readonly_fields = ["doors", "state", "proven"]
    actions = ["end", "renew"]
    actions_detail = ["digits", "renew_here", "end_here"]
    warn_unsaved_form = True

    def get_fieldsets(self, request: HttpRequest, obj: StaffCode | None = None) -> Any:
        form = [(None, {"fields": [("name", "person"), ("locks", "accommodations"), "starts_at", "ends_at", "active"]})]
        return form if obj is None else [*form, (_("On the doors"), {"fields": [("state", "proven"), "doors"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffCode]:
        return staff.with_doors(StaffCode.objects.all())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A code is ended, not deleted: who could get in is evidence."""
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("locks.change_staffcode")

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(REVEAL)

    def save_model(self, request: HttpRequest, obj: StaffCode, form: Any, change: bool) -> None:
        doors = {name: form.cleaned_data[name] for name in ("locks", "accommodations")}
        staff.save(obj, **doors, now=clock.now(), actor=actor(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The doors were saved with the code, so that it was planned once and as a whole."""

    @column(_("person"), ordering="person")
    def who(self, code: StaffCode) -> str:
        return code.person or DASH

    @column(_("doors"))
    def doors(self, code: StaffCode) -> str:
        return ", ".join(lock.name for lock in staff.doors_of(code)) or DASH

    @column(_("opens from"), ordering="starts_at")
    def opens(self, code: StaffCode) -> SafeString | str:
        return moment(code.starts_at)

    @column(_("opens until"), ordering="ends_at")
    def closes(self, code: StaffCode) -> SafeString | str:
        return moment(code.ends_at)

    @column(_("on the doors"))
    def state(self, code: StaffCode) -> SafeString:
        return label(*STATES[staff.state_of(code, clock.now())])

    @column(_("proven"))
    def proven(self, code: StaffCode) -> str:
        proven, doors = len(staff.proven_doors(code)), len(staff.doors_of(code))
        return str(_("%(proven)d of %(doors)d") % {"proven": proven, "doors": doors})

    # --- steering ----------------------------------------------------------------------------------------------

    @verb(_("End now"))
    def end(self, request: HttpRequest, queryset: QuerySet[StaffCode]) -> None:
        going = [code for code in queryset if code.active]
        for code in going:
            staff.end(code, now=clock.now(), actor=actor(request))
        done = ngettext(
            "%(count)d code is being taken off its doors.", "%(count)d codes are being taken off.", len(going)
        )
        answer(request, len(going), done % {"count": len(going)}, _("They had ended before."))

    @verb(_("Other digits"))
    def renew(self, request: HttpRequest, queryset: QuerySet[StaffCode]) -> None:
        now = clock.now()
        going = [code for code in queryset if code.is_in_force(now)]
        for code in going:
            staff.renew(code, now=now, actor=actor(request))
        done = ngettext("%(count)d code gets other digits.", "%(count)d codes get other digits.", len(going))
        answer(request, len(going), done % {"count": len(going)}, _("A code that has ended gets no other digits."))

    end_here = button(
        "end", _("End now"), _("Take this code off every door at once? Whoever has it can no longer get in."),
        icon="key_off",
    )  # fmt: skip
    renew_here = button(
        "renew", _("Other digits"),
        _("Take the present digits off every door at once and put others there? They may then be shown once."),
        icon="autorenew",
    )  # fmt: skip

    @leads_to(_("Show the digits"), path="digits", icon="visibility", permission="reveal")
    def digits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks, POST shows what nobody has been shown yet, once. They are in no message, log or address."""
        code = get_object_or_404(StaffCode, pk=object_id)
        shown: dict[str, list[str]] = {}
        error = ""
        if request.method == "POST":
            try:
                shown = staff.reveal(code, now=clock.now(), actor=actor(request))
            except Capacity as full:
                error = str(full)
        context = {
            **self.admin_site.each_context(request), "title": _("Show the digits"), "code": code, "shown": shown,
            "asked": request.method == "POST", "error": error, "opts": StaffCode._meta,
            "back": reverse("admin:locks_staffcode_change", args=[code.pk]),
        }  # fmt: skip
        response = TemplateResponse(request, "smartlock/admin/staff_digits.html", context)
        response["Cache-Control"] = "no-store"
        return response
