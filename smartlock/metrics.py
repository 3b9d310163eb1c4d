"""What Prometheus is told: counted from the rows at each scrape, so every process gives the same numbers.

No ids, names or digits of anybody: labels are kinds, queues, states and reasons, all of them known to the code. What
is not (a kind of a former release) is ``other``. docs/metrics.md explains each metric.
"""

from __future__ import annotations

import platform
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from locks import doors, usage
from locks.models import Credential
from reservations import listings, silence
from reservations.models import SourceState
from scheduler import kinds, redis, totals
from scheduler.dispatcher import HEARTBEAT
from scheduler.health import OVERDUE
from scheduler.models import Heartbeat, Job, JobAttempt, Queue
from scheduler.queues import NAMES as QUEUES
from scheduler.totals import ABOVE_MS, BOUNDS_MS
from webhooks.models import Refusal, WebhookEvent

OTHER = "other"
S = Job.State
SHOWN = {S.SCHEDULED.value: "pending", S.RUNNING.value: "running", S.FAILED.value: "failed"}
Outcome = JobAttempt.Outcome
BOUNDS = (*BOUNDS_MS, ABOVE_MS)
BOUND_LABELS = (*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf")
Labels = tuple[str, ...]
Metrics = Iterator[Metric]


def is_allowed(authorization: str) -> bool:
    """Whether this Authorization header may read. Without METRICS_TOKEN everybody may."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return not settings.METRICS_TOKEN or constant_time_compare(authorization, expected)


def render(*, now: datetime, accept: str = "") -> tuple[bytes, str]:
    """The metrics in the format the scraper prefers, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rows(now))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class Rows(Collector):
    """Everything as it stands in the rows at this moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Metrics:
        yield from jobs()
        yield from attempts()
        yield from queues(self.now)
        yield from events(self.now)
        yield from credentials(self.now)
        yield from sources(self.now)
        yield from accounts(self.now)
        yield from parts(self.now)


def jobs() -> Metrics:
    known = set(kinds.names())
    counts: Counter[Labels] = Counter({(kinds.get(kind).queue, kind, state): 0 for kind in known for state in SHOWN})
    rows = Job.objects.filter(state__in=SHOWN).order_by().values_list("queue", "kind", "state")
    for queue, kind, state, count in rows.annotate(count=Count("*")):
        counts[_one_of(QUEUES, queue), _one_of(known, kind), state] += count
    shown: dict[Labels, float] = {(queue, kind, SHOWN[state]): count for (queue, kind, state), count in counts.items()}
    yield _gauge("jobs", "Jobs that wait, run or lie on the dead-letter shelf.", ("queue", "kind", "state"), shown)
    dead: Counter[Labels] = Counter()
    for (_queue, kind, state), count in counts.items():
        dead[kind,] += count if state == S.FAILED else 0
    yield _gauge("dead_letters", "Jobs on the dead-letter shelf.", ("kind",), dead)


def attempts() -> Metrics:
    """Counters and histograms over all time: ``scheduler.totals`` sees to it that they only grow."""
    known = set(kinds.names())
    tallies = [tally._replace(kind=_one_of(known, tally.kind)) for tally in totals.read()]
    ended = [outcome for outcome in Outcome if outcome != Outcome.STARTED]
    counts: Counter[Labels] = Counter({(kind, outcome.value): 0 for kind in known for outcome in ended})
    for tally in tallies:
        counts[tally.kind, tally.outcome] += tally.attempts
    yield _counter("job_attempts", "Finished attempts by how they ended.", ("kind", "outcome"), counts)
    yield _histogram(
        "job_lateness_seconds", "Start of an attempt minus the time it was set for.",
        [(t.kind, t.lateness_le_ms, t.attempts, t.lateness_ms / 1000) for t in tallies],
    )  # fmt: skip
    yield _histogram(
        "job_duration_seconds", "How long an attempt took; those lost with their worker are left out.",
        [
            (t.kind, t.duration_le_ms, t.attempts, t.duration.total_seconds())
            for t in tallies if t.outcome != Outcome.LOST
        ],
    )  # fmt: skip


def queues(now: datetime) -> Metrics:
    paused: dict[Labels, float] = {
        (queue.name,): float(queue.is_paused) for queue in Queue.objects.filter(name__in=QUEUES)
    }
    yield _gauge("queue_paused", "1 while the queue starts nothing.", ("queue",), paused)
    overdue: Counter[Labels] = Counter({(name,): 0 for name in QUEUES})
    late = Job.objects.filter(state=S.SCHEDULED, run_at__lt=now - OVERDUE)
    for queue, count in late.order_by().values_list("queue").annotate(count=Count("*")):
        overdue[_one_of(QUEUES, queue),] += count
    yield _gauge("jobs_overdue", "Jobs that should have started a minute ago.", ("queue",), overdue)


def events(now: datetime) -> Metrics:
    states = _by_state(WebhookEvent.objects.all(), WebhookEvent.State.values)
    yield _gauge("webhook_events", "Stored webhook events.", ("state",), states)
    waiting = WebhookEvent.objects.filter(state=WebhookEvent.State.RECEIVED)
    oldest = waiting.aggregate(at=Min("received_at"))["at"] or now
    yield _gauge(
        "oldest_unprocessed_event_age_seconds", "Age of the oldest event that waits; 0 when none does.", (),
        {(): _age(oldest, now)},
    )  # fmt: skip
    # The reasons are literals of webhooks.views.
    rows = Refusal.objects.order_by().values_list("reason").annotate(count=Sum("count"))
    refused: dict[Labels, float] = {(reason,): count for reason, count in rows}
    yield _counter("webhook_refusals", "Deliveries that were turned away.", ("reason",), refused)


def sources(now: datetime) -> Metrics:
    """Feeds together as ``ical``: a label holds no number of ours."""
    silent: dict[Labels, float] = defaultdict(float)
    for found in silence.silences(now=now):
        name = found.source.name.partition(":")[0]
        silent[name,] = max(silent[name,], found.seconds)
    yield _gauge("source_silence_seconds", "Since a source of bookings was last heard of.", ("source",), silent)
    found_by_poll = SourceState.objects.aggregate(sum=Sum("found_by_poll"))["sum"] or 0
    yield _counter("stays_found_by_poll", "Stays the poll found that no webhook had told.", (), {(): found_by_poll})
    yield _gauge("listings_unmapped", "Listings of Stays that are no unit here.", (), {(): listings.unmapped().count()})


def credentials(now: datetime) -> Metrics:
    states = _by_state(Credential.objects.all(), Credential.State.values)
    yield _gauge("credentials", "PINs by what their lock was last seen to hold.", ("state",), states)
    over = Q(ends_at__lte=now) | Q(wanted=False, unwanted_at__lte=now)
    left = Credential.objects.filter(over, removed_at__isnull=True).exclude(state=Credential.State.ABSENT)
    yield _gauge("pins_exposed", "PINs that may still be on a lock after their end.", (), {(): left.count()})


def accounts(now: datetime) -> Metrics:
    ever, month = usage.all_time(now=now)
    yield _counter("tuya_calls", "Calls to Tuya Cloud, of all processes.", (), {(): ever})
    yield _gauge("tuya_month_calls", "Calls in the running month (UTC).", (), {(): month.calls})
    yield _gauge("tuya_month_quota", "Calls a month that the plan covers; 0 when not set.", (), {(): month.quota})
    paused = float(doors.account_state().is_open)
    yield _gauge("tuya_paused", "1 while no call is made, because the account was refused.", (), {(): paused})


def parts(now: datetime) -> Metrics:
    beat = Heartbeat.objects.filter(name=HEARTBEAT).values_list("beat_at", flat=True).first()
    yield _gauge(
        "dispatcher_heartbeat_age_seconds", "Since the dispatcher's last round; +Inf when there never was one.", (),
        {(): _age(beat, now) if beat else float("inf")},
    )  # fmt: skip
    yield _gauge("redis_up", "1 when Redis answers.", (), {(): float(redis.is_up())})
    yield InfoMetricFamily(
        "smartlock_build", "What runs here.", value={"version": _version(), "python": platform.python_version()}
    )


# --- how it is written ------------------------------------------------------------------------------------------------


def _gauge(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(f"smartlock_{name}", text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(f"smartlock_{name}", text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, parts: Iterable[tuple[str, int, int, float]]) -> Metric:
    """From (kind, upper bound in ms, how many, their sum in seconds): a histogram by kind."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    sums: dict[str, float] = defaultdict(float)
    for kind, bound, count, total in parts:
        # A bound of a former release counts in the next larger one of this release.
        counts[kind][next((ours for ours in BOUNDS if bound <= ours), ABOVE_MS)] += count
        sums[kind] += total
    family = HistogramMetricFamily(f"smartlock_{name}", text, labels=["kind"])
    for kind in sorted(counts):
        running = accumulate(counts[kind][bound] for bound in BOUNDS)
        family.add_metric([kind], list(zip(BOUND_LABELS, running, strict=True)), sums[kind])
    return family


def _by_state(rows: QuerySet[Any], states: Iterable[str]) -> dict[Labels, float]:
    """A count for each of the states, 0 where there is none."""
    found = dict(rows.order_by().values_list("state").annotate(count=Count("*")))
    return {(state,): found.get(state, 0) for state in states}


def _one_of(known: Collection[str], name: str) -> str:
    return name if name in known else OTHER


def _age(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())


@cache
def _version() -> str:
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
        return str(project["project"]["version"])
    except (OSError, KeyError):
        return "unknown"
