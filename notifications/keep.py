"""``PIN_KEEP=delivered``: the readable copy of a PIN is erased once the guest has it and no door needs it any more.

Done by the plan, which follows every message and every proof and holds the reservation meanwhile.
"""

from __future__ import annotations

from django.conf import settings

from locks.models import Fallback
from locks.store import note
from notifications.outlook import Outlook, is_proven


def erase_delivered(outlook: Outlook) -> int:
    """Erase the sealed copies of the PINs that the guest was told and all their doors have proven. Returns how many.

    Later another window cannot be written with the same digits: that is the price of this setting.
    """
    if settings.PIN_KEEP != "delivered" or outlook.told is None:
        return 0
    unproven = {c.pin_fingerprint for c in outlook.credentials if not is_proven(c)}
    done = [
        credential
        for credential in outlook.credentials
        if outlook.told.codes.get(str(credential.lock_id)) == credential.pin_fingerprint
        and credential.pin_fingerprint not in unproven
        and credential.pin_sealed
        and credential.pin_hash  # what is not hashed yet is still needed; the hash brings us here again
    ]
    for credential in done:
        note(credential, pin_sealed=b"")
    codes = [given for lock_id, given in outlook.held.items() if given.code_sealed]
    told = [given.pk for given in codes if outlook.told.codes.get(str(given.lock_id)) == given.fingerprint]
    return len(done) + Fallback.objects.filter(pk__in=told).update(code_sealed=b"") if told else len(done)
