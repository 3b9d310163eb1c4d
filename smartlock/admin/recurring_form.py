"""The form of a recurring job: its schedule in one of three ways, everything checked by the services' own rules."""

from __future__ import annotations

import json
from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.forms import ModelForm
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from scheduler.models import RecurringJob
from scheduler.recurring import schedules, targets
from scheduler.recurring.errors import RecurringError
from scheduler.recurring.models import UNITS
from scheduler.recurring.schedules import Cron, Schedule

if TYPE_CHECKING:
    FormBase = ModelForm[RecurringJob]
else:
    FormBase = ModelForm

TIMES, INTERVAL, CRON = "times", "interval", "cron"


class WhenForm(forms.Form):
    """The part that says when, also asked alone for a preview."""

    how = forms.ChoiceField(
        label=capfirst(_("how it comes again")), widget=UnfoldAdminSelectWidget,
        choices=[(TIMES, _("at times of the day")), (INTERVAL, _("at an interval")), (CRON, _("as cron says"))],
    )  # fmt: skip
    times = forms.CharField(
        label=capfirst(_("times of the day")), required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("such as 08:30 14:30; they share their minutes"),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=capfirst(_("days of the week")), required=False, coerce=int, widget=forms.CheckboxSelectMultiple,
        choices=[(day + 1, name) for day, name in WEEKDAYS.items()], help_text=_("none = every day"),
    )  # fmt: skip
    every = forms.IntegerField(
        label=capfirst(_("every")), required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget
    )
    unit = forms.ChoiceField(
        label=capfirst(_("unit")), required=False, widget=UnfoldAdminSelectWidget,
        choices=[("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days")), ("seconds", _("seconds"))],
    )  # fmt: skip
    cron = forms.CharField(
        label=capfirst(_("cron")), required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("minute hour day month weekday"),
    )  # fmt: skip
    timezone = forms.ChoiceField(
        label=capfirst(_("time zone")), widget=UnfoldAdminSelectWidget,
        choices=[(name, name) for name in sorted(available_timezones())],
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                data["schedule"] = _schedule(data)
            except RecurringError as error:
                self.add_error({TIMES: "times", INTERVAL: "every", CRON: "cron"}[data["how"]], str(error))
        return data


class RecurringForm(WhenForm, FormBase):
    params = forms.CharField(
        label=capfirst(_("parameters")), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("as JSON; never a secret"),
    )  # fmt: skip
    target = forms.ChoiceField(label=capfirst(_("what it does")), widget=UnfoldAdminSelectWidget)
    description = forms.CharField(
        label=capfirst(_("description")), required=False, max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )  # fmt: skip

    class Meta:
        model = RecurringJob
        fields = ["slug", "name", "category", "missed", "timeout", "retries"]
        labels = {
            "slug": capfirst(_("short name")), "name": capfirst(_("name")), "category": capfirst(_("category")),
            "missed": capfirst(_("when its time was missed")), "timeout": capfirst(_("time limit in seconds")),
            "retries": capfirst(_("tries after the first")),
        }  # fmt: skip
        help_texts = {
            "name": _("blank = the title of what it does"),
            "timeout": _("a run that takes longer is stopped and counts as failed"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.name, f"{one.title} ({one.name})") for one in targets.every_target()]
        self.fields["target"].choices = choices  # type: ignore[attr-defined]
        job: RecurringJob = self.instance
        self.initial.setdefault("timezone", settings.TIME_ZONE)
        if job.pk:
            for name in {"slug", "target"} & set(self.fields):
                self.fields[name].disabled = True
            self.initial = {**self.initial, **_initial(job)}

    def clean_params(self) -> dict[str, Any]:
        try:
            found = json.loads(self.cleaned_data["params"] or "{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise forms.ValidationError(_now("Enter this as JSON between braces."))
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if "target" in data and "params" in data:
            try:
                targets.checked(targets.get(data["target"]), data["params"])
            except RecurringError as error:
                self.add_error("params", str(error))
        return data


def _schedule(data: dict[str, Any]) -> Schedule:
    """Raises RecurringError in a sentence for the field in question."""
    if data["how"] == INTERVAL:
        return schedules.every((data["every"] or 0) * UNITS[data["unit"] or "minutes"])
    if data["how"] == CRON:
        return schedules.cron(data["cron"], data["timezone"])
    try:
        times = [time.fromisoformat(word) for word in data["times"].replace(",", " ").split()]
    except ValueError:
        raise RecurringError(_now("A time is written like 08:30.")) from None
    return schedules.at_times(times, data["weekdays"], data["timezone"])


def _initial(job: RecurringJob) -> dict[str, Any]:
    schedule = job.schedule
    facts = {
        "target": job.target, "params": json.dumps(job.params), "description": job.task.description,
        "timezone": job.timezone,
    }  # fmt: skip
    if isinstance(schedule, Cron):
        return facts | {"how": CRON, "cron": schedule.expression}
    unit = next(name for name, seconds in UNITS.items() if schedule.seconds % seconds == 0)
    return facts | {"how": INTERVAL, "every": schedule.seconds // UNITS[unit], "unit": unit}
