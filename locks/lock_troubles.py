"""What is wrong with a lock, said to a person, as ``troubles`` says it of a PIN: code, level, meaning, remedy. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from locks.models import LockIncident
from locks.troubles import Level, Trouble

Kind = LockIncident.Kind
_RESYNC = N_(
    "Open the lock in its app with somebody at the door and sync its time; then try a PIN. Until then be ready to let "
    "guests in."
)
_OF_KIND: dict[str, Trouble] = {
    Kind.BATTERY: Trouble(
        "battery_low", Level.WARNING, N_("The lock's battery is low."), N_("Change it while the unit is empty.")
    ),
    Kind.SILENT: Trouble(
        "silent", Level.ERROR, N_("Nothing has been heard of the lock for too long."),
        N_("Touch its keypad; check its battery, the gateway and the network."),
    ),
    Kind.TAMPER: Trouble(
        "tamper", Level.ERROR, N_("The lock reported that it was forced, or opened under threat."),
        N_("Call the guest or send somebody there."),
    ),
    Kind.WRONG_PINS: Trouble(
        "wrong_pins", Level.WARNING, N_("Wrong PINs were typed, again and again."),
        N_("Call the guest who is arriving; if nobody is, somebody may be trying to get in."),
    ),
    Kind.CLOCK: Trouble(
        "clock", Level.ERROR,
        N_("A PIN that the lock holds was refused several times: it was mistyped, or the lock's clock is behind."),
        _RESYNC,
    ),
}  # fmt: skip
_AHEAD = N_("The lock's clock seems to be at least %(off)s ahead: PINs open too early there and shut too early.")
_BEHIND = N_("The lock's clock seems to be at least %(off)s behind: PINs open too late there and shut too late.")


def trouble_of(incident: LockIncident) -> Trouble:
    """The incident in the active language."""
    known, off = _OF_KIND[incident.kind], incident.clock_off
    text = _(known.text)
    if off is not None:
        text = _(_AHEAD if off > timedelta(0) else _BEHIND) % {"off": duration(abs(off))}
    return replace(known, text=text, remedy=_(known.remedy))


def duration(time: timedelta) -> str:
    """Hours and minutes, alike in every language: 3 h 20 min."""
    hours, minutes = divmod(round(time.total_seconds() / 60), 60)
    said = ([f"{hours} h"] if hours else []) + ([f"{minutes} min"] if minutes or not hours else [])
    return " ".join(said)
