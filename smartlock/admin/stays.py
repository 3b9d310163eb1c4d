"""Units and stays: who stays where and when, and on a stay's page everything that was done for it."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminSelect2Widget

from locks import planning
from locks.models import AccommodationLock, Withdrawal
from reservations import services
from reservations.errors import BadReservation
from reservations.models import Accommodation, Feed, Reservation
from scheduler import clock
from scheduler import services as jobs
from scheduler.models import Job
from smartlock.admin import words
from smartlock.admin.base import DASH, Inline, Page, actor, answer, button, column, label, moment, said, verb
from smartlock.admin.mending import Mending
from smartlock.admin.paging import FewRelated, LongList
from smartlock.admin.sources import AgreedTimes, FeedInline, save_feeds
from smartlock.admin.story import story
from smartlock.people.roles import CONTACTS

if TYPE_CHECKING:
    AccommodationFormBase = ModelForm[Accommodation]
    ReservationFormBase = ModelForm[Reservation]
else:
    AccommodationFormBase = ReservationFormBase = ModelForm


class AccommodationForm(AccommodationFormBase):
    """A zone out of the list, and times that leave every coming stay a check-out after its check-in."""

    timezone = forms.ChoiceField(
        label=_("time zone"), widget=UnfoldAdminSelect2Widget, initial="America/Sao_Paulo",
        choices=[(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name],
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        times = {name: data.get(name) for name in ("timezone", "check_in_time", "check_out_time")}
        if self.instance.pk and all(times.values()):
            unit = Accommodation(**times)
            coming = self.instance.reservations.filter(check_out_at__gt=clock.now())
            for stay in coming.exclude(status__in=services.ENDED):
                self._try(unit, stay)
        return data

    def _try(self, unit: Accommodation, stay: Reservation) -> None:
        try:
            services.window(
                unit, stay.check_in_date, stay.check_in_time, stay.check_out_date, stay.check_out_time
            )  # fmt: skip
        except BadReservation as error:
            self.add_error(None, f"{stay}: {said(error)}")


class DoorInline(Inline):
    """Which locks open this unit."""

    model = AccommodationLock
    extra = 0
    verbose_name_plural = _("locks of this unit")
    autocomplete_fields = ["lock"]


@admin.register(Accommodation)
class AccommodationPage(LongList, Page):
    form = AccommodationForm
    list_display = ["name", "listing", "doors", "hours", "timezone", "is_active"]
    list_filter = ["active", "timezone"]
    search_fields = ["name", "external_id", "short_id"]
    fieldsets = [
        (None, {"fields": ["name", "external_id", "short_id", "active"]}),
        (_("Times"), {"fields": ["timezone", "check_in_time", "check_out_time", "grace_minutes"]}),
    ]
    inlines = [DoorInline, FeedInline]
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Accommodation]:
        return Accommodation.objects.annotate(lock_count=Count("locks"))

    def save_model(self, request: HttpRequest, obj: Accommodation, form: Any, change: bool) -> None:
        services.save_accommodation(obj, now=clock.now(), actor=actor(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is Feed:
            save_feeds(request, formset)
        else:
            super().save_formset(request, form, formset, change)

    @column(_("Stays listing"))
    def listing(self, unit: Accommodation) -> str:
        return unit.short_id or unit.external_id or DASH

    @column(_("locks"), ordering="lock_count")
    def doors(self, unit: Any) -> SafeString | str:
        if unit.lock_count or not unit.active:
            return str(unit.lock_count)
        return format_html('<span class="sl-bad">{}</span>', _("none: nobody gets in"))

    @column(_("check-in / check-out"))
    def hours(self, unit: Accommodation) -> str:
        return f"{unit.check_in_time:%H:%M} / {unit.check_out_time:%H:%M}"

    @column(_("active"), boolean=True, ordering="active")
    def is_active(self, unit: Accommodation) -> bool:
        return unit.active


class ReservationForm(ReservationFormBase):
    """What a person may say of a stay. The order of its times is checked as it will be when it is saved."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        needed = ("accommodation", "check_in_date", "check_out_date")
        if all(data.get(name) for name in needed):
            try:
                services.window(
                    data["accommodation"], data["check_in_date"], data.get("check_in_time"),
                    data["check_out_date"], data.get("check_out_time"),
                )  # fmt: skip
            except BadReservation as error:
                self.add_error("check_out_date", said(error))
        return data


@admin.register(Reservation)
class ReservationPage(LongList, Mending, AgreedTimes, Page):
    form = ReservationForm
    list_display = ["stay", "unit", "arrives", "leaves", "status_label", "pin_state"]
    list_filter = ["status", "source", ("accommodation", FewRelated), "check_in_at"]
    search_fields = ["guest_name", "guest_email", "short_id", "external_id", "partner_code", "accommodation__name"]
    search_help_text = _("guest, e-mail, Stays _id, short id, partner code or unit")
    ordering = ["-check_in_at", "-id"]
    autocomplete_fields = ["accommodation"]
    warn_unsaved_form = True
    fieldsets = [
        (_("Stay"), {"fields": ["accommodation", "status", ("check_in_date", "check_in_time"),
                                ("check_out_date", "check_out_time")]}),
        (_("Guest"), {"fields": [("guest_name", "guest_language"), ("guest_email", "guest_phone")]}),
    ]  # fmt: skip
    read_only_fieldsets = [
        (_("Stay"), {"fields": [("unit", "status_label"), ("arrives", "leaves"), "source",
                                ("external_id", "short_id"), "partner_code"]}),
        (_("Guest"), {"fields": [("guest_name", "guest_language"), ("guest_email", "guest_phone")]}),
    ]  # fmt: skip
    guest_without_contacts = (_("Guest"), {"fields": [("guest_name", "guest_language")]})
    change_form_outer_before_template = "smartlock/admin/story_head.html"
    change_form_outer_after_template = "smartlock/admin/story.html"
    actions = ["replan", "cancel_jobs", "revoke_now", "readmit"]
    actions_detail = [
        "retry_jobs_here", "run_now_here", "set_times_here",  # more would leave no room for where one is
        {
            "title": _("More"),
            "items": [
                "new_pin_here", "resend_here", "replan_here", "cancel_jobs_here", "replay_here", "revoke_now_here",
                "readmit_here",
            ],
        },
    ]  # fmt: skip
    actions_detail_hide_default = True

    # --- who may do what ---------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Reservation | None = None) -> bool:
        """What Stays says is changed in Stays: the next sync would undo it here."""
        theirs = obj is not None and obj.source == Reservation.Source.STAYS
        return not theirs and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A stay is cancelled, not deleted: its history is evidence."""
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.change_job")

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("locks.change_credential")

    # --- reading -----------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reservation]:
        return words.with_doors(Reservation.objects.all())

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A stay whose PINs were revoked can be let in again; any other can have them revoked."""
        withdrawn = Withdrawal.objects.filter(reservation_id=object_id).exists()
        idle = "revoke_now_here" if withdrawn else "readmit_here"
        return [item for item in super().get_actions_detail(request, object_id) if not item.action_name.endswith(idle)]  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Reservation | None = None) -> Any:
        may_change = obj is None or self.has_change_permission(request, obj)
        shown = self.fieldsets if may_change else self.read_only_fieldsets
        return shown if may_change or request.user.has_perm(CONTACTS) else [*shown[:-1], self.guest_without_contacts]

    def get_readonly_fields(self, request: HttpRequest, obj: Reservation | None = None) -> Any:
        return ["unit", "status_label", "arrives", "leaves", "source", "external_id", "short_id",
                "partner_code"]  # fmt: skip

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if object_id and object_id.isdigit():
            asked = request.GET.get("why", "")
            context["story"] = story(int(object_id), now=clock.now(), user=request.user, asked=asked)
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Reservation, form: Any, change: bool) -> None:
        services.save_by_hand(obj, now=clock.now(), actor=actor(request))

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "status":
            kwargs["choices"] = [pair for pair in Reservation.Status.choices if pair[0] != Reservation.Status.DELETED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @column(_("stay"), ordering="guest_name", header=True)
    def stay(self, stay: Reservation) -> list[str]:
        return [stay.guest_name or stay.get_status_display(), stay.short_id or stay.external_id]

    @column(_("unit"), ordering="accommodation__name")
    def unit(self, stay: Reservation) -> str:
        return stay.accommodation.name

    @column(_("check-in"), ordering="check_in_at")
    def arrives(self, stay: Reservation) -> SafeString | str:
        return moment(stay.check_in_at, stay.accommodation.zone)

    @column(_("check-out"), ordering="check_out_at")
    def leaves(self, stay: Reservation) -> SafeString | str:
        return moment(stay.check_out_at, stay.accommodation.zone)

    @column(_("status"), ordering="status")
    def status_label(self, stay: Reservation) -> SafeString:
        return label(stay.get_status_display(), words.STATUS_TONES[Reservation.Status(stay.status)])

    @column(_("PIN"))
    def pin_state(self, stay: Reservation) -> SafeString:
        phrase = words.pin(stay, clock.now())
        return format_html('<span class="sl-phrase sl-{}">{}</span>', phrase.tone or "quiet", phrase.text)

    # --- steering ----------------------------------------------------------------------------------------------

    @verb(_("Plan again"))
    def replan(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        stays = [stay.pk for stay in queryset]
        for pk in stays:
            planning.replan(pk, now=clock.now())
        done = ngettext("%(count)d stay was planned again.", "%(count)d stays were planned again.", len(stays))
        answer(request, len(stays), done % {"count": len(stays)}, _("No stay was chosen."))

    @verb(_("Cancel jobs"))
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        live = Job.objects.filter(subject__in=[stay.subject for stay in queryset], state__in=Job.LIVE)
        gone = jobs.cancel(live, now=clock.now(), actor=actor(request), reason=f"Called off by {actor(request)}.")
        done = ngettext("%(count)d job was called off.", "%(count)d jobs were called off.", gone)
        answer(request, gone, done % {"count": gone}, _("There were no jobs to call off."))

    @verb(_("Revoke PINs now"), permission="revoke")
    def revoke_now(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        now: datetime = clock.now()
        count = sum(planning.withdraw(stay.pk, now=now, actor=actor(request)) for stay in queryset)
        done = ngettext("%(count)d PIN is being taken off its door.", "%(count)d PINs are being taken off.", count)
        answer(
            request, count, done % {"count": count},
            _("No PIN was on a door; none will be put there until the stay is let in again."),
        )  # fmt: skip

    @verb(_("Let in again"), permission="revoke")
    def readmit(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        withdrawn = [stay for stay in queryset if words.is_withdrawn(stay)]
        for stay in withdrawn:
            planning.readmit(stay.pk, now=clock.now(), actor=actor(request))
        done = ngettext("%(count)d stay gets a new PIN.", "%(count)d stays get new PINs.", len(withdrawn))
        answer(request, len(withdrawn), done % {"count": len(withdrawn)}, _("No PIN had been revoked by hand."))

    replan_here = button(
        "replan", _("Plan again"), _("Compare what this stay is entitled to with its jobs, and put the jobs right?"),
        icon="update",
    )  # fmt: skip
    cancel_jobs_here = button(
        "cancel_jobs", _("Cancel jobs"),
        _("Call off all that is still to be done for this stay? A PIN that is on a door stays until its time ends."),
        icon="event_busy",
    )  # fmt: skip
    revoke_now_here = button(
        "revoke_now", _("Revoke PINs now"),
        _("Take this guest's PINs off every door at once? The guest can no longer get in, whatever the booking says."),
        icon="key_off", permission="revoke",
    )  # fmt: skip
    readmit_here = button(
        "readmit", _("Let in again"), _("Give this stay a new PIN, as its booking entitles it to?"), icon="key",
        permission="revoke",
    )  # fmt: skip
