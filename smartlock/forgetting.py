"""What is erased of a guest where no room of its own holds it: in the errors of jobs, and in the admin site's own log.

Errors quote what others said (a mail server names the address), and Django's log names each row as it was called then.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Value
from django.db.models.functions import Replace
from django.dispatch import receiver

from reservations.erasure import ERASED, words_of
from reservations.models import Reservation
from reservations.signals import guests_erased
from scheduler import services as jobs


@receiver(guests_erased, dispatch_uid="smartlock.forget")
def forget(reservations: list[Reservation], **_: Any) -> int:
    return sum(_forget(stay) for stay in reservations)


def _forget(stay: Reservation) -> int:
    about = [stay.subject, *(f"stays:{name}" for name in (stay.external_id, stay.short_id) if name)]
    return sum(jobs.erase_word(about, word, ERASED) + _unlog(word) for word in words_of(stay))


def _unlog(word: str) -> int:
    """The word may stand in the name of any row: the stay's, a credential's, a message's."""
    erased = 0
    for name in ("object_repr", "change_message"):
        rows = LogEntry.objects.filter(**{f"{name}__contains": word})
        erased += rows.update(**{name: Replace(name, Value(word), Value(ERASED))})
    return erased
