"""The first page's rows: who comes, who goes, how each stands, what mends it. A fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from locks.models import Credential, Lock
from locks.plan import REVOKE
from reservations.models import Reservation
from scheduler.models import Job
from smartlock.admin.base import moment
from smartlock.people.roles import CHANGE_MESSAGE
from smartlock.tonight import gather, reasons, wording
from smartlock.tonight.chain import Chain, Light, Mend, chain
from smartlock.tonight.facts import JobFacts
from smartlock.tonight.parts import Asked, parts
from smartlock.tonight.removal import PinFacts, Removal, exposure_text, removal

AHEAD = timedelta(hours=36)
BEHIND = timedelta(hours=12)
MOST = 2000  # on each side; beyond that the page says that it does not show all
May = Callable[[str], bool]  # whether the one who looks has a permission
STEER = "scheduler.change_job"
NEEDS = {
    Mend.READMIT: "locks.change_credential", Mend.NEW_PIN: "locks.change_credential", Mend.RESEND: CHANGE_MESSAGE,
}  # fmt: skip
ORDER = {Light.RED: 0, Light.AMBER: 1}


@dataclass(frozen=True)
class Arrival:
    """A stay to come with its chain."""

    stay: Reservation
    chain: Chain

    @property
    def rank(self) -> tuple[int, datetime, int]:
        """Worst first, then by check-in."""
        return ORDER.get(self.chain.worst, 2), self.stay.check_in_at, self.stay.pk


@dataclass(frozen=True)
class Departure:
    stay: Reservation
    removal: Removal

    @property
    def rank(self) -> tuple[int, datetime, int]:
        return ORDER.get(self.removal.light, 2), self.stay.check_out_at, self.stay.pk


def board(now: datetime, *, may: May, wanted: Asked) -> dict[str, Any]:
    """What the template shows. All are judged, so that no trouble hides behind a page; few are shown at once."""
    coming, going = arrivals(now), departures(now)
    return {
        "arrivals": parts(
            "in", coming, lambda one: one.chain.worst, lambda one: _arrival_row(one, now, may=may), wording.coming,
            wanted,
        ),
        "departures": parts(
            "out", going, lambda one: one.removal.light, lambda one: _departure_row(one, now, may=may), wording.going,
            wanted,
        ),
        "headline": headline([one.chain for one in coming]), "forms": wording.forms(),
        "units": bool(coming) or Reservation.objects.exists(), "cut": len(coming) >= MOST or len(going) >= MOST,
    }  # fmt: skip


def arrivals(now: datetime) -> list[Arrival]:
    """Confirmed stays that begin soon, and those that began without a proven PIN; worst first."""
    proven = Credential.objects.filter(reservation=OuterRef("pk"), state=Credential.State.ON_LOCK)
    soon = Q(check_in_at__gt=now - BEHIND) | ~Exists(proven)
    rows = Reservation.objects.filter(
        soon, status__in=Reservation.CONFIRMED, check_out_at__gt=now, check_in_at__lt=now + AHEAD
    )
    stays = list(gather.with_proofs(rows).order_by("check_in_at", "pk")[:MOST])
    facts = gather.facts_of(stays, now=now)
    return sorted((Arrival(stay, chain(facts[stay.pk], now)) for stay in stays), key=lambda one: one.rank)


def departures(now: datetime) -> list[Departure]:
    """Stays that end soon or ended lately, and all whose PIN is still on a door afterwards."""
    around = Q(check_out_at__range=(now - BEHIND, now + AHEAD), status__in=Reservation.CONFIRMED)
    there = Credential.objects.filter(removed_at__isnull=True, asked_at__isnull=False, reservation__isnull=False)
    left = there.filter(Q(wanted=False) | Q(ends_at__lte=now)).order_by("ends_at").values_list("reservation_id")
    behind = Q(pk__in=[pk for (pk,) in left[:MOST]])  # as numbers: a join would read every credential there ever was
    credentials = Credential.objects.select_related("lock").defer("pin_hash", "pin_sealed", "pin_fingerprint")
    rows = Reservation.objects.filter(around | behind).select_related("accommodation")
    rows = rows.prefetch_related(Prefetch("credentials", queryset=credentials.filter(asked_at__isnull=False)))
    stays = list(rows.order_by("check_out_at", "pk")[:MOST])
    jobs = _removals(stays)
    found = (Departure(stay, removal(_pins(stay), jobs[stay.subject], now)) for stay in stays)
    return sorted(found, key=lambda one: one.rank)


def _pins(stay: Reservation) -> list[PinFacts]:
    return [
        PinFacts(
            pin.lock.name, pin.closes_at, pin.removed_at, pin.lock.radio == Lock.Radio.WIFI,
        )
        for pin in stay.credentials.all()
    ]  # fmt: skip


def _removals(stays: Sequence[Reservation]) -> dict[str, JobFacts]:
    found: dict[str, list[Job]] = {stay.subject: [] for stay in stays}
    rows = Job.objects.filter(subject__in=list(found), kind=REVOKE, state__in=[*Job.LIVE, Job.State.FAILED])
    for job in rows.only(*gather.JOB_FACTS).order_by("run_at", "pk"):
        found[job.subject].append(job)
    errors = reasons.classes_of(job for jobs in found.values() for job in jobs)
    return {subject: gather.job_facts(jobs, errors) for subject, jobs in found.items()}


def headline(chains: Sequence[Chain]) -> dict[str, Any]:
    """The number that matters: how many of the coming guests have a PIN that their doors were seen to hold."""
    proven = sum(one.is_proven for one in chains)
    troubled = sum(one.worst is Light.RED for one in chains)
    later = sum(one.worst is Light.LATER for one in chains)
    said = ngettext("%(proven)d of %(all)d arrival proven", "%(proven)d of %(all)d arrivals proven", len(chains))
    notes = [(one, count) for one, count in ((Light.RED, troubled), (Light.LATER, later)) if count]
    light = Light.RED if troubled else Light.GREEN if proven == len(chains) else Light.LATER
    return {
        "text": said % {"proven": proven, "all": len(chains)}, "light": light.value, "count": len(chains),
        "notes": [{"text": wording.coming(one, count), "light": one.value} for one, count in notes],
    }  # fmt: skip


def _arrival_row(one: Arrival, now: datetime, *, may: May) -> dict[str, Any]:
    stay, trouble = one.stay, one.chain.trouble
    zone = stay.accommodation.zone
    return {
        **_head(stay), "at": moment(stay.check_in_at, zone), "countdown": wording.until(stay.check_in_at, now),
        "due": stay.check_in_at, "light": one.chain.worst.value, "readiness": one.chain.readiness,
        "links": [wording.link(link, zone) for link in one.chain.links],
        "trouble": trouble, "todo": _button(stay, trouble.mend if trouble else None, may=may),
    }  # fmt: skip


def _departure_row(one: Departure, now: datetime, *, may: May) -> dict[str, Any]:
    stay, gone = one.stay, one.removal
    zone = stay.accommodation.zone
    return {
        **_head(stay), "at": moment(stay.check_out_at, zone),
        "countdown": wording.until(stay.check_out_at, now), "due": stay.check_out_at, "light": gone.light.value,
        "text": gone.text, "word": wording.LIGHTS[gone.light],
        "removed": moment(gone.at, zone) if gone.at else "", "exposure": exposure_text(gone.minutes),
        "todo": _button(stay, gone.mend, may=may),
    }  # fmt: skip


def _head(stay: Reservation) -> dict[str, Any]:
    return {
        "pk": stay.pk, "guest": stay.guest_name or str(stay), "unit": stay.accommodation.name, "page": page(stay),
        "agreed": bool(stay.agreed_check_in_time or stay.agreed_check_out_time),
    }  # fmt: skip


def page(stay: Reservation) -> str:
    return reverse("admin:reservations_reservation_change", args=[stay.pk])


def _button(stay: Reservation, mend: Mend | None, *, may: May) -> dict[str, Any] | None:
    """The button of the stay's own page, with its question; who may not act is led to the page."""
    if mend is None:
        return None
    if mend is Mend.WHY:
        return {"title": _("Why did it not open?"), "url": f"{page(stay)}#why", "asks": False}
    if mend in (Mend.OPEN, Mend.WAKE) or not may(NEEDS.get(mend, STEER)):
        return {"title": _("Open the stay"), "url": page(stay), "asks": False}
    url = reverse(f"admin:reservations_reservation_{mend.value}_here", args=[stay.pk])
    return {"title": wording.MENDS[mend], "url": url, "asks": True}
