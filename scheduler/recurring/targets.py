"""What a recurring job may do: functions that the rooms declare under a name.

    @recurring("prune-jobs", title=_("Delete old jobs"), category=MAINTENANCE, every=3600)
    def prune(call: Call) -> None:
        services.prune(now=clock.now())

With ``every`` (seconds) or ``at`` ("03:20" by the installation's clock) the product has such a job by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduler.claims import Run
from scheduler.recurring.errors import BadParams, UnknownTarget


class Params(BaseModel):
    """What a target takes; subclass it. Nothing is guessed or ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Call:
    """What a target is given: its parameters, and the engine's run for ``check()`` and ``progress()``."""

    params: Any
    run: Run


@dataclass(frozen=True)
class Target:
    """``formerly`` is the tick of older versions whose schedule and switch the product's own job takes over."""

    name: str
    function: Callable[[Call], object]
    title: Any
    category: str
    params: type[Params] = Params
    every: int | None = None
    at: str = ""
    formerly: str = ""
    timeout: int = 3600

    @property
    def is_standing(self) -> bool:
        return bool(self.every or self.at)


_targets: dict[str, Target] = {}


def recurring(name: str, **options: Any) -> Callable[[Callable[[Call], object]], Callable[[Call], object]]:
    """Declare the function below as a target; the options are the fields of Target."""

    def declare(function: Callable[[Call], object]) -> Callable[[Call], object]:
        _targets[name] = Target(name, function, **options)
        return function

    return declare


def get(name: str) -> Target:
    """Raises UnknownTarget, which names those there are."""
    try:
        return _targets[name]
    except KeyError:
        raise UnknownTarget(f"No target is called {name!r}; known: {', '.join(names())}.") from None


def names() -> list[str]:
    return sorted(_targets)


def every_target() -> list[Target]:
    return [_targets[name] for name in names()]


def checked(target: Target, params: dict[str, Any]) -> Params:
    """The parameters as the target takes them. Raises BadParams with what is wrong where, never with the value."""
    try:
        return target.params.model_validate(params)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'params'}: {fault['msg']}" for fault in error.errors()]
        taken = ", ".join(target.params.model_fields) or "none"
        raise BadParams(
            f"{target.name} does not take these parameters ({'; '.join(faults)}). It takes: {taken}."
        ) from None
