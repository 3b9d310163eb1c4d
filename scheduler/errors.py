"""What a task may say when it cannot finish. The class names the policy; the runner reads nothing else.

JobError
├── Retry   try again soon: the attempt is used up, back-off follows
├── Wait    not now, and nobody's fault: put back, no attempt is used
├── Stop    trying again cannot help: dead-letter shelf now, a person is told
└── Superseded   the row moved on (cancelled, rescheduled, rescued): the worker lets go and records nothing

Any other exception counts as ``Retry``: an unknown fault deserves another try, never an endless one.
"""

from __future__ import annotations


class JobError(Exception):
    """Root of what a task may raise on purpose.

    ``code`` is a stable word for machines (metrics, filters); ``after`` overrides the back-off, in seconds.
    """

    code: str = "error"

    def __init__(self, message: str = "", *, code: str | None = None, after: float | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().split("\n")[0])
        self.after = after
        if code is not None:
            self.code = code


class Retry(JobError):
    """Failed for now; try again soon."""

    code = "retry"


class Wait(JobError):
    """Not possible yet; put back without using up an attempt."""

    code = "wait"


class Stop(JobError):
    """Trying again cannot help."""

    code = "stop"


class Superseded(JobError):
    """The job was cancelled, rescheduled or handed to another worker while this one held it."""

    code = "superseded"
