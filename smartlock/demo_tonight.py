"""A night on which everything happens at once, for whoever looks around: one unit with a door of its own per scene.

No sandbox has these doors, so nothing that is shown here is done or undone by a worker before its time: readings leave
them alone for a while, and what falls due there later fails, as at a door that was taken away.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from locks import planning, sealing
from locks.models import BatteryReading, Credential, Fallback, Lock, LockReport, Opening
from locks.plan import GENERATE, REVOKE
from notifications.models import Message
from notifications.outlook import look
from notifications.planning import TELL_GUEST, plan_telling
from reservations.models import Reservation
from scheduler.models import Job, JobAttempt

Act = Callable[[Reservation, Lock, datetime], None]
Outcome, State = JobAttempt.Outcome, Credential.State
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NO_CLOUD = "The lock's cloud did not answer; it is asked again."
NO_MAILBOX = "The mail server refused bruno@example.com: no such mailbox."
TRACEBACK = f"""Traceback (most recent call last):
  File "notifications/channels.py", in send
    connection.send_messages([mail])
smtplib.SMTPRecipientsRefused: {NO_MAILBOX}
"""


@dataclass(frozen=True)
class Scene:
    """A unit, its guest, and what is going on there. ``comes_in`` and ``stays``: hours from now, and hours."""

    key: str
    unit: str
    guest: str
    language: str
    comes_in: float
    stays: float
    act: Act
    radio: Lock.Radio = Lock.Radio.ZIGBEE
    battery: int = 82

    @property
    def device_id(self) -> str:
        return f"demo00000000000{self.key}"

    @property
    def listing_id(self) -> str:
        return f"6908f6db0000000000000{self.key}"


def furnish(scene: Scene, stay: Reservation, lock: Lock, *, now: datetime) -> None:
    """The door as it was read just now, and then the scene."""
    BatteryReading.objects.create(lock=lock, at=now, percent=scene.battery)
    Lock.objects.filter(pk=lock.pk).update(
        battery_percent=scene.battery, battery_at=now, seen_at=now, heard_at=now, log_read_at=now, alarms_read_at=now,
        online=scene.radio != Lock.Radio.WIFI, backup_pins=0,
    )  # fmt: skip
    found: dict[str, list[str]] = {"missing": [], "unwanted": [], "foreign": [], "changed": []}
    LockReport.objects.create(lock=lock, tried_at=now, checked_at=now, actor="demo", held=1, foreign=0, found=found)
    scene.act(stay, lock, now)


def forget(lock: Lock) -> None:
    """What hangs on such a door; nothing of it was ever on a real one."""
    Opening.objects.filter(lock=lock).delete()
    Fallback.objects.filter(lock=lock).delete()
    Credential.objects.filter(lock=lock).delete()


def waiting(stay: Reservation, lock: Lock, now: datetime) -> None:
    """Its time has not come."""


def proven(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The door was seen to hold the PIN, and the guest knows it."""
    _pin(stay, lock, now, proven_at=min(now, stay.check_in_at) - 20 * MINUTE)
    _settle(stay, GENERATE, now)
    _told(stay, now)


def in_use(stay: Reservation, lock: Lock, now: datetime) -> None:
    """All of it, and the guest is in."""
    proven(stay, lock, now)
    at = stay.check_in_at + 9 * MINUTE
    pin = stay.credentials.get()
    Credential.objects.filter(pk=pin.pk).update(first_used_at=at)
    Opening.objects.create(
        lock=lock, at=at, method="temporary", ref=pin.provider_ref, credential=pin, who=Opening.Who.GUEST,
        matched_by=Opening.Match.REFERENCE, recorded_at=at,
    )  # fmt: skip


def asleep(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The cloud took the PIN; the lock sleeps and has not fetched it."""
    _pin(stay, lock, now, state=State.REQUESTED)
    _tried(stay, GENERATE, 4, "The lock sleeps and has not fetched the PIN yet.", now, again_at=now + 25 * MINUTE)


def late(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The guest is about to come, and the cloud has not taken the PIN."""
    _pin(stay, lock, now, provider_ref="", state=State.ABSENT, asked_at=None)
    _tried(stay, GENERATE, 5, NO_CLOUD, now, again_at=now + 5 * MINUTE)


def unreachable(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The PIN is on the door, and the guest does not know: the message was given up."""
    _pin(stay, lock, now, proven_at=now - 30 * MINUTE)
    _settle(stay, GENERATE, now)
    plan_telling(stay.pk, now=now)
    _message(stay, now, state=Message.State.FAILED, error=NO_MAILBOX, tries=3, created_at=now - 2 * MINUTE)
    _tried(stay, TELL_GUEST, 3, NO_MAILBOX, now, traceback=TRACEBACK)


def replaced(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The door did not take the guest's own PIN in time, so she was given the backup that was on it."""
    gone = {"wanted": False, "unwanted_at": stay.check_in_at, "removed_at": now, "pin_sealed": b""}
    _pin(stay, lock, now, state=State.ABSENT, **gone)
    backup = Credential.objects.create(
        **_digits(), purpose=Credential.Purpose.BACKUP, lock=lock, name=f"SL {secrets.token_hex(6)}",
        provider_ref="demo-backup", state=State.ON_LOCK, starts_at=now - 48 * HOUR, ends_at=stay.check_out_at + HOUR,
        asked_at=now - 48 * HOUR, proven_at=now - 47 * HOUR, lock_starts_at=now - 48 * HOUR,
        lock_ends_at=stay.check_out_at + HOUR, first_used_at=stay.check_in_at + 4 * MINUTE,
    )  # fmt: skip
    Fallback.objects.create(
        reservation=stay, lock=lock, kind=Fallback.Kind.BACKUP, credential=backup, shut_from=stay.check_in_at,
        warned_at=stay.check_in_at - 30 * MINUTE, handed_out_at=stay.check_in_at - 5 * MINUTE,
        starts_at=stay.check_in_at - 5 * MINUTE, ends_at=stay.check_out_at,
    )  # fmt: skip
    _settle(stay, GENERATE, now)
    planning.replan(stay.pk, now=now)
    _told(stay, now)


def left_behind(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The guest is gone and her PIN is not: the lock sleeps."""
    _pin(stay, lock, now, proven_at=stay.check_in_at - HOUR)
    Credential.objects.filter(reservation=stay).update(
        removal_tried_at=now - 8 * MINUTE, alarmed_at=now - 20 * MINUTE, state=State.REMOVING
    )
    _told(stay, stay.check_in_at)
    planning.replan(stay.pk, now=now)
    _tried(stay, REVOKE, 6, "The lock sleeps; its PIN is still on it.", now, again_at=now + 40 * MINUTE)


def gone_late(stay: Reservation, lock: Lock, now: datetime) -> None:
    """The PIN went, a quarter of an hour too late."""
    in_use(stay, lock, now)
    gone = stay.check_out_at + 16 * MINUTE
    Credential.objects.filter(reservation=stay).update(
        wanted=False, unwanted_at=stay.check_out_at, removed_at=gone, proven_at=gone, state=State.ABSENT,
        pin_sealed=b"", removal_tried_at=gone,
    )  # fmt: skip
    _settle(stay, REVOKE, now)


SCENES = (
    Scene("1a1", "Ipanema 501", "Helena Martins", "pt-BR", 1.2, 68, proven),
    Scene("1a2", "Leblon 1203", "Caio Ferreira", "pt-BR", 0.8, 70, asleep, Lock.Radio.WIFI),
    Scene("1a3", "Lapa Loft 2", "Grace Miller", "en-US", 0.3, 44, late),
    Scene("1a4", "Botafogo 88", "Pedro Nogueira", "pt-BR", -1.1, 46, replaced, Lock.Radio.WIFI),
    Scene("1a5", "Santa Teresa 9", "Claire Dubois", "en-US", 20, 72, waiting, Lock.Radio.BLE, battery=9),
    Scene("1a6", "Urca 14", "Bruno Batista", "pt-BR", 2.1, 96, unreachable),
    Scene("1a7", "Flamengo 7", "Marta Ruiz", "es-AR", -2.2, 45, in_use),
    Scene("1a8", "Glória 31", "Noah Becker", "en-US", -46.7, 46, left_behind, Lock.Radio.WIFI),
    Scene("1a9", "Laranjeiras 5", "Bruna Alves", "pt-BR", -49, 46, gone_late),
    Scene("1b1", "Catete 77", "Daniel Prado", "pt-BR", 26, 48, waiting),
)


def _digits() -> dict[str, object]:
    """Of a PIN that no door has: made up, kept sealed as any other, and shown nowhere."""
    digits = f"{secrets.randbelow(10**6):06}"
    return {"pin_fingerprint": sealing.fingerprint(digits), "pin_sealed": sealing.seal(digits)}


def _pin(stay: Reservation, lock: Lock, now: datetime, **seen: object) -> None:
    starts_at, ends_at = stay.check_in_at, stay.check_out_at
    asked = {"asked_at": now - 40 * MINUTE, "asked_starts_at": starts_at, "asked_ends_at": ends_at}
    proof = (
        {"state": State.ON_LOCK, "lock_starts_at": starts_at, "lock_ends_at": ends_at} if "proven_at" in seen else {}
    )
    Credential.objects.create(**{
        **_digits(), "reservation": stay, "lock": lock, "name": f"SL {secrets.token_hex(6)}",
        "provider_ref": f"demo{secrets.token_hex(4)}", "starts_at": starts_at, "ends_at": ends_at,
        "created_at": min(now, starts_at) - HOUR, **asked, **proof, **seen,
    })  # fmt: skip


def _settle(stay: Reservation, kind: str, now: datetime) -> None:
    """The planned job was done at its time."""
    job = Job.objects.filter(subject=stay.subject, kind=kind, state__in=Job.LIVE).first()
    if job is None:
        return
    done = min(job.due_at, now - MINUTE)
    _attempts(job, 1, "", done)
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.SUCCEEDED, due_at=done, run_at=done, attempt=1, finished_at=done, worker="worker@demo"
    )


def _tried(
    stay: Reservation, kind: str, tries: int, error: str, now: datetime, *, again_at: datetime | None = None,
    traceback: str = "",
) -> None:  # fmt: skip
    """The planned job was tried in vain, and is again at ``again_at`` or never."""
    job = Job.objects.filter(subject=stay.subject, kind=kind, state__in=Job.LIVE).first()
    if job is None:
        return
    _attempts(job, tries, error, now - 2 * tries * MINUTE, traceback)
    Job.objects.filter(pk=job.pk).update(attempt=tries, last_error=error, run_at=again_at or now)
    if again_at is None:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, max_attempts=tries, finished_at=now - MINUTE)


def _attempts(job: Job, count: int, error: str, first: datetime, traceback: str = "") -> None:
    for number in range(1, count + 1):
        at = first + 2 * (number - 1) * MINUTE
        JobAttempt.objects.create(
            job=job, number=number, started_at=at, finished_at=at + timedelta(milliseconds=730), worker="worker@demo",
            outcome=Outcome.RETRY if error else Outcome.SUCCEEDED, error=error, traceback=traceback,
            error_class="Transient" if error else "", lateness_ms=38 + 5 * number,
        )  # fmt: skip


def _told(stay: Reservation, now: datetime) -> None:
    at = min(now, stay.check_in_at) - 15 * MINUTE
    _message(stay, now, state=Message.State.SENT, sent_at=at, created_at=at)
    _settle(stay, TELL_GUEST, now)


def _message(stay: Reservation, now: datetime, **fields: object) -> None:
    outlook = look(stay, now=now)
    if outlook.template is not None:
        Message.objects.create(
            reservation=stay, template=outlook.template, to=stay.guest_email, language=stay.guest_language,
            knows=outlook.knows.as_json(), **fields,
        )  # fmt: skip
