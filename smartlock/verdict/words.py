"""A finding in words: for the operator with its evidence, and for the guest, ready to be pasted, in two languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smartlock.verdict.judge import Cause, Finding, Surety

LANGUAGES = (("pt-br", "Português"), ("en", "English"))
SURETIES = {
    Surety.CERTAIN: gettext_lazy("certain"), Surety.LIKELY: gettext_lazy("likely"),
    Surety.POSSIBLE: gettext_lazy("possible"),
}  # fmt: skip
TONES = {Surety.CERTAIN: "danger", Surety.LIKELY: "warning", Surety.POSSIBLE: "info"}


def clock(at: datetime | None, zone: ZoneInfo) -> str:
    return date_format(timezone.localtime(at, zone), "D j M H:i") if at else "–"


def evidence(one: Finding, zone: ZoneInfo) -> str:
    """What happened, for the operator."""
    at = {"door": one.door, "at": clock(one.at, zone), "until": clock(one.until, zone), "count": one.count}
    match one.cause:
        case Cause.OPENED:
            return _("The PIN opened %(door)s at %(at)s: it works.") % at
        case Cause.NO_RIGHT:
            return _("The booking is not confirmed, so there is no PIN.")
        case Cause.TOO_EARLY:
            return _("Too early: the PIN opens %(door)s from %(at)s.") % at
        case Cause.NOT_TAKEN_YET:
            return _not_taken_yet(one, at)
        case Cause.TOO_LATE:
            return _("Too late: the PIN opened %(door)s until %(at)s.") % at
        case Cause.NO_PIN:
            return _("No PIN was made for %(door)s.") % at if one.door else _("The unit has no lock.")
        case Cause.REVOKED:
            return _("The PIN was taken away at %(at)s.") % at
        case Cause.NEVER_CONFIRMED if one.at is not None:
            return _("%(door)s confirmed the PIN only at %(at)s.") % at
        case Cause.NEVER_CONFIRMED:
            return _("%(door)s has never confirmed the PIN.") % at + _asleep(one)
        case Cause.OTHER_TIMES:
            return _("%(door)s holds other times: it opens from %(at)s until %(until)s.") % at
        case Cause.KEYPAD_LOCKED:
            return _("%(count)d wrong PINs at %(door)s, the last at %(at)s: such a keypad shuts for minutes.") % at
        case Cause.WRONG_DIGITS:
            said = ngettext(
                "%(door)s heard a wrong PIN at %(at)s, and holds the right one.",
                "%(door)s heard %(count)d wrong PINs, the last at %(at)s, and holds the right one.", one.count,
            )  # fmt: skip
            return said % at
        case Cause.LOCK_CLOCK:
            return _("It was close to the edge of the PIN's time: the clock of %(door)s may be off.") % at
        case Cause.BATTERY:
            return _("The battery of %(door)s is flat.") % at
        case Cause.OFFLINE:
            return _("%(door)s has not been heard of since %(at)s. A PIN it holds works all the same.") % at
    return _("%(door)s holds the PIN, and no wrong one was heard. Its log is read until %(at)s.") % at


def _not_taken_yet(one: Finding, at: dict[str, Any]) -> str:
    if one.until is None:
        return (
            _("Before check-in, and the PIN had not been sent to %(door)s yet: it is meant to open from %(at)s.") % at
        )
    text = _("Before check-in, and %(door)s had not taken the PIN yet: asked at %(until)s, meant to open from %(at)s.")
    return text % at + _asleep(one)


def _asleep(one: Finding) -> str:
    return " " + _("It sleeps until somebody touches its keypad.") if one.sleeps else ""


def for_the_guest(one: Finding, zone: ZoneInfo, language: str) -> str:
    """A text to paste, without digits. ``language`` is one of ``LANGUAGES``."""
    with translation.override(language):
        at = {"at": clock(one.at, zone), "until": clock(one.until, zone)}
        match one.cause:
            case Cause.OPENED:
                return (
                    _("Our records show that your PIN opened the door at %(at)s. Can we help with anything else?") % at
                )
            case Cause.OTHER_TIMES:
                return _("We are correcting the times of your PIN on the lock. Please try again in a few minutes.")
            case Cause.TOO_EARLY:
                return _("Your PIN starts to work at %(at)s. Please try again then.") % at
            case Cause.NOT_TAKEN_YET:
                return (
                    _(
                        "Your PIN is meant to work from %(at)s. Please try again then: touch the keypad so that it "
                        "lights up, wait two minutes, and type it."
                    )
                    % at
                )
            case Cause.TOO_LATE:
                return (
                    _("Your PIN worked until %(at)s, the end of your stay. Did you leave something? Write to us.") % at
                )
            case Cause.NO_RIGHT | Cause.REVOKED:
                return _("Your PIN is no longer valid. Please write to us, so that we can look at your booking.")
            case Cause.NO_PIN:
                return _("There is no PIN of yours on this door. Please write to us, so that we can help you at once.")
            case Cause.NEVER_CONFIRMED:
                return _("Please touch the keypad so that it lights up, wait two minutes, and type your PIN again.")
            case Cause.KEYPAD_LOCKED:
                return _("The keypad pauses after several wrong PINs. Please wait five minutes, then type it slowly.")
            case Cause.WRONG_DIGITS:
                return _("The keypad heard other digits. Please compare with our last message and type the PIN slowly.")
            case Cause.LOCK_CLOCK:
                return _("The lock's clock may be slow. Please try again in fifteen minutes; we are looking at it.")
            case Cause.BATTERY | Cause.OFFLINE:
                return _("The lock does not answer us. Please stay by the door: we are sending somebody to help.")
        return _("Your PIN is on the lock. Please type it slowly and confirm it; if it fails, tell us what you see.")
