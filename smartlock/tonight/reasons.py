"""Why a job failed, to whoever reads it. The machine writes that down in English; for others the usual errors have a
sentence, by the error's class, and the rest is quoted as the record it is. English readers get the record, which names
more.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from locks import errors, troubles
from notifications import mail, telling
from scheduler.models import Job, JobAttempt
from scheduler.rescue import LOST

SENTENCES = {
    "Lost": N_("Its worker died over it."),
    mail.MailAway.__name__: N_("The mail server did not take the message."),
    mail.MayHaveArrived.__name__: N_("The mail server fell silent."),
    mail.MailNotSetUp.__name__: N_("There is no way to send mail: EMAIL_URL is not set."),
}
# What a message says of itself is always in these words.
OF_MESSAGES = (telling.NO_ADDRESS, telling.ERASED)


def of_job(error_class: str, record: str) -> str:
    if _is_english() or not record:
        return record
    if record == LOST:
        error_class = "Lost"
    sentence = SENTENCES.get(error_class)
    return _(sentence) if sentence else _of_door(error_class) or quoted(record)


def of_message(record: str) -> str:
    return _(record) if record in OF_MESSAGES else quoted(record)


def quoted(record: str) -> str:
    return record if _is_english() or not record else _("Record: “%(text)s”") % {"text": record.strip()}


def classes_of(jobs: Iterable[Job]) -> dict[int, str]:
    """The class of the error that put each of them on the shelf; no query when none is there."""
    failed = {job.pk: job.last_error for job in jobs if job.state == Job.State.FAILED}
    if not failed:
        return {}
    tries = JobAttempt.objects.filter(job__in=failed).exclude(error_class="").order_by("started_at", "pk")
    known = tries.values_list("job_id", "error_class", "error")
    return {job: error_class for job, error_class, error in known if error == failed[job]}


def _of_door(error_class: str) -> str:
    found = getattr(errors, error_class or "-", None)
    if not isinstance(found, type) or not issubclass(found, errors.DoorError):
        return ""
    trouble = troubles.of_error(found.code)
    return trouble.text if trouble is not None else ""


def _is_english() -> bool:
    return (get_language() or "en").startswith("en")
