"""Names as guests and owners really write them: sixty letters, some without a blank to break a line at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.visitor import PHONE, Visits
from tests.journeys.house import House

GUEST = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis"
UNIT = "CoberturaDuplexComVistaParaOMarEPiscinaAquecidaNoRioVermelho"
MOVE_IN = f"""
from datetime import timedelta
from reservations.facts import Guest
from scheduler import clock
from tests.builders import make_accommodation, make_lock, make_reservation
unit = make_accommodation(name="{UNIT}", external_id="long-names")
make_lock(unit, name="{UNIT}", device_id="longnames")
now = clock.now()
here = (now + timedelta(hours=20)).astimezone(unit.zone)
stay = make_reservation(
    unit, facts_at=now, external_id="5f" * 12, short_id="LONG1", check_in_date=here.date(), check_in_time=here.time(),
    check_out_date=here.date() + timedelta(days=2), guest=Guest("{GUEST}", "long@example.com", "", "pt-BR"),
)
print(stay.pk)
"""
MOVE_OUT = f"""
from locks.models import Lock
from reservations.models import Accommodation, Reservation
from scheduler.models import Job
for stay in Reservation.objects.filter(guest_name="{GUEST}"):
    Job.objects.filter(subject=stay.subject).delete()
    stay.credentials.all().delete()
    stay.delete()
Lock.objects.filter(device_id="longnames").update(name="Door")
Accommodation.objects.filter(external_id="long-names").update(active=False)
"""
# What sticks out of its card is cut off: nobody sees it, and the page is no wider for it.
CUT_OFF = """
(guest) => Array.from(document.querySelectorAll(".sl-stay"))
  .filter((row) => row.textContent.includes(guest))
  .flatMap((row) => Array.from(row.querySelectorAll("*")))
  .filter((one) => one.checkVisibility() && !one.closest(".sl-unseen"))
  .filter((one) => one.getBoundingClientRect().right > one.closest(".sl-card").getBoundingClientRect().right)
  .map((one) => one.className)
"""


@pytest.fixture(scope="module")
def long_stay(street: House) -> Iterator[str]:
    """The number of a stay that comes tomorrow; gone again for the other tests of this house."""
    yield street.manage("shell", "-v", "0", "-c", MOVE_IN).strip()
    street.manage("shell", "-v", "0", "-c", MOVE_OUT)


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_proof_of_a_guest_with_a_long_name_is_seen_on_a_phone(
    visits: Visits, long_stay: str, language: str
) -> None:
    visitor = visits.person("boss", language, PHONE)
    visitor.go("/admin/")
    assert visitor.page.get_by_text(GUEST).count()
    assert visitor.page.evaluate(CUT_OFF, GUEST) == []
