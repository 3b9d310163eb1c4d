"""Procrastinate, jobs in PostgreSQL: `python -m bench.procrastinate_eta schema | work | schedule COUNT FIRST SPREAD`.

Runs in a venv of its own (bench/requirements.txt). A job of the future is found by polling, every 5 s unless told
otherwise; here every 20 ms.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

from procrastinate import App, PsycopgConnector  # type: ignore[import-not-found]  # not in our venv

from bench.journal import Plan, note

POLL_SECONDS = 0.02
CONCURRENCY = 50
BATCH = 1000
app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=2, max_size=10))


@app.task(name="noop")  # type: ignore[untyped-decorator]
async def noop(number: int) -> None:
    note(number)


async def schema() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def work() -> None:
    async with app.open_async():
        print("ready", flush=True)
        await app.run_worker_async(
            concurrency=CONCURRENCY, fetch_job_polling_interval=POLL_SECONDS, delete_jobs="successful"
        )


async def schedule(plan: Plan) -> None:
    async with app.open_async():
        for number in range(plan.count):
            due = datetime.fromtimestamp(plan.due(number), UTC)
            await noop.configure(schedule_at=due).defer_async(number=number)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    asyncio.run({"schema": schema, "work": work}[verb]() if not rest else schedule(Plan.of(rest)))
