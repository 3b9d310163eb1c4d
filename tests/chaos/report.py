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
    return [
        "",
        f"  jobs          {len(orders)} ({sum(o.cancelled_at is not None for o in orders)} cancelled, "
        f"{sum(len(o.promises) > 1 for o in orders)} moved, {sum(o.ends == 'failed' for o in orders)} meant to fail, "
        f"{evidence.turned_away} refused with an error)",
        f"  starts        {len(evidence.visits)}",
        f"  effects       {len(evidence.effects)}",
        f"  blows         {sum(blows.values())} ({', '.join(f'{n} {what}' for what, n in sorted(blows.items()))})",
        *(f"  late          {_lateness(verdict, sort)}" for sort in sorted(verdict.lateness)),
        f"  quiet         {quiet_after:.0f} s after the storm",
    ]


def _lateness(verdict: Verdict, sort: str) -> str:
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return f"{sort}: " + ", ".join(f"{name} {verdict.late(sort, share):.3f} s" for name, share in shares.items())


def _stories(verdict: Verdict) -> list[str]:
    lines = []
    for name in (*FORBIDDEN, *EXPLAINED):
        stories = verdict.findings.get(name, [])
        lines += [f"  {name}: {story}" for story in stories[:STORIES]]
        if len(stories) > STORIES:
            lines.append(f"  {name}: and {len(stories) - STORIES} more")
    return [*lines, ""] if lines else []
