"""What cannot be done with a recurring job. Each is a sentence for the person who asked."""

from __future__ import annotations


class RecurringError(Exception):
    """Root; nothing was changed."""


class BadSchedule(RecurringError):
    """It cannot be read, or would never come."""


class UnknownTarget(RecurringError):
    """No room declares a target of that name."""


class BadParams(RecurringError):
    """The target does not take these parameters."""


class BadValue(RecurringError):
    """A name, time limit or number of retries out of bounds."""


class Protected(RecurringError):
    """It belongs to the product: it may not be deleted, or not be touched at all."""


class AlreadyRunning(RecurringError):
    """Two runs of one job never overlap."""
