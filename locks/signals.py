"""What the doors tell the rooms above. Sent inside the transaction that records the fact."""

from __future__ import annotations

from django.dispatch import Signal

# The credential's state, window or wish changed. Arguments: credential (Credential), settled (bool): False while a job
# is at work at this door and will note more; its end (``jobs_ended``) or, when it is put back, one more signal follows.
credential_changed = Signal()

# A guest was given another way in, or there is none. Arguments: reservation, lock, code (str), detail (str, a record),
# until (datetime or None: the end of what was handed out).
way_in_changed = Signal()

# A person must look at a door. Arguments: credential (Credential), code (str), text (str, a record), until (datetime or
# None: the moment that the text names).
door_needs_help = Signal()

# No lock of an account can be reached, or all can again. Arguments: provider (str), is_open (bool: the breaker is open,
# nothing is sent), reason (str). Sent once per outage, outside any transaction.
account_changed = Signal()

# The month's calls have passed a share of the plan's quota. Arguments: provider (str), percent (int: 80 or 95),
# calls (int), quota (int).
quota_nearly_used = Signal()

# The lock itself told, by its provider's push. Arguments: lock (Lock), opening (locks.provider.DoorOpening).
door_opened = Signal()

# Likewise. Arguments: lock (Lock), alarm (locks.provider.DoorAlarm).
door_alarmed = Signal()

# A person should look at a lock, once per incident. Arguments: incident (LockIncident), facts (dict of plain values).
lock_needs_help = Signal()

# A told incident is over, after so long that its end is news. Argument: incident (LockIncident).
lock_recovered = Signal()
