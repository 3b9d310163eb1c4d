"""Which jobs of a plan a person has called off: planning after a job has ended does not begin them anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from locks.holders import Holder
from locks.models import Credential
from locks.plan import GENERATE, KINDS, LOOK, REVOKE, WantedJob
from scheduler.models import Job


def called_off(subjects: Collection[str]) -> set[str]:
    """The live keys of their jobs that were last called off by a person, and by nobody begun anew since."""
    if not subjects:
        return set()
    jobs = Job.objects.filter(subject__in=subjects, kind__in=KINDS).order_by("updated_at", "pk")
    last = {key: (state, by_hand) for key, state, by_hand in jobs.values_list("live_key", "state", "by_hand")}
    return {key for key, (state, by_hand) in last.items() if state == Job.State.CANCELLED and by_hand}


def staying_off(
    holder: Holder, wanted: Iterable[WantedJob], credentials: Iterable[Credential], keys: Collection[str]
) -> set[str]:
    """The live keys of those among ``wanted`` that stay off, when a person called off the jobs with these ``keys``.

    Where the PIN was called off, no other code is looked for. The removal of what a lock has or may have is never
    forgotten.
    """
    if not keys:
        return set()
    asked = {credential.lock_id for credential in credentials if credential.asked_at is not None}
    may = [job for job in wanted if not (job.kind == REVOKE and job.lock_id in asked)]
    return {holder.live_key(job.kind, job.lock_id) for job in may if _is_off(holder, job, keys)}


def _is_off(holder: Holder, job: WantedJob, keys: Collection[str]) -> bool:
    kinds = (GENERATE, LOOK) if job.kind == LOOK else (job.kind,)
    return any(holder.live_key(kind, job.lock_id) in keys for kind in kinds)
