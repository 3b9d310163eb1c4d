"""A trigger that notes every move of a job's row, so that the verdict need not trust the engine's own records."""

from __future__ import annotations

from django.db import connection

from scheduler.models import Job
from tests.chaos.evidence import Move

TRIGGER = f"""
CREATE TABLE chaos_move (job_id bigint, version int, state text, run_at timestamptz, said text);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_move VALUES (NEW.id, NEW.version, NEW.state, NEW.run_at, left(NEW.last_error, 200));
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_insert AFTER INSERT ON {Job._meta.db_table} FOR EACH ROW EXECUTE FUNCTION chaos_note();
CREATE TRIGGER chaos_update AFTER UPDATE ON {Job._meta.db_table} FOR EACH ROW
    WHEN (OLD.version IS DISTINCT FROM NEW.version OR OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION chaos_note();
"""
# The time of a statement says nothing about when others saw it; the commit's does (track_commit_timestamp).
MOVES = """
SELECT job_id, version, state, extract(epoch FROM run_at), extract(epoch FROM pg_xact_commit_timestamp(xmin)), said
FROM chaos_move
"""


def install() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER)


def moves() -> dict[tuple[int, int], Move]:
    with connection.cursor() as cursor:
        cursor.execute(MOVES)
        return {
            (job, version): Move(job, version, state, float(run_at), float(committed), said)
            for job, version, state, run_at, committed, said in cursor.fetchall()
        }
