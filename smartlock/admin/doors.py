"""Locks, which units they open, and the PINs on them. The PINs themselves are nowhere to be seen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from locks import backups, caretaker, foreign, planning, reading, reconcile, staff
from locks.errors import DoorError
from locks.models import AccommodationLock, Credential, Lock, Opening, StaffCode
from locks.reconcile import Difference
from reservations.models import Accommodation
from scheduler import clock
from smartlock.admin import lock_state, words
from smartlock.admin.base import (
    DASH,
    Inline,
    MachinePage,
    Page,
    actor,
    answer,
    block,
    button,
    column,
    fact,
    label,
    leads_to,
    moment,
    page_of,
    verb,
)
from smartlock.admin.paging import FewRelated, LongList
from smartlock.audit.services import record

MOST_AT_ONCE = 20
SECRETS = ("pin_hash", "pin_sealed", "pin_fingerprint")


class UnitInline(Inline):
    """Which units this lock opens."""

    model = AccommodationLock
    extra = 0
    verbose_name_plural = _("units this lock opens")
    autocomplete_fields = ["accommodation"]


@admin.register(Lock)
class LockPage(LongList, Page):
    list_display = ["name", "units", "radio", "battery", "connection", "codes", "trouble", "compared", "last_opening"]
    list_filter = ["radio", "online"]
    search_fields = ["name", "device_id", "accommodations__name"]
    readonly_fields = ["backups_now"]
    fieldsets = [
        (_("Settings"), {"fields": ["name", ("provider", "device_id"), "radio"]}),
        (_("What it can hold"), {"fields": [("pin_length", "pin_digits"), ("capacity", "lead_minutes")]}),
        (_("When it stays silent"), {"fields": [("backup_pins", "offline_codes"), "backups_now"]}),
    ]
    change_form_outer_before_template = "smartlock/admin/lock.html"
    actions = ["read_now"]
    actions_detail = ["read_now_here", "compare"]
    inlines = [UnitInline]
    warn_unsaved_form = True

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("locks.change_lock")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lock]:
        units = Prefetch("accommodations", queryset=Accommodation.objects.only("name", "timezone"))
        latest = Opening.objects.filter(lock=OuterRef("pk")).order_by("-at").values("at")[:1]
        locks = Lock.objects.with_codes().annotate(opened_at=Subquery(latest))
        return locks.select_related("report").prefetch_related(units, lock_state.running_incidents())

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        lock = self.get_queryset(request).filter(pk=object_id).first() if object_id and object_id.isdigit() else None
        if lock is not None and self.has_view_permission(request, lock):
            context["overview"] = lock_state.overview(lock, caretaker.policy(), now=clock.now())
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Lock, form: Any, change: bool) -> None:
        obj.save()  # whoever listens to it plans the stays again
        record("lock.edited" if change else "lock.created", f"lock:{obj.pk}", actor=actor(request), summary=obj.name)

    @column(_("units"))
    def units(self, lock: Lock) -> str:
        return ", ".join(unit.name for unit in lock.accommodations.all()) or DASH

    @column(_("backups now"))
    def backups_now(self, lock: Lock) -> SafeString | str:
        """The pool in words; the digits are shown nowhere."""
        if lock.pk is None:
            return DASH
        pool = backups.state_of(lock, now=clock.now())
        parts = [
            _("%(ready)d of %(size)d ready") % {"ready": pool.ready, "size": pool.size},
            pool.pending and _("%(count)d on the way to the lock") % {"count": pool.pending},
            pool.handed_out and _("%(count)d with a guest") % {"count": pool.handed_out},
            pool.leaving and _("%(count)d being removed") % {"count": pool.leaving},
            pool.size < pool.wished and _("fewer than wished: guests come first"),
        ]
        text = " · ".join(str(part) for part in parts if part)
        return format_html('<span class="sl-{}">{}</span>', "quiet" if pool.ready >= pool.wished else "bad", text)

    @column(_("battery"), ordering="battery_percent")
    def battery(self, lock: Lock) -> SafeString:
        return _light(lock_state.battery(lock))

    @column(_("connection"), ordering="heard_at")
    def connection(self, lock: Lock) -> SafeString:
        return _light(lock_state.connection(lock, caretaker.policy(), clock.now()))

    @column(_("codes"), ordering="codes")
    def codes(self, lock: Lock) -> SafeString:
        return _light(lock_state.capacity(lock))

    @column(_("faults"))
    def trouble(self, lock: Lock) -> SafeString:
        return _light(lock_state.trouble(lock))

    @column(_("compared"), ordering="report__tried_at")
    def compared(self, lock: Lock) -> SafeString:
        return _light(lock_state.agreement(lock))

    @column(_("last opening"), ordering="opened_at")
    def last_opening(self, lock: Any) -> SafeString | str:
        unit = next(iter(lock.accommodations.all()), None)
        return moment(lock.opened_at, unit.zone if unit else None)

    # --- asking the lock ---------------------------------------------------------------------------------------

    @verb(_("Read now"))
    def read_now(self, request: HttpRequest, queryset: QuerySet[Lock]) -> None:
        """Battery, connection, open log and alarms of the chosen locks; a handful, as each costs three calls."""
        done = 0
        for lock in queryset.order_by("pk")[:MOST_AT_ONCE]:
            try:
                reading.read_now(lock, now=clock.now())
                done += 1
            except DoorError as error:
                messages.error(request, f"{lock}: {error}")
        if done:
            text = ngettext("%(count)d lock was read.", "%(count)d locks were read.", done)
            messages.success(request, text % {"count": done})

    read_now_here = button(
        "read_now", _("Read now"),
        _("Ask the lock for its battery, its connection and its log now? It takes three calls."),
        icon="sync",
    )  # fmt: skip

    @leads_to(_("Compare with our records"), path="compare", icon="rule")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """First the exact difference; only then, by the button on that page, what is to be done about it."""
        lock = get_object_or_404(Lock, pk=object_id)
        back = reverse("admin:locks_lock_change", args=[lock.pk])
        found, error = Difference(), ""
        try:
            found = reconcile.preview(lock, now=clock.now(), actor=actor(request))
        except DoorError as failed:
            error = str(failed)
        if request.method == "POST" and not error:
            self._apply(request, lock, found)
            return HttpResponseRedirect(back)
        unit = lock.accommodations.first()
        context = {
            **self.admin_site.each_context(request), "title": _("Compare with our records"), "lock": lock,
            "rows": lock_state.differences(found.as_dict(), unit.zone if unit else None), "error": error, "back": back,
            "has_foreign": bool(found.foreign), "may_apply": True, "opts": Lock._meta,
        }  # fmt: skip
        return TemplateResponse(request, "smartlock/admin/reconcile.html", context)

    def _apply(self, request: HttpRequest, lock: Lock, found: Difference) -> None:
        """What is missing or unwanted as a matter of course; the rest as far as it was ticked."""
        now, who = clock.now(), actor(request)
        count = reconcile.mend(lock, found, now=now, actor=who)
        ticked = {int(number) for number in request.POST.getlist("changed") if number.isdigit()}
        count += reconcile.put_right(lock, found, now=now, actor=who, only=ticked)
        for code in found.foreign:
            if code.ref in request.POST.getlist("foreign"):
                foreign.order_removal(lock, code, now=now, actor=who)
                count += 1
        done = ngettext("%(count)d code is being put right.", "%(count)d codes are being put right.", count)
        answer(request, count, done % {"count": count}, _("Nothing was to be done."))


def _light(phrase: words.Phrase) -> SafeString:
    return label(phrase.text, phrase.tone)


def clock_column(field: str, title: Any) -> Any:
    """A column with one of a credential's times, by the clock of the stay's unit, staff codes by the installation's."""

    def show(page: CredentialPage, row: Credential) -> SafeString | str:
        zone = row.reservation.accommodation.zone if row.reservation else None
        return moment(getattr(row, field), zone)

    return column(title, ordering=field)(show)


@admin.register(Credential)
class CredentialPage(MachinePage):
    list_display_links = ["purpose"]  # the others lead to the stay and to the lock
    list_display = ["owner", "lock", "purpose", "state_label", "wish", "opens", "closes", "proven", "removed"]
    list_filter = ["purpose", "state", "wanted", ("lock", FewRelated), "starts_at"]
    search_fields = ["name", "reservation__guest_name", "reservation__short_id", "reservation__external_id",
                     "staff_code__name", "staff_code__person"]  # fmt: skip
    date_hierarchy = "starts_at"
    fieldsets = [
        (None, {"fields": [("owner", "lock_page"), "purpose", ("mark", "ref"), ("state_label", "wish")]}),
        (_("Wish"), {"fields": [("opens", "closes"), "unwanted"]}),
        (_("Asked of the lock"), {"fields": ["asked", ("asked_from", "asked_until")]}),
        (_("Seen on the lock"), {"fields": [("proven", "used"), ("lock_from", "lock_until")]}),
        (_("Removal"), {"fields": [("tried", "removed"), "alarmed", "error"]}),
    ]
    actions = ["revoke_now"]
    actions_detail = ["revoke_now_here"]

    mark = fact("name", _("name on the lock"))
    ref = fact("provider_ref", _("the provider's id of it"))
    opens = clock_column("starts_at", _("opens from"))
    closes = clock_column("ends_at", _("opens until"))
    unwanted = clock_column("unwanted_at", _("unwanted since"))
    asked = clock_column("asked_at", _("asked at"))
    asked_from = clock_column("asked_starts_at", _("asked to open from"))
    asked_until = clock_column("asked_ends_at", _("asked to open until"))
    proven = clock_column("proven_at", _("last proof"))
    used = clock_column("first_used_at", _("first use"))
    lock_from = clock_column("lock_starts_at", _("opens from, as proven"))
    lock_until = clock_column("lock_ends_at", _("opens until, as proven"))
    tried = clock_column("removal_tried_at", _("removal tried"))
    removed = clock_column("removed_at", _("removal proven"))
    alarmed = clock_column("alarmed_at", _("a person was called"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return Credential.objects.select_related("reservation__accommodation", "staff_code", "lock").defer(*SECRETS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for _title, group in self.fieldsets for row in group["fields"]
                for name in ([row] if isinstance(row, str) else row)]  # fmt: skip

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("locks.change_credential")

    @verb(_("Revoke PINs now"), permission="revoke")
    def revoke_now(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """A holder's PIN is the same on all its doors: it goes from all of them."""
        there = queryset.filter(removed_at__isnull=True).order_by()
        now, who = clock.now(), actor(request)
        stays = set(there.filter(reservation__isnull=False).values_list("reservation", flat=True))
        codes = set(there.filter(staff_code__isnull=False).values_list("staff_code", flat=True))
        count = sum(planning.withdraw(pk, now=now, actor=who) for pk in stays)
        count += sum(staff.end(code, now=now, actor=who) for code in StaffCode.objects.filter(pk__in=codes))
        done = ngettext("%(count)d PIN is being taken off its door.", "%(count)d PINs are being taken off.", count)
        answer(request, count, done % {"count": count}, _("Their removal is proven already: nothing to revoke."))

    revoke_now_here = button(
        "revoke_now", _("Revoke PINs now"),
        _("Take these PINs off every door at once? Whoever has them can no longer get in, whatever a booking says."),
        icon="key_off", permission="revoke",
    )  # fmt: skip

    @column(_("whose"), ordering="reservation")
    def owner(self, row: Credential) -> SafeString:
        return page_of(row.owner)

    @column(_("lock"))
    def lock_page(self, row: Credential) -> SafeString:
        return page_of(row.lock)

    @column(_("on the lock"), ordering="state")
    def state_label(self, row: Credential) -> SafeString:
        return label(row.get_state_display(), words.CREDENTIAL_TONES[Credential.State(row.state)])

    @column(_("wish"), ordering="wanted")
    def wish(self, row: Credential) -> str:
        return str(_("wanted") if row.wanted else _("not wanted"))

    @column(_("last error"))
    def error(self, row: Credential) -> SafeString | str:
        return block(row.last_error)
