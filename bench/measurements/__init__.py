"""The rows of the table, in its order."""

from __future__ import annotations

from bench.measurement import Measurement
from bench.measurements.bulk import BULK
from bench.measurements.burst import BURST
from bench.measurements.memory import MEMORY
from bench.measurements.million import MILLION
from bench.measurements.one_by_one import ONE_BY_ONE
from bench.measurements.pages import PAGES_IN_TIME, PAGES_IN_TOWN
from bench.measurements.punctuality import PUNCTUALITY
from bench.measurements.recovery import RECOVERY
from bench.measurements.rush import RUSH
from bench.measurements.webhook import WEBHOOK

ALL: tuple[Measurement, ...] = (
    PUNCTUALITY, MILLION, BURST, RUSH, ONE_BY_ONE, BULK, WEBHOOK, MEMORY, RECOVERY, PAGES_IN_TIME,
    PAGES_IN_TOWN,
)  # fmt: skip
