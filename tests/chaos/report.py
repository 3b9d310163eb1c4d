"""The verdict as a page for a person: numbers first, then the story of each finding."""

from __future__ import annotations

from collections import Counter

from tests.chaos.evidence import Evidence
from tests.chaos.verdict import FORBIDDEN, Verdict

STORIES = 15
EXPLAINED = {
    "repeated": "effects done again because a blow came between the deed and its record",
    "under way": "effects already asked for when the row moved on",
}


def report(evidence: Evidence, verdict: Verdict, quiet_after: float) -> str:
    lines = [*_numbers(evidence, verdict, quiet_after), ""]
    lines += [f"  {name:<14}{verdict.count(name):>6}   must be 0" for name in FORBIDDEN]
    lines += [f"  {name:<14}{verdict.count(name):>6}   {meaning}" for name, meaning in EXPLAINED.items()]
    lines += [f"  {'refused':<14}{evidence.refused:>6}   effects that run.check() stopped: cancelled, or a zombie's"]
    lines += ["", *_stories(verdict), "PASSED" if verdict.is_clean else "FAILED"]
    return "\n".join(lines)


def _numbers(evidence: Evidence, verdict: Verdict, quiet_after: float) -> list[str]:
    orders = evidence.orders.values()
    blows = Counter(blow.what for blow in evidence.blows)
    late = [f"{name} {value * 1000:.0f} ms" for name, value in _lateness(verdict)]
    return [
        "",
        f"  jobs          {len(orders)} ({sum(o.cancelled_at is not None for o in orders)} cancelled, "
        f"{sum(len(o.promises) > 1 for o in orders)} moved, {sum(o.ends == 'failed' for o in orders)} meant to fail, "
        f"{evidence.turned_away} refused with an error)",
        f"  starts        {len(evidence.visits)}",
        f"  effects       {len(evidence.effects)}",
        f"  blows         {sum(blows.values())} ({', '.join(f'{n} {what}' for what, n in sorted(blows.items()))})",
        f"  late          {', '.join(late)}",
        f"  quiet         {quiet_after:.0f} s after the storm",
    ]


def _lateness(verdict: Verdict) -> list[tuple[str, float]]:
    return [("p50", verdict.late(0.5)), ("p99", verdict.late(0.99)), ("max", verdict.late(1))]


def _stories(verdict: Verdict) -> list[str]:
    lines = []
    for name in (*FORBIDDEN, *EXPLAINED):
        stories = verdict.findings.get(name, [])
        lines += [f"  {name}: {story}" for story in stories[:STORIES]]
        if len(stories) > STORIES:
            lines.append(f"  {name}: and {len(stories) - STORIES} more")
    return [*lines, ""] if lines else []
