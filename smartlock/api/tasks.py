from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from scheduler import clock
from scheduler.recurring.categories import MAINTENANCE
from scheduler.recurring.targets import Call, recurring
from smartlock.api import idempotency


@recurring(
    "forget-answers", title=_("Forget answers of the API that were kept"), category=MAINTENANCE, every=3600,
    formerly="api.forget_answers",
)  # fmt: skip
def forget_answers(call: Call) -> None:
    idempotency.forget(now=clock.now())
