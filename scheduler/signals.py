"""What the engine tells the rooms above it. Sent inside the transaction that records the fact."""

from __future__ import annotations

from django.dispatch import Signal

# A job landed on the dead-letter shelf. Arguments: job (Job), error (str).
job_failed = Signal(use_caching=True)

# A job that may never be given up lost its worker time and again, and is tried seldom now. Arguments: as above.
job_slowed = Signal(use_caching=True)

# Due work has waited for long in a queue that is paused; once a pause. Arguments: queue (Queue), waiting (int).
queue_forgotten = Signal(use_caching=True)

# Such a queue goes on. Arguments: queue (Queue, as it was while paused), waiting (int: due jobs that start now).
queue_resumed = Signal(use_caching=True)

# Jobs ended for good or were called off while they ran; not sent for those that are put back. Argument: jobs (list of
# Due, as they began): all whose end is written down in this transaction.
jobs_ended = Signal(use_caching=True)
