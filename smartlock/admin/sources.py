"""Where bookings come from: listings and which unit they are, runs of the poll; and parts of the pages of stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldAdminTimeWidget

from reservations import feeds, fetching, listings, services
from reservations.errors import BadReservation, FeedError, StaysError
from reservations.models import Feed, Listing, Reservation, SyncRun
from reservations.stays.client import StaysClient, is_configured
from scheduler import clock
from smartlock.admin.asking import AskingForm, Question, from_page
from smartlock.admin.base import (
    DASH,
    Inline,
    MachinePage,
    Page,
    actor,
    answer,
    block,
    column,
    fact,
    moment,
    said,
    verb,
)

if TYPE_CHECKING:
    FeedFormBase = ModelForm[Feed]
else:
    FeedFormBase = ModelForm


class FeedForm(FeedFormBase):
    """The address is written and never shown again: it holds a token."""

    address = forms.CharField(
        label=capfirst(_("address")), required=False, max_length=2000, strip=True,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("https://… from “Export calendar”; leave empty to keep the one it has"),
    )  # fmt: skip

    class Meta:
        model = Feed
        fields = ["active"]

    def clean_address(self) -> str:
        address = str(self.cleaned_data.get("address") or "")
        try:
            if not address and not self.instance.pk:
                raise FeedError("A feed needs an address.")
            return fetching.check_address(address) if address else ""
        except FeedError as error:
            raise forms.ValidationError(str(error)) from None


class FeedInline(Inline):
    """The iCal feeds of a unit."""

    model = Feed
    form = FeedForm
    extra = 0
    verbose_name_plural = _("iCal feeds")
    fields = ["address", "active", "address_hint", "heard", "error"]
    readonly_fields = ["address_hint", "heard", "error"]

    @column(_("last good answer"))
    def heard(self, row: Feed) -> SafeString | str:
        return moment(row.heard_at, row.accommodation.zone) if row.pk else DASH


def save_feeds(request: HttpRequest, formset: Any) -> None:
    """What the inline of feeds was filled in with, by way of the service."""
    formset.save(commit=False)
    for gone in formset.deleted_objects:
        feeds.remove_feed(gone, now=clock.now(), actor=actor(request))
    for form in formset.forms:
        if form.has_changed() and form not in formset.deleted_forms:
            form.instance.accommodation = formset.instance
            feeds.save_feed(form.instance, address=form.cleaned_data.get("address", ""), actor=actor(request))


class TimesForm(AskingForm):
    check_in = forms.TimeField(label=capfirst(_("check-in time")), required=False, widget=UnfoldAdminTimeWidget)
    check_out = forms.TimeField(label=capfirst(_("check-out time")), required=False, widget=UnfoldAdminTimeWidget)


class AgreedTimes:
    """Early check-in and late check-out, as a button on a stay's page."""

    def _set_times(self, request: HttpRequest, stays: QuerySet[Reservation], form: AskingForm) -> None:
        for stay in stays:
            try:
                services.set_times(
                    stay, check_in=form.cleaned_data["check_in"], check_out=form.cleaned_data["check_out"],
                    now=clock.now(), actor=actor(request),
                )  # fmt: skip
                messages.success(request, str(_("The times of this stay are set; its PIN follows.")))
            except BadReservation as error:
                messages.error(request, said(error))

    set_times_here = from_page(
        "set_times",
        Question(
            "_set_times", _("Agree on other times"),
            _("By the clock of the property, for this stay only. Empty gives the time back to the booking."),
            TimesForm, icon="more_time",
        ),
    )  # fmt: skip


@admin.register(Listing)
class ListingPage(Page):
    list_display = ["__str__", "place", "unit", "proposed_timezone", "zone_reason", "seen", "ignored"]
    list_filter = ["ignored", "status", "proposed_timezone"]
    search_fields = ["name", "external_id", "short_id", "place"]
    autocomplete_fields = ["accommodation"]
    fields = ["accommodation", "ignored", "external_id", "status", "place", "proposed_timezone", "zone_reason", "hours"]
    readonly_fields = ["external_id", "status", "place", "proposed_timezone", "zone_reason", "hours"]
    actions = ["import_units", "take_over", "read_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reservations.change_listing") and request.user.has_perm(
            "reservations.change_accommodation"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        return Listing.objects.select_related("accommodation")

    def save_model(self, request: HttpRequest, obj: Listing, form: Any, change: bool) -> None:
        Listing.objects.filter(pk=obj.pk).update(ignored=obj.ignored)
        listings.map_listing(obj, obj.accommodation, actor=actor(request))

    @column(_("unit"))
    def unit(self, row: Listing) -> SafeString | str:
        unit = row.accommodation or services.unit_of(row.external_id)
        return str(unit) if unit else DASH if row.ignored else format_html('<span class="sl-bad">{}</span>', _("none"))

    @column(_("last seen"), ordering="seen_at")
    def seen(self, row: Listing) -> SafeString | str:
        return moment(row.seen_at)

    @column(_("check-in / check-out"))
    def hours(self, row: Listing) -> str:
        return f"{row.check_in_time or DASH} / {row.check_out_time or DASH}"

    @verb(_("Make units of these"))
    def import_units(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        made = 0
        for row in queryset:
            try:
                listings.import_unit(row, now=clock.now(), actor=actor(request))
                made += 1
            except BadReservation as error:
                messages.error(request, said(error))
        done = ngettext("%(count)d listing is a unit now.", "%(count)d listings are units now.", made)
        answer(request, made, done % {"count": made}, _("No unit was made."))

    @verb(_("Take over zone and times"))
    def take_over(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        changed = sum(listings.take_over(row, now=clock.now(), actor=actor(request)) for row in queryset)
        done = ngettext("%(count)d unit was changed.", "%(count)d units were changed.", changed)
        answer(request, changed, done % {"count": changed}, _("The units are already as their listings propose."))

    @verb(_("Read all listings from Stays"))
    def read_again(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        if not is_configured():
            messages.warning(request, str(_("The Stays API is not configured.")))
            return
        try:
            with StaysClient.from_settings() as client:
                result = listings.sync(client, now=clock.now())
        except StaysError as error:
            messages.error(request, str(error))
            return
        for sentence in result.differences:
            messages.warning(request, sentence)
        text = ngettext("%(seen)d listing was read.", "%(seen)d listings were read.", result.seen)
        messages.success(request, text % {"seen": result.seen})


@admin.register(SyncRun)
class SyncRunPage(MachinePage):
    list_display = ["key", "began", "ended", "state", "progress", "created", "changed", "gone", "resumed"]
    list_filter = ["state", "key"]
    fields = (
        "key", "start", "end", "full", "actor", "state", "began", "ended", "progress", "seen", "created", "changed",
        "gone", "resumed", "error", "trouble",
    )  # fmt: skip
    readonly_fields = fields

    key = fact("key", _("what"))

    @column(_("started"), ordering="started_at")
    def began(self, run: SyncRun) -> SafeString | str:
        return moment(run.started_at)

    @column(_("finished"), ordering="finished_at")
    def ended(self, run: SyncRun) -> SafeString | str:
        return moment(run.finished_at)

    @column(_("progress"))
    def progress(self, run: SyncRun) -> str:
        return f"{run.done} / {run.total}"

    @column(_("problems"))
    def trouble(self, run: SyncRun) -> SafeString | str:
        return block("\n".join(run.problems), plain=True)
