"""A house that has run for years, written in a few statements: 500 units, stays, jobs, tries, events, audit entries.

Each table gets what its columns need and nothing that PostgreSQL can make up itself; the stays follow one another in
their units from 500 days ago to 100 days ahead, so a sixth of their jobs is still to come. Not all units change guests
on the same day, so that each day has as many arrivals as any other.
"""

from __future__ import annotations

from bench.measurements.million import BLANK
from bench.world import World

UNITS, NIGHTS, JOBS_PER_STAY = 500, 3, 10
KINDS = ("locks.generate_pin", "locks.revoke_pin", "notifications.tell_guest", "webhooks.process_event")
TIMES = {"created_at": "now()", "updated_at": "now()", "facts_at": "now()"}
ARRIVAL = (
    f"date_trunc('day', now()) - interval '500 days' + (n / {UNITS}) * interval '{{gap}} hours' + interval '18 h'"
    f" + (n % {UNITS} % {{days}}) * interval '1 day'"
)
KIND = "(ARRAY['" + "','".join(KINDS) + "'])[1 + j % 4]"


def fill(world: World, url: str, stays: int) -> None:
    """``stays`` reservations with ten jobs each, and as many tries as jobs that are over."""
    gap = 600 * 24 * UNITS / max(stays, UNITS)  # hours between two arrivals at a unit: 600 days hold them all
    arrival = ARRIVAL.format(gap=gap, days=max(1, round(gap / 24)))
    _units(world, url)
    _stays(world, url, stays, arrival, f"{arrival} + interval '{min(gap, NIGHTS * 24) - 4} hours'")
    _jobs(world, url)
    _the_rest(world, url, stays)
    world.sql("VACUUM ANALYZE", url)


def _units(world: World, url: str) -> None:
    series = f"generate_series(0, {UNITS - 1}) n"
    _insert(world, url, "reservations_accommodation", series, id="n + 1", name="'Unit ' || n",
            external_id="'unit' || n", timezone="'America/Sao_Paulo'", check_in_time="'15:00'",
            check_out_time="'11:00'", active="true")  # fmt: skip
    _insert(world, url, "locks_lock", series, id="n + 1", name="'Door ' || n", provider="'tuya'", radio="'wifi'",
            device_id="'door' || n", pin_digits="'0123456789'", capacity="10")  # fmt: skip
    _insert(world, url, "locks_accommodationlock", series, accommodation_id="n + 1", lock_id="n + 1")


def _stays(world: World, url: str, stays: int, arrival: str, departure: str) -> None:
    _insert(world, url, "reservations_reservation", f"generate_series(0, {stays - 1}) n", id="n + 1",
            source="'stays'", external_id="md5(n::text)", short_id="'BN' || n", status="'booked'",
            accommodation_id=f"n % {UNITS} + 1", guest_name="'Guest ' || md5((n % 5000)::text)",
            guest_language="'pt-BR'", check_in_at=arrival, check_out_at=departure,
            check_in_date=f"({arrival})::date", check_out_date=f"({departure})::date")  # fmt: skip
    _insert(world, url, "locks_credential", "reservations_reservation n WHERE check_in_at < now()",
            purpose="'guest'", reservation_id="n.id", lock_id="n.accommodation_id", name="'SL ' || n.id",
            wanted="check_out_at > now()", starts_at="check_in_at", ends_at="check_out_at", asked_at="check_in_at",
            state="CASE WHEN check_out_at > now() THEN 'on_lock' ELSE 'absent' END", proven_at="check_in_at",
            removed_at="CASE WHEN check_out_at > now() THEN NULL ELSE check_out_at END",
            created_at="check_in_at",
            pin_hash="CASE WHEN check_out_at > now() THEN 'x' ELSE '' END")  # fmt: skip


def _jobs(world: World, url: str) -> None:
    due = "n.check_in_at - interval '1 hour' + j * interval '6 hours'"
    state = f"CASE WHEN {due} > now() THEN 'scheduled' WHEN (n.id + j) % 2000 = 0 THEN 'failed' ELSE 'succeeded' END"
    over = f"CASE WHEN {due} > now() THEN NULL ELSE {due} + interval '1 second' END"
    _insert(world, url, "scheduler_job",
            f"reservations_reservation n, generate_series(1, {JOBS_PER_STAY}) j ORDER BY 1", due_at=due, run_at=due,
            kind=KIND, subject="'reservation:' || n.id", live_key="'bench:' || n.id || ':' || j",
            payload="jsonb_build_object('lock', n.accommodation_id)", priority="5", max_attempts="3", version="1",
            queue="(ARRAY['pins','pins','messages','default'])[1 + j % 4]", state=state, finished_at=over,
            last_error="CASE WHEN (n.id + j) % 2000 = 0 THEN 'The door does not answer.' ELSE '' END")  # fmt: skip
    _insert(world, url, "scheduler_jobattempt", "scheduler_job n WHERE state <> 'scheduled' ORDER BY n.due_at",
            job_id="n.id", number="1", started_at="n.due_at + random() * interval '50 ms'", finished_at="n.finished_at",
            outcome="CASE WHEN state = 'failed' THEN 'failed' ELSE 'succeeded' END",
            lateness_ms="(random() * 50)::int")  # fmt: skip


def _the_rest(world: World, url: str, stays: int) -> None:
    series = f"generate_series(1, {stays}) n"
    received = "now() - n * interval '7 minutes'"
    _insert(world, url, "webhooks_webhookevent", series, source="'stays'", action="'reservation.modified'",
            external_id="md5(n::text)", dedupe_key="md5('event' || n)", verification="'verified'", body="'\\x7b7d'",
            state="CASE WHEN n % 1000 = 0 THEN 'parked' ELSE 'processed' END", received_at=received,
            deliveries="1")  # fmt: skip
    _insert(world, url, "audit_auditlog", f"generate_series(1, {stays * 2}) n", action="'pin.proven'",
            subject=f"'reservation:' || (n % {stays} + 1)", actor="'system'", at=received)  # fmt: skip
    _insert(world, url, "notifications_message", series, reservation_id="n", template="'pin_ready'",
            knows="jsonb_build_object('unit', 1, 'codes', '{}'::jsonb, 'starts_at', now(), 'ends_at', now())",
            state="'sent'", channel="'email'", to="'guest@example.com'", language="'pt-br'",
            sent_at=received, created_at=received)  # fmt: skip
    _insert(world, url, "scheduler_heartbeat", "generate_series(1, 1) n", name="'dispatcher'", beat_at="now()")


def _insert(world: World, url: str, table: str, rows: str, **values: str) -> None:
    """Write ``rows`` (what follows FROM) with these expressions; columns that must hold something get a blank."""
    columns = world.sql(
        "SELECT column_name, data_type FROM information_schema.columns"
        f" WHERE table_name = '{table}' AND is_nullable = 'NO' AND is_identity = 'NO'",
        url,
    )
    zero = {**BLANK, "timestamp with time zone": "now()", "date": "now()::date", "interval": "interval '0'",
            "bytea": "'\\x'", "double precision": "0"}  # fmt: skip
    blanks = {name: zero.get(kind, "''") for name, kind in columns if name not in values}
    every = {**values, **blanks}
    names, expressions = ", ".join(f'"{name}"' for name in every), ", ".join(every.values())
    world.sql(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {expressions} FROM {rows}", url)
    if "id" in values:
        world.sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))", url)
