"""What one would do without an engine: each job a Celery message with an ETA, on Redis, run by threads.

As worker: `celery -A bench.celery_eta worker`. `python -m bench.celery_eta COUNT FIRST SPREAD` sends the jobs.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from celery import Celery

from bench.journal import Plan, note

app = Celery("celery_eta", broker=os.environ.get("REDIS_URL", ""))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,  # else a killed worker loses what it holds
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
)


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop(number: int) -> None:
    note(number)


def schedule(plan: Plan) -> None:
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for number in range(plan.count):
            eta = datetime.fromtimestamp(plan.due(number), UTC)
            noop.apply_async(args=[number], eta=eta, producer=producer)


if __name__ == "__main__":
    schedule(Plan.of(sys.argv[1:]))
