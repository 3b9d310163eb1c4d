"""Actions that need a word from the operator first, such as a time: a list asks on a page, a row's page in a dialog.

    question = Question("_move", _("Reschedule"), _("When?"), WhenForm, icon="schedule")
    move, move_here = from_list("move", question), from_page("move", question)

Both call ``page._move(request, rows, form)`` once the form is filled in properly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action as unfold_action

from smartlock.admin.base import Page, verb

if TYPE_CHECKING:

    class AskingForm(forms.Form):
        """What ``Question`` asks for."""

        def __init__(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> None: ...
else:
    from unfold.forms import BaseDialogForm as AskingForm

SUBMITTED = "_form_submitted"


@dataclass(frozen=True)
class Question:
    """What is asked, in a title and a sentence; ``method`` of the page then does it."""

    method: str
    title: Any
    text: Any
    form: type[AskingForm]
    icon: str
    permission: str = "operate"


def from_list(name: str, question: Question) -> Any:
    """An action for the rows chosen in a list."""

    def act(page: Page, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        form = question.form(request=request, data=request.POST if SUBMITTED in request.POST else None)
        if form.is_valid():
            getattr(page, question.method)(request, queryset, form)
            return None
        return _ask(page, request, queryset, question, form)

    act.__name__ = name
    return verb(question.title, question.permission)(act)


def from_page(name: str, question: Question) -> Any:
    """The same as a button on a row's own page."""

    def press(page: Page, request: HttpRequest, form: AskingForm, object_id: str) -> HttpResponse:
        getattr(page, question.method)(request, page.get_queryset(request).filter(pk=object_id), form)
        meta = page.model._meta
        return HttpResponse(
            headers={"HX-Redirect": reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[object_id])}
        )

    press.__name__ = f"{name}_here"
    dialog = {
        "title": question.title, "description": question.text, "form_class": question.form,
        "form_submit_text": question.title,
    }  # fmt: skip
    return unfold_action(
        description=question.title, permissions=[question.permission], url_path=name, icon=question.icon, dialog=dialog
    )(press)


def _ask(
    page: Page, request: HttpRequest, rows: QuerySet[Any], question: Question, form: AskingForm
) -> TemplateResponse:
    """The page in between. It posts the same choice of rows again, to the same (filtered) list."""
    across = request.POST.get("select_across") == "1"
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    context = {
        **page.admin_site.each_context(request), "title": question.title, "question": question.text, "form": form,
        "count": rows.count(), "opts": page.model._meta, "action": request.POST.get("action", ""),
        "across": across, "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": chosen[:1] if across else chosen,  # Django acts on none unless one is named
        "media": page.media + form.media,
    }  # fmt: skip
    return TemplateResponse(request, "smartlock/admin/ask.html", context)
