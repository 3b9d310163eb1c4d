"""A house that has run for a while, in a few statements: units, doors, stays, jobs, tries, events, audit entries.

Each table gets what its columns need and nothing that PostgreSQL can make up itself. The stays follow one another in
their units over the house's days, so that some of their jobs are still to come. Not all units change guests on the same
day, so that each day has as many arrivals as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.world import World

NIGHTS, JOBS_PER_STAY = 3, 10
KINDS = ("locks.generate_pin", "locks.revoke_pin", "notifications.tell_guest", "webhooks.process_event")
TIMES = {"created_at": "now()", "updated_at": "now()", "facts_at": "now()"}
KIND = "(ARRAY['" + "','".join(KINDS) + "'])[1 + j % 4]"
# What a column must hold that nobody names.
BLANK = {"integer": "0", "smallint": "0", "bigint": "0", "boolean": "false", "jsonb": "'{}'"}
READINGS = 60  # of a battery, as many as the product keeps


@dataclass(frozen=True)
class House:
    """So many units with a door each, and the days over which their stays are laid."""

    units: int
    behind: int
    ahead: int

    def gap(self, stays: int) -> float:
        """Hours between two arrivals at a unit."""
        return (self.behind + self.ahead) * 24 * self.units / max(stays, self.units)

    def arrival(self, stays: int) -> str:
        """When stay ``n`` begins, as SQL."""
        gap = self.gap(stays)
        return (
            f"date_trunc('day', now()) - interval '{self.behind} days' + (n / {self.units}) * interval '{gap} hours'"
            f" + interval '18 h' + (n % {self.units} % {max(1, round(gap / 24))}) * interval '1 day'"
        )


YEARS = House(units=500, behind=500, ahead=100)
TOWN = House(units=5_000, behind=150, ahead=20)  # 100,000 stays are 600 arrivals a night


def fill(world: World, url: str, stays: int, house: House = YEARS) -> None:
    """``stays`` reservations with ten jobs each, and as many tries as jobs that are over."""
    arrival = house.arrival(stays)
    _units(world, url, house)
    _stays(world, url, stays, house, f"{arrival} + interval '{min(house.gap(stays), NIGHTS * 24) - 4} hours'")
    _jobs(world, url)
    _the_rest(world, url, stays)
    world.sql("VACUUM ANALYZE", url)


def _units(world: World, url: str, house: House) -> None:
    """Doors as they are after a year: a battery in fifteen is low, one lock in a hundred has been silent for long."""
    series = f"generate_series(0, {house.units - 1}) n"
    level = "(100 - n % 86)"
    _insert(world, url, "reservations_accommodation", series, id="n + 1", name="'Unit ' || n",
            external_id="'unit' || n", timezone="'America/Sao_Paulo'", check_in_time="'15:00'",
            check_out_time="'11:00'", active="true")  # fmt: skip
    _insert(world, url, "locks_lock", series, id="n + 1", name="'Door ' || n", provider="'tuya'", radio="'wifi'",
            device_id="'door' || n", pin_digits="'0123456789'", capacity="10", battery_percent=level,
            battery_at="now()", seen_at="now()",
            heard_at="now() - CASE WHEN n % 100 = 0 THEN interval '10 days' ELSE interval '1 hour' END")  # fmt: skip
    _insert(world, url, "locks_accommodationlock", series, accommodation_id="n + 1", lock_id="n + 1")
    _insert(world, url, "locks_batteryreading", f"{series}, generate_series(1, {READINGS}) j", lock_id="n + 1",
            at=f"now() - ({READINGS} - j) * interval '5 days'",
            percent=f"CASE WHEN {level} + {READINGS} - j > 100 THEN 100 - j % 2 ELSE {level} + {READINGS} - j END",
            )  # fmt: skip
    _insert(world, url, "locks_credential", series, purpose="'backup'", lock_id="n + 1", name="'BK ' || n",
            wanted="true", starts_at="now() - interval '30 days'", ends_at="now() + interval '150 days'",
            asked_at="now() - interval '30 days'", provider_ref="'b' || n", state="'on_lock'",
            proven_at="now() - interval '30 days'",
            pin_hash="'x'", created_at="now() - interval '30 days'")  # fmt: skip


def _stays(world: World, url: str, stays: int, house: House, departure: str) -> None:
    arrival = house.arrival(stays)
    _insert(world, url, "reservations_reservation", f"generate_series(0, {stays - 1}) n", id="n + 1",
            source="'stays'", external_id="md5(n::text)", short_id="'BN' || n", status="'booked'",
            accommodation_id=f"n % {house.units} + 1", guest_name="'Guest ' || md5((n % 5000)::text)",
            guest_language="'pt-BR'", check_in_at=arrival, check_out_at=departure,
            check_in_date=f"({arrival})::date", check_out_date=f"({departure})::date")  # fmt: skip
    _insert(world, url, "locks_credential", "reservations_reservation n WHERE check_in_at < now()",
            purpose="'guest'", reservation_id="n.id", lock_id="n.accommodation_id", name="'SL ' || n.id",
            wanted="check_out_at > now()", starts_at="check_in_at", ends_at="check_out_at", asked_at="check_in_at",
            state="CASE WHEN check_out_at > now() THEN 'on_lock' ELSE 'absent' END", proven_at="check_in_at",
            removed_at="CASE WHEN check_out_at > now() THEN NULL ELSE check_out_at END",
            asked_starts_at="check_in_at", asked_ends_at="check_out_at", lock_starts_at="check_in_at",
            lock_ends_at="check_out_at", provider_ref="n.id::text", pin_fingerprint="md5(n.id::text)",
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
