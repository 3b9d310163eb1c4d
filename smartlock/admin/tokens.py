"""The keys of the API: made here or by ``create_token``, shown once, revoked for good."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from scheduler import clock
from smartlock.admin.base import DASH, Page, actor, answer, button, column, label, moment, verb
from smartlock.api import scopes, tokens
from smartlock.api.models import ApiToken

if TYPE_CHECKING:
    TokenFormBase = ModelForm[ApiToken]
else:
    TokenFormBase = ModelForm


class TokenForm(TokenFormBase):
    scopes = forms.MultipleChoiceField(
        label=capfirst(_("scopes")), choices=[(scope, scope) for scope in scopes.ALL],
        widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text=_("writing includes reading"),
    )  # fmt: skip

    class Meta:
        model = ApiToken
        fields = ["name", "scopes", "expires_at"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not str(data.get("name", "")).isprintable():
            self.add_error("name", _("Printable characters only."))
        if (until := data.get("expires_at")) and until <= clock.now():
            self.add_error("expires_at", _("This time is over."))
        return data


@admin.register(ApiToken)
class TokenPage(Page):
    form = TokenForm
    list_display = ["name", "begins", "state", "reach", "used", "until", "made"]
    search_fields = ["name"]
    actions = ["revoke"]
    actions_detail = ["revoke_here"]
    actions_detail_hide_default = True

    def get_fieldsets(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["name", "scopes", "expires_at"]})]
        return [(None, {"fields": [("name", "begins"), ("state", "used"), "reach", ("until", "made")]})]

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Nobody gives away more than she may herself."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            field = cast(
                forms.MultipleChoiceField, deepcopy(form.base_fields["scopes"])
            )  # the form's own is shared by all requests
            field.choices = [(scope, scope) for scope in scopes.grantable(request.user)]
            form.base_fields["scopes"] = field
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return ["name", "begins", "state", "reach", "used", "until", "made"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """What a token may do is settled when it is made: whoever holds it was told so."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("api.change_apitoken")

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, text = tokens.create(
            obj.name, obj.scopes, now=clock.now(), actor=actor(request), expires_at=obj.expires_at
        )  # fmt: skip
        obj.pk, obj.hash, obj.hint = made.pk, made.hash, made.hint
        request.token_text = text  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The one page that shows the token. It is not kept, so going back to it shows nothing."""
        context = {
            **self.admin_site.each_context(request), "title": obj.name,
            "token": request.token_text,  # type: ignore[attr-defined]
            "back": reverse("admin:api_apitoken_changelist"),
        }  # fmt: skip
        response = TemplateResponse(request, "smartlock/admin/token_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @column(_("begins with"))
    def begins(self, token: ApiToken) -> str:
        return f"{token.hint}…"

    @column(_("state"))
    def state(self, token: ApiToken) -> SafeString:
        if token.revoked_at is not None:
            return label(_("revoked"), "danger")
        return label(_("valid"), "success") if token.is_valid(clock.now()) else label(_("expired"), "warning")

    @column(_("scopes"))
    def reach(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @column(_("last used"), ordering="last_used_at")
    def used(self, token: ApiToken) -> SafeString | str:
        return moment(token.last_used_at)

    @column(_("expires"), ordering="expires_at")
    def until(self, token: ApiToken) -> SafeString | str:
        return moment(token.expires_at)

    @column(_("created"), ordering="created_at")
    def made(self, token: ApiToken) -> SafeString | str:
        return format_html("{} {}", moment(token.created_at), token.created_by or DASH)

    @verb(_("Revoke"), permission="revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = sum(tokens.revoke(token, now=clock.now(), actor=actor(request)) for token in queryset)
        done = ngettext("%(count)d token opens nothing any more.", "%(count)d tokens open nothing any more.", count)
        answer(request, count, done % {"count": count}, _("They had been revoked before."))

    revoke_here = button(
        "revoke", _("Revoke"), _("Shall whoever holds this token get no answer any more? This cannot be undone."),
        icon="key_off", permission="revoke",
    )  # fmt: skip
