"""What the engine tells the rooms above it. Sent inside the transaction that records the fact."""

from __future__ import annotations

from django.dispatch import Signal

# A job landed on the dead-letter shelf. Arguments: job (Job), error (str).
job_failed = Signal(use_caching=True)

# A job ended for good or was called off while it ran; not sent when it is put back. Argument: job (Due), as it began.
job_ended = Signal(use_caching=True)
