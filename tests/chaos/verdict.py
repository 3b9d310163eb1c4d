"""Judges a chaos run from its evidence: what must never happen, and what may happen but has to be explained.

An effect in an outside system can be repeated by a crash between the deed and the commit that records it; nobody can
rule that out. So a repetition counts as *repeated* only when the earlier run did not end with success and a recorded
blow hit that very process meanwhile. Every other repetition is *doubled*.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.evidence import Blow, Effect, Evidence, Order, Visit

# PostgreSQL stamps a commit a moment before others can see it.
UNTIL_SEEN = 0.25
CUT_MEMORY = 60.0  # a connection that was cut may be noticed only when it is used again
FORBIDDEN = ("lost", "doubled", "early", "after cancel", "overlapping", "stale", "fallen")


@dataclass
class Verdict:
    """Findings by their name; every name in FORBIDDEN must have none."""

    findings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lateness: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # by sort of job

    def add(self, name: str, story: str) -> None:
        self.findings[name].append(story)

    def count(self, name: str) -> int:
        return len(self.findings.get(name, []))

    @property
    def is_clean(self) -> bool:
        return not any(self.count(name) for name in FORBIDDEN)

    def late(self, sort: str, share: float) -> float:
        """The lateness that this share of the jobs of a sort stays within, in seconds."""
        ordered = sorted(self.lateness[sort])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def judge(evidence: Evidence) -> Verdict:
    verdict = Verdict()
    done: dict[int, set[int]] = defaultdict(set)
    for effect in evidence.effects:
        done[effect.job_id].add(effect.step)
    for order in evidence.orders.values():
        _lost(evidence, order, done[order.job_id], verdict)
    for visit in evidence.visits:
        _started(evidence, visit, verdict)
    for effect in evidence.effects:
        _done(evidence, effect, verdict)
    _doubled(evidence, verdict)
    _overlapping(evidence, verdict)
    for sort, lateness in _lateness(evidence):
        verdict.lateness[sort].append(lateness)
    for story in evidence.fallen:
        verdict.add("fallen", story)
    return verdict


def _lost(evidence: Evidence, order: Order, done: set[int], verdict: Verdict) -> None:
    """A promise that was not kept: the row vanished, ended otherwise than ordered, or succeeded without its deeds."""
    state, error = evidence.rows.get(order.job_id, ("vanished", ""))
    if order.cancelled_at is not None:
        if state != "cancelled":
            verdict.add("after cancel", f"job {order.job_id} is {state} although it was cancelled")
        return
    if state != order.ends:
        verdict.add("lost", f"job {order.job_id} is {state}, not {order.ends}: {error}")
        return
    if order.ends == "succeeded" and len(done) < order.steps:
        verdict.add("lost", f"job {order.job_id} succeeded with effects {sorted(done)} of {order.steps}")


def _started(evidence: Evidence, visit: Visit, verdict: Verdict) -> None:
    claim = evidence.moves.get((visit.job_id, visit.version))
    if visit.copies > 1:
        verdict.add("doubled", f"{_name(visit)} started {visit.copies} times under one claim")
    if claim is None or claim.state != "running":
        verdict.add("doubled", f"{_name(visit)} started without a claim")
    elif visit.began < claim.run_at:
        verdict.add("early", f"{_name(visit)} started {claim.run_at - visit.began:.3f} s before its time")


def _done(evidence: Evidence, effect: Effect, verdict: Verdict) -> None:
    """One effect: not twice in one run, not before the time, and not when the row had moved on before it was asked."""
    order = evidence.orders.get(effect.job_id)
    if effect.copies > 1:
        verdict.add("doubled", f"{_name(effect)} did step {effect.step} {effect.copies} times in one run")
    if order is None:
        return
    early = order.due_for(effect.asked, effect.began) - effect.began
    if early > 0:
        verdict.add("early", f"{_name(effect)} acted {early:.3f} s before the time agreed")
    gone = evidence.moves.get((effect.job_id, effect.version + 1))
    if order.cancelled_at is not None and effect.asked > order.cancelled_at:
        verdict.add("after cancel", f"{_name(effect)} asked {effect.asked - order.cancelled_at:.3f} s after the cancel")
    elif gone is not None and effect.asked > gone.committed + UNTIL_SEEN:
        verdict.add("stale", f"{_name(effect)} asked {effect.asked - gone.committed:.3f} s after it was {gone.state}")
    elif gone is not None and effect.began > gone.committed + UNTIL_SEEN:
        verdict.add(
            "under way", f"{_name(effect)} began {effect.began - gone.committed:.3f} s after it was {gone.state}"
        )


def _doubled(evidence: Evidence, verdict: Verdict) -> None:
    copies: dict[tuple[int, int], list[Effect]] = defaultdict(list)
    for effect in sorted(evidence.effects, key=lambda effect: effect.version):
        copies[effect.job_id, effect.step].append(effect)
    for deeds in copies.values():
        for first, again in pairwise(deeds):
            _repetition(evidence, first, again, verdict)
    succeeded = Counter(job_id for (job_id, _), move in evidence.moves.items() if move.state == "succeeded")
    for job_id in (job_id for job_id, times in succeeded.items() if times > 1):
        verdict.add("doubled", f"job {job_id} succeeded twice")


def _repetition(evidence: Evidence, first: Effect, again: Effect, verdict: Verdict) -> None:
    ended = evidence.moves.get((first.job_id, first.version + 1))
    story = f"{_name(first)} did step {first.step}, {_name(again)} did it again"
    if ended is None or ended.state == "succeeded":
        verdict.add("doubled", f"{story} although the first had succeeded")
    elif blow := _blow_against(evidence, first, ended.committed):
        verdict.add("repeated", f"{story} after: {blow}")
    else:
        verdict.add("doubled", f"{story}; no blow explains it; it ended as {ended.state}: {ended.said}")


def _blow_against(evidence: Evidence, effect: Effect, until: float) -> Blow | None:
    """What kept the process of this effect from recording it, if anything did."""
    hits = []
    for blow in evidence.blows:
        since = effect.began - (CUT_MEMORY if blow.what == "cut" else 1)
        if effect.pid in blow.pids and since <= blow.at <= until:
            hits.append(blow)
    return max(hits, key=lambda blow: (blow.what != "cut", blow.at), default=None)


def _overlapping(evidence: Evidence, verdict: Verdict) -> None:
    """Two runs about one subject: the second may begin when the first has left or its claim was taken away."""
    runs: dict[str, list[Visit]] = defaultdict(list)
    for visit in sorted(evidence.visits, key=lambda visit: visit.began):
        order = evidence.orders.get(visit.job_id)
        if order is not None and order.subject:
            runs[order.subject].append(visit)
    for subject, visits in runs.items():
        for number, later in enumerate(visits):
            for earlier in visits[:number]:
                if _still_there(evidence, earlier, later.began):
                    verdict.add("overlapping", f"{subject}: {_name(later)} began while {_name(earlier)} worked")


def _still_there(evidence: Evidence, visit: Visit, moment: float) -> bool:
    gone = evidence.moves.get((visit.job_id, visit.version + 1))
    held = gone is None or gone.committed > moment
    return held and visit.left is not None and visit.left > moment


def _lateness(evidence: Evidence) -> Iterator[tuple[str, float]]:
    """From the time agreed to the first start, for every job that was not called off."""
    first: dict[int, Visit] = {}
    for visit in sorted(evidence.visits, key=lambda visit: visit.began):
        first.setdefault(visit.job_id, visit)
    for order in evidence.orders.values():
        start = first.get(order.job_id)
        in_doubt = any(promise.after == float("inf") for promise in order.promises)
        if order.cancelled_at is not None or start is None or in_doubt:
            continue
        agreed = [promise for promise in order.promises if promise.before <= start.began]
        if agreed:
            sort = "exclusive" if order.subject else "plain"
            yield sort, start.began - max(agreed[-1].due, agreed[-1].before)


def _name(run: Visit | Effect) -> str:
    return f"job {run.job_id} v{run.version} on {run.worker}/{run.pid}"
