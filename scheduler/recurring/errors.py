"""What cannot be done with a recurring job. Each is a sentence for the person who asked."""

from __future__ import annotations


class RecurringError(Exception):
    """Root; nothing was changed. ``remedy`` says what to do."""

    remedy = "Correct what it names."


class BadSchedule(RecurringError):
    """It cannot be read, or would never come."""

    remedy = "Write cron like '20 3 * * *', times like 08:30, a zone like America/Sao_Paulo."


class UnknownTarget(RecurringError):
    """No room declares a target of that name."""


class BadParams(RecurringError):
    """The target does not take these parameters."""


class BadValue(RecurringError):
    """A name, time limit or number of retries out of bounds."""


class Protected(RecurringError):
    """It belongs to the product: it may not be deleted, or not be touched at all."""

    remedy = "Delete and change what people made; the product's own jobs can be switched off, its pulse stays."


class AlreadyRunning(RecurringError):
    """Two runs of one job never overlap."""

    remedy = "Wait until the run is over, or cancel its job."
