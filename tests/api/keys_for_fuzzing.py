"""Loaded by schemathesis: every request is a new one, so a drawn Idempotency-Key must not be another request's."""

from __future__ import annotations

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    meta = case.meta
    if case.headers and "Idempotency-Key" in case.headers and (meta is None or meta.generation.mode.is_positive):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
