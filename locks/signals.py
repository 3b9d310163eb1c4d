"""What the doors tell the rooms above. Sent inside the transaction that records the fact."""

from __future__ import annotations

from django.dispatch import Signal

# The credential's state, window or wish changed. Argument: credential (Credential).
credential_changed = Signal()

# A person must look at a door. Arguments: credential (Credential), code (str), text (str).
door_needs_help = Signal()
