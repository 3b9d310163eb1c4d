"""`make chaos MINUTES=10 SEED=7`: the storm, the peace after it, and the verdict. Exits 1 when a promise was broken."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.adversary import Adversary, Temper
from tests.chaos.evidence import Evidence
from tests.chaos.report import report
from tests.chaos.stage import CELERY, Stage, stage
from tests.chaos.verdict import judge


def main() -> int:
    options = arguments()
    directory = Path(options.logs or tempfile.mkdtemp(prefix="smartlock-chaos-")).resolve()
    print(f"chaos: seed {options.seed}, {options.seconds:.0f} s of storm, logs in {directory}", flush=True)
    with stage(directory, lease=options.lease) as running:
        prepare(directory)
        for name in CELERY:
            running.start(name)
        running.wait_until_ready()
        evidence, quiet_after = storm(running, options)
        collect(evidence)
    verdict = judge(evidence)
    print(report(evidence, verdict, quiet_after), flush=True)
    return 0 if verdict.is_clean else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, help="instead of minutes")
    parser.add_argument("--seed", default="", help="the order of jobs and blows; printed, made up when empty")
    parser.add_argument("--rate", type=float, default=12.0, help="orders per second")
    parser.add_argument("--lease", type=float, default=30.0, help="of the jobs, in seconds")
    parser.add_argument("--freeze", type=float, default=40.0, help="longest time a process stands still, in seconds")
    parser.add_argument("--pause", type=float, default=6.0, help="longest time between blows, in seconds")
    parser.add_argument("--peace", type=float, default=120.0, help="how long the world may take to calm down")
    parser.add_argument("--logs", default="", help="a new folder for the processes' logs")
    options = parser.parse_args()
    options.seed = options.seed or secrets.token_hex(4)
    options.seconds = options.seconds or options.minutes * 60
    return options


def prepare(directory: Path) -> None:
    """Django in this process, only the engine's own ticks, and the rescuer as quick as the dispatcher nearly."""
    import django

    django.setup()
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    from tests.chaos import history, tasks  # noqa: F401 (declares the kinds here, too)

    logging.getLogger().handlers = [logging.FileHandler(directory / "driver.log")]
    history.install()
    PeriodicTask.objects.exclude(name__startswith="scheduler.").update(enabled=False)
    every, _ = IntervalSchedule.objects.get_or_create(every=3, period="seconds")
    PeriodicTask.objects.filter(task="scheduler.rescue").update(interval=every, expire_seconds=5)


def storm(running: Stage, options: argparse.Namespace) -> tuple[Evidence, float]:
    """Returns what was seen, and how long it took afterwards until nothing was left to do."""
    from tests.chaos.driver import Driver

    evidence = Evidence()
    began = time.time()

    def say(story: str) -> None:
        print(f"{time.time() - began:7.1f}  {story}", flush=True)

    driver = Driver(evidence, seed=options.seed, rate=options.rate, longest=options.lease * 1.3)
    temper = Temper(pause=(1.0, options.pause), freeze=options.freeze)
    adversary = Adversary(running, seed=options.seed, temper=temper, say=say)
    evidence.blows, evidence.fallen = adversary.blows, adversary.fallen
    driver.start()
    while time.time() < began + options.seconds:
        adversary.turn()
        time.sleep(0.05)
    say("peace")
    driver.finish()
    return evidence, wait_for_quiet(adversary, options.peace)


def wait_for_quiet(adversary: Adversary, seconds: float) -> float:
    """Until all are up and no job waits or runs; what is left then is for the verdict to find."""
    from django.db import connection

    from scheduler.models import Job

    connection.close()  # it may have been cut
    began = time.time()
    while time.time() < began + seconds:
        if adversary.mend() and not Job.objects.filter(state__in=Job.LIVE).exists():
            break
        time.sleep(0.25)
    return time.time() - began


def collect(evidence: Evidence) -> None:
    from scheduler.models import Job
    from tests.chaos import history, outside

    evidence.rows = {pk: (state, error) for pk, state, error in Job.objects.values_list("pk", "state", "last_error")}
    evidence.moves = history.moves()
    evidence.visits = outside.visits()
    evidence.effects = outside.effects()
    evidence.refused = outside.refusals()


if __name__ == "__main__":
    sys.exit(main())
