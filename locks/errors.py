"""What can go wrong at a door. The class says what the caller does next; the text tells a person.

DoorError                      anything a lock provider raises on purpose
├── Transient        (Retry)   retry: a hiccup on the way, nothing was changed
├── UnknownOutcome   (Retry)   retry, but read first: the write may or may not have happened
├── WaitForDevice    (Wait)    wait: the lock or its gateway is out of reach, nobody's fault
├── Capacity         (Wait)    wait: the lock holds no more PINs until old ones are removed
├── Limited          (Wait)    wait: our own limit on calls; nothing was sent
├── Paused           (Wait)    wait: the lock failed again and again; nothing is sent until a probe succeeds
│   └── AccountPaused          the same for every lock of the account; one person has been told
├── Refused          (Stop)    stop: the same request will be refused again
│   ├── PinTaken               stop, or choose other digits
│   ├── NameTaken              stop, or choose another name (after a crash: adopt the PIN of that name)
│   ├── NotFound               stop: already gone, which is what a removal wants
│   └── Unsupported            stop: this lock cannot do it
└── Configuration    (Stop)    stop and tell the operator: account, plan, secret or address is wrong
    └── AccountBroken          the same for every lock of the account: all of them pause (``locks.guarded``)

``Retry``, ``Wait`` and ``Stop`` are the scheduler's three policies (``scheduler.errors``). A message is one plain
sentence that says what failed, where, and what to do. It never holds a PIN, secret, token, ticket or cipher text.
"""

from __future__ import annotations

from scheduler.errors import JobError, Retry, Stop, Wait


class DoorError(JobError):
    """A lock provider could not do what was asked."""

    code = "door_error"
    of_cloud = False  # the provider's cloud itself failed, whichever lock was asked for

    def __init__(
        self, message: str = "", *, code: str | None = None, after: float | None = None, brand_code: str = ""
    ) -> None:
        """``brand_code`` is the brand's own word, such as tuya_2303; pages have words for each ``code``."""
        super().__init__(message, code=code, after=after)
        self.brand_code = brand_code


class Transient(DoorError, Retry):
    """The provider could not be reached or is busy; try again soon."""

    code = "door_transient"


class UnknownOutcome(DoorError, Retry):
    """The write may or may not have happened; read the lock before writing again."""

    code = "door_unknown_outcome"


class WaitForDevice(DoorError, Wait):
    """The lock is out of reach; try again in minutes."""

    code = "door_offline"


class Capacity(DoorError, Wait):
    """The lock holds no more PINs; remove expired ones first."""

    code = "door_full"


class Limited(DoorError, Wait):
    """Calls are made as fast as the provider allows; this one waits its turn. Nothing was sent."""

    code = "door_limited"


class Paused(DoorError, Wait):
    """Calls to this lock failed too often; nothing is sent before the next probe."""

    code = "door_paused"


class AccountPaused(Paused):
    """Calls to all locks of the account wait for the next probe; a person has been told, once for all of them."""

    code = "door_account_paused"


class Refused(DoorError, Stop):
    """The provider will never accept this request as it is."""

    code = "door_refused"


class PinTaken(Refused):
    """These digits are already in use on this lock; choose others."""

    code = "door_pin_taken"


class NameTaken(Refused):
    """A PIN of this name is already on this lock; adopt it or choose another name."""

    code = "door_name_taken"


class NotFound(Refused):
    """The provider does not know this PIN (any more)."""

    code = "door_not_found"


class Unsupported(Refused):
    """This lock cannot do what was asked."""

    code = "door_unsupported"


class Configuration(DoorError, Stop):
    """Account, plan, secret or address is wrong; an operator has to act."""

    code = "door_configuration"


class AccountBroken(Configuration):
    """No lock of this account can be reached until an operator has acted: plan, secret or allow list."""

    code = "door_account_broken"
