"""Locks, which units they open, and the PINs on them. The PINs themselves are nowhere to be seen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from locks import planning, staff
from locks.models import AccommodationLock, Credential, Lock, StaffCode
from reservations.models import Accommodation
from scheduler import clock
from smartlock.admin import words
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
    moment,
    page_of,
    verb,
)
from smartlock.audit.services import record

SECRETS = ("pin_hash", "pin_sealed", "pin_fingerprint")


class UnitInline(Inline):
    """Which units this lock opens."""

    model = AccommodationLock
    extra = 0
    verbose_name_plural = _("units this lock opens")
    autocomplete_fields = ["accommodation"]


@admin.register(Lock)
class LockPage(Page):
    list_display = ["name", "radio", "units", "pins_on_it", "is_online", "battery", "seen"]
    list_filter = ["radio", "online"]
    search_fields = ["name", "device_id"]
    readonly_fields = ["is_online", "battery", "seen"]
    fieldsets = [
        (None, {"fields": ["name", ("provider", "device_id"), "radio"]}),
        (_("What it can hold"), {"fields": [("pin_length", "pin_digits"), ("capacity", "lead_minutes")]}),
        (_("As last read"), {"fields": [("is_online", "battery"), "seen"]}),
    ]
    inlines = [UnitInline]
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lock]:
        there = Q(credentials__removed_at__isnull=True, credentials__asked_at__isnull=False)
        units = Prefetch("accommodations", queryset=Accommodation.objects.only("name"))
        return Lock.objects.annotate(pins=Count("credentials", filter=there)).prefetch_related(units)

    def save_model(self, request: HttpRequest, obj: Lock, form: Any, change: bool) -> None:
        obj.save()  # whoever listens to it plans the stays again
        record("lock.edited" if change else "lock.created", f"lock:{obj.pk}", actor=actor(request), summary=obj.name)

    @column(_("units"))
    def units(self, lock: Lock) -> str:
        return ", ".join(unit.name for unit in lock.accommodations.all()) or DASH

    @column(_("PINs on it"), ordering="pins")
    def pins_on_it(self, lock: Any) -> SafeString | str:
        text = f"{lock.pins} / {lock.capacity}"
        return format_html('<span class="sl-bad">{}</span>', text) if lock.pins >= lock.capacity else text

    @column(_("online"), boolean=True, ordering="online")
    def is_online(self, lock: Lock) -> bool | None:
        return lock.online

    @column(_("battery"), ordering="battery_percent")
    def battery(self, lock: Lock) -> SafeString | str:
        if lock.battery_percent is None:
            return DASH
        tone = "bad" if lock.battery_percent < 20 else "quiet"
        return format_html('<span class="sl-{}">{} %</span>', tone, lock.battery_percent)

    @column(_("last read"), ordering="seen_at")
    def seen(self, lock: Lock) -> SafeString | str:
        return moment(lock.seen_at)


def clock_column(field: str, title: Any) -> Any:
    """A column with one of a credential's times, by the clock of the stay's unit, staff codes by the installation's."""

    def show(page: CredentialPage, row: Credential) -> SafeString | str:
        zone = row.reservation.accommodation.zone if row.reservation else None
        return moment(getattr(row, field), zone)

    return column(title, ordering=field)(show)


@admin.register(Credential)
class CredentialPage(MachinePage):
    list_display = ["owner", "lock", "purpose", "state_label", "wish", "opens", "closes", "proven", "removed"]
    list_filter = ["purpose", "state", "wanted", ("lock", admin.RelatedOnlyFieldListFilter), "starts_at"]
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
