"""What came in, what was said to whom, and who did what: events, refusals, messages, notices, the audit trail."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications import notices
from notifications.models import Message, Notice
from scheduler import clock
from smartlock.admin import words
from smartlock.admin.base import (
    DASH,
    AboutStays,
    MachinePage,
    actor,
    answer,
    block,
    button,
    column,
    fact,
    ids_of,
    label,
    moment,
    page_of,
    verb,
)
from smartlock.admin.finding import Between
from smartlock.audit.models import AuditLog
from webhooks import services as webhooks
from webhooks.models import Refusal, WebhookEvent

SECRET_NAME = re.compile(r"auth|cookie|token|secret|signature|api-?key|password|hmac|client-?id", re.IGNORECASE)
HIDDEN = "•••"


def redacted(headers: dict[str, Any]) -> dict[str, Any]:
    """Headers without what could prove somebody's identity."""
    return {name: HIDDEN if SECRET_NAME.search(name) else value for name, value in headers.items()}


@admin.register(WebhookEvent)
class EventPage(MachinePage):
    list_display = ["what", "about", "state_label", "received", "times", "why"]
    list_filter = ["state", "action", "verification", ("received_at", Between)]
    list_filter_submit = True
    search_fields = ["external_id", "action", "reason"]
    search_help_text = _("Stays _id, action, or words of the reason")
    date_hierarchy = "received_at"
    fieldsets = [
        (None, {"fields": [("what", "about"), ("state_label", "signature"), "why", ("received", "processed"),
                           ("occurred", "times"), "sender"]}),
        (_("Body"), {"fields": ["parsed_body"]}),
        (_("Headers"), {"fields": ["safe_headers"]}),
    ]  # fmt: skip
    actions = ["replay"]
    actions_detail = ["replay_here"]

    what = fact("action", _("action"))
    times = fact("deliveries", _("deliveries"))
    sender = fact("remote_address", _("sender's address"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        whole = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return WebhookEvent.objects.all() if whole else WebhookEvent.objects.defer("body", "headers")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["what", "about", "state_label", "why", "received", "processed", "occurred", "times", "signature",
                "sender", "parsed_body", "safe_headers"]  # fmt: skip

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.change_webhookevent")

    @verb(_("Replay"))
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        count = webhooks.replay(ids_of(queryset), now=clock.now(), actor=actor(request))
        done = ngettext("%(count)d event is processed again.", "%(count)d events are processed again.", count)
        answer(request, count, done % {"count": count}, _("No event was chosen."))

    replay_here = button(
        "replay", _("Replay"), _("Process this event once more? It is safe: the last known facts win."), icon="replay"
    )

    @column(_("about"), ordering="external_id")
    def about(self, event: WebhookEvent) -> str:
        return event.external_id or DASH

    @column(_("state"), ordering="state")
    def state_label(self, event: WebhookEvent) -> SafeString:
        return label(event.get_state_display(), words.EVENT_TONES[WebhookEvent.State(event.state)])

    @column(_("signature"), ordering="verification")
    def signature(self, event: WebhookEvent) -> str:
        return event.get_verification_display()

    @column(_("why"))
    def why(self, event: WebhookEvent) -> str:
        return event.reason or DASH

    @column(_("received"), ordering="received_at")
    def received(self, event: WebhookEvent) -> SafeString | str:
        return moment(event.received_at)

    @column(_("processed"), ordering="processed_at")
    def processed(self, event: WebhookEvent) -> SafeString | str:
        return moment(event.processed_at)

    @column(_("sender's own time"))
    def occurred(self, event: WebhookEvent) -> SafeString | str:
        return moment(event.occurred_at)

    @column(_("body"))
    def parsed_body(self, event: WebhookEvent) -> SafeString | str:
        raw = bytes(event.body)
        try:
            return block(json.loads(raw))
        except (ValueError, RecursionError):
            return block(raw.decode("utf-8", "replace"))

    @column(_("headers"))
    def safe_headers(self, event: WebhookEvent) -> SafeString | str:
        return block(redacted(event.headers))


@admin.register(Refusal)
class RefusalPage(MachinePage):
    list_display = ["on", "why", "times"]
    fields = ["on", "why", "times"]
    readonly_fields = ["on", "why", "times"]
    list_filter = ["reason", "day"]
    date_hierarchy = "day"

    on = fact("day", _("day"))
    why = fact("reason", _("reason"))
    times = fact("count", _("deliveries"))


@admin.register(AuditLog)
class AuditPage(AboutStays):
    list_display = ["when", "who", "what", "about", "short"]
    list_filter = ["action", "at"]
    search_fields = ["subject", "action", "actor", "summary"]
    search_help_text = _("subject such as reservation:17, action, actor or words of the summary")
    date_hierarchy = "at"
    fieldsets = [(None, {"fields": [("when", "who"), ("what", "about"), "short", "more"]})]
    who = fact("actor", _("who"))
    what = fact("action", _("action"))
    short = fact("summary", _("summary"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["when", "who", "what", "about", "short", "more"]

    @column(_("when"), ordering="at")
    def when(self, entry: AuditLog) -> SafeString | str:
        return self.at(entry, entry.at)

    @column(_("details"))
    def more(self, entry: AuditLog) -> SafeString | str:
        return block(entry.details)


@admin.register(Message)
class MessagePage(MachinePage):
    """What guests were told. The text is not kept, because it holds the PIN."""

    list_display = ["template", "stay", "to", "language", "state_label", "sent", "tries", "trouble"]
    list_filter = ["state", "template", "language", "created_at"]
    search_fields = ["to", "reservation__guest_name", "reservation__short_id", "reservation__external_id"]
    date_hierarchy = "created_at"
    fieldsets = [(None, {"fields": [("template", "stay"), ("to", "channel"), ("language", "state_label"),
                                    ("created", "sent"), "tries", "trouble"]})]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return Message.objects.select_related("reservation__accommodation").defer("knows")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["template", "stay", "to", "channel", "language", "state_label", "created", "sent", "tries", "trouble"]

    @column(_("stay"), ordering="reservation")
    def stay(self, message: Message) -> SafeString:
        return page_of(message.reservation)

    @column(_("state"), ordering="state")
    def state_label(self, message: Message) -> SafeString:
        return label(message.get_state_display(), words.MESSAGE_TONES[Message.State(message.state)])

    @column(_("created"), ordering="created_at")
    def created(self, message: Message) -> SafeString | str:
        return moment(message.created_at, message.reservation.accommodation.zone)

    @column(_("sent"), ordering="sent_at")
    def sent(self, message: Message) -> SafeString | str:
        return moment(message.sent_at, message.reservation.accommodation.zone)

    @column(_("error"))
    def trouble(self, message: Message) -> str:
        return message.error or DASH


@admin.register(Notice)
class NoticePage(AboutStays):
    list_display = ["title", "level_label", "about", "created", "is_seen"]
    list_filter = ["level", ("seen_at", admin.EmptyFieldListFilter), "code", "created_at"]
    search_fields = ["title", "text", "subject", "code"]
    date_hierarchy = "created_at"
    fieldsets = [(None, {"fields": [("level_label", "about"), "whole_text", ("created", "emailed"),
                                    ("seen", "seen_by"), "code"]})]  # fmt: skip
    actions = ["mark_seen"]
    actions_detail = ["mark_seen_here"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return Notice.objects.select_related("seen_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["level_label", "about", "whole_text", "created", "emailed", "seen", "seen_by", "code"]

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.change_notice")

    @verb(_("Mark as seen"))
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        chosen = Notice.objects.filter(pk__in=ids_of(queryset))
        count = notices.mark_seen(chosen, user_id=request.user.pk, now=clock.now())
        done = ngettext("%(count)d notice is marked as seen.", "%(count)d notices are marked as seen.", count)
        answer(request, count, done % {"count": count}, _("They had been seen already."))

    mark_seen_here = button("mark_seen", _("Mark as seen"), _("Has this been taken care of?"), icon="done")

    @column(_("level"), ordering="level")
    def level_label(self, notice: Notice) -> SafeString:
        return label(notice.get_level_display(), words.LEVEL_TONES[Notice.Level(notice.level)])

    @column(_("text"))
    def whole_text(self, notice: Notice) -> SafeString | str:
        return block(notice.text, plain=True)

    @column(_("created"), ordering="created_at")
    def created(self, notice: Notice) -> SafeString | str:
        return moment(notice.created_at)

    @column(_("e-mailed"))
    def emailed(self, notice: Notice) -> SafeString | str:
        return moment(notice.emailed_at)

    @column(_("seen"), ordering="seen_at")
    def seen(self, notice: Notice) -> SafeString | str:
        return moment(notice.seen_at)

    @column(_("seen"), boolean=True, ordering="seen_at")
    def is_seen(self, notice: Notice) -> bool:
        return notice.seen_at is not None
