"""The operators' side: a notice that waits on the admin site until somebody has seen it, and an e-mail about it.

While a notice is unseen the same thing makes no second one; what is new about it, line by line, is added to its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from locks.models import Credential, Lock
from locks.plan import KINDS
from notifications import details, mail, sentences
from notifications.languages import wall_clock
from notifications.models import Notice
from notifications.words import Words
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.errors import Retry
from scheduler.models import Job

TELL_OPERATOR = "notifications.tell_operator"
TELL_OF_QUEUE = "notifications.tell_of_queue"  # the same in another queue: that of messages may be the paused one
LONGEST = 4000


def about_stay(code: str, reservation: Reservation, *, detail: str, now: datetime) -> Notice:
    return write(code, subject=reservation.subject, about=describe(reservation), detail=detail, now=now)


def about_way_in(code: str, reservation: Reservation, lock: Lock, *, detail: str, now: datetime) -> Notice:
    """What was done, or could not be done, about a door that does not answer."""
    rouse = sentences.WAKE if lock.sleeps else sentences.GATEWAY
    return write(
        code, subject=reservation.subject, about=describe(reservation), detail=detail, door=lock.name, now=now,
        rouse=rouse[sentences.language(settings.LANGUAGE_CODE)],
    )  # fmt: skip


def about_door(code: str, credential: Credential, *, detail: str, now: datetime) -> Notice:
    """``code`` is the door's own word, such as removal_overdue."""
    stay, owner = credential.reservation, credential.owner
    if hasattr(credential, "fallback"):  # a backup that was handed out concerns the stay that has it
        stay = owner = credential.fallback.reservation
    about = describe(stay) if stay is not None else f"{owner._meta.verbose_name} {owner}"
    return write(f"door_{code}", subject=(stay or credential).subject, about=about, detail=detail, now=now)


def about_account(code: str, provider: str, *, detail: str, now: datetime) -> Notice:
    """Something that concerns every lock of a provider's account: one notice, however many stays wait for it."""
    return write(code, subject=f"account:{provider}", about=Lock.Provider(provider).label, detail=detail, now=now)


def about_overlap(reservation: Reservation, others: Iterable[Reservation], *, now: datetime) -> None:
    """One notice for the whole double booking, whichever of its stays was saved last; a line for each other stay."""
    first, *rest = sorted({reservation, *others}, key=lambda stay: stay.pk)
    for stay in rest:
        about_stay("stays_overlap", first, detail=describe(stay), now=now)


def about_job(job: Job, error: str, *, now: datetime) -> Notice:
    """A job landed on the dead-letter shelf. One at a door names it, and says what that means for the guest."""
    stay = _stay_of(job.subject)
    code = "backup_failed" if job.kind in KINDS and job.subject.startswith("lock:") else f"job_failed.{job.kind}"
    return write(
        code[:64], subject=job.subject or f"job:{job.pk}",
        about=describe(stay) if stay is not None else _door_of(job) or f"{job.kind} #{job.pk}",
        detail=details.of_record(error if job.kind in KINDS else f"{job.kind}: {error}"), door=_door_of(job), now=now,
        # A mail about mail that does not work only fails in its turn.
        by_mail=job.kind not in (TELL_OPERATOR, TELL_OF_QUEUE),
    )  # fmt: skip


def about_slow_job(job: Job, error: str, *, now: datetime) -> Notice:
    """A job that is never given up kills its workers: only removals of codes are such."""
    stay, door = _stay_of(job.subject), _door_of(job)
    return write(
        "job_slowed", subject=job.subject or f"job:{job.pk}",
        about=describe(stay) if stay is not None else door or f"{job.kind} #{job.pk}",
        detail=details.of_record(f"{job.kind} #{job.pk}: {error}"), door=door, now=now,
    )  # fmt: skip


@transaction.atomic
def write(
    code: str,
    *,
    subject: str,
    about: str,
    detail: str,
    now: datetime,
    door: str = "",
    by_mail: bool = True,
    mail_by: str = TELL_OPERATOR,
    **facts: object,
) -> Notice:
    """Write a notice in the installation's language and plan its e-mail, in the caller's transaction.

    ``facts`` are further values for the sentence of this code; ``mail_by`` is the kind of job that e-mails it.
    """
    words, tongue = _words(code), sentences.language(settings.LANGUAGE_CODE)
    text = words.text[tongue].format(stay=about, door=door, detail=_sentence(detail), **facts)[:LONGEST]
    known = _unseen(code, subject)
    if known is None:
        title = f"{words.title[tongue]}: {about}"[:200]
        notice = Notice(code=code, subject=subject, level=words.level, title=title, text=text, created_at=now)
        try:
            with transaction.atomic():
                notice.save(force_insert=True)
        except IntegrityError:  # somebody wrote it in this very moment
            return Notice.objects.get(code=code, subject=subject, seen_at__isnull=True)
    else:
        new = "\n".join(line for line in text.split("\n") if line not in known.text)
        if not new or len(known.text) + len(new) > LONGEST:
            return known
        notice = known
        notice.text, notice.emailed_at = f"{known.text}\n\n{new}", None
        notice.save(update_fields=["text", "emailed_at"])
    if by_mail:
        _plan_mail(notice, mail_by, now=now)
    return notice


def _plan_mail(notice: Notice, kind: str, *, now: datetime) -> None:
    if settings.OPERATOR_EMAILS:
        jobs.schedule(
            kind, subject=f"notice:{notice.pk}", live_key=f"{TELL_OPERATOR}:notice:{notice.pk}",
            payload={"notice": notice.pk}, due_at=now, now=now,
        )  # fmt: skip


def tell_operator(notice_id: int, *, check: Callable[[], None], now: Callable[[], datetime]) -> bool:
    """E-mail a notice to the operators. False when it was sent or seen before. Raises Retry, Stop; at least once."""
    notice = Notice.objects.filter(pk=notice_id, emailed_at__isnull=True, seen_at__isnull=True).first()
    if notice is None or not settings.OPERATOR_EMAILS:
        return False
    more = sentences.MORE[sentences.language(settings.LANGUAGE_CODE)]
    letter = mail.Letter(f"[SmartLock] {notice.title}", f"{notice.text}\n\n-- \n{more}\n")
    check()
    try:
        mail.send(letter, to=list(settings.OPERATOR_EMAILS), message_id=f"notice-{notice_id}-{len(notice.text)}")
    except mail.AddressRefused as refused:
        raise mail.MailNotSetUp(f"{refused} Correct OPERATOR_EMAIL, then retry this job.") from None
    if not Notice.objects.filter(pk=notice_id, text=notice.text).update(emailed_at=now()):
        raise Retry("The notice grew while it was being sent; it is sent again.")
    return True


def mark_seen(notices: QuerySet[Notice], *, user_id: int | None, now: datetime) -> int:
    """A person has read them. Returns how many were unseen."""
    return notices.filter(seen_at__isnull=True).update(seen_at=now, seen_by_id=user_id)


def describe(reservation: Reservation) -> str:
    """A stay in a few words: its number, the guest, the unit and the check-in by the unit's clock."""
    unit = reservation.accommodation
    tongue = sentences.language(settings.LANGUAGE_CODE)
    return f"{reservation}, {unit}, {wall_clock(reservation.check_in_at, unit.zone, tongue)}"


def _sentence(detail: str) -> str:
    detail = detail.strip()
    return detail if detail.endswith((".", "!", "?")) else f"{detail}."


def _words(code: str) -> Words:
    """By the code, or by its first word: door_anything has the words of "door"."""
    exact = sentences.NOTICES.get(code)
    return exact or sentences.NOTICES["door" if code.startswith("door_") else code.partition(".")[0]]


def _unseen(code: str, subject: str) -> Notice | None:
    return Notice.objects.select_for_update().filter(code=code, subject=subject, seen_at__isnull=True).first()


def _door_of(job: Job) -> str:
    """The name of the door a job is about. Empty for a job at no door."""
    number = job.payload.get("lock")
    if number is None:
        return ""
    return Lock.objects.filter(pk=number).values_list("name", flat=True).first() or f"lock #{number}"


def _stay_of(subject: str) -> Reservation | None:
    kind, _colon, number = subject.partition(":")
    if kind != "reservation" or not number.isdigit():
        return None
    return Reservation.objects.select_related("accommodation").filter(pk=int(number)).first()
