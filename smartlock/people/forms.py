"""What a person types at the gate."""

from __future__ import annotations

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=capfirst(_("code")), max_length=20, strip=True,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "none", "spellcheck": "false"}
        ),
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why somebody has to see a PIN; it stays in the audit trail."""

    reason = forms.CharField(
        label=capfirst(_("reason")), max_length=200, min_length=3, strip=True,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autofocus": True}),
    )  # fmt: skip
