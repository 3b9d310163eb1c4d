"""When a job comes again: pure functions of a schedule and a moment. Moments are aware.

Written on a clock means that clock, whatever it does: a time that a clock change skips is made up for at the next
instant that exists, a time that comes twice counts once (the first). A schedule of every hour follows real time.
Celery's own crontab estimates across such a change are an hour off, and beat looks at a job only near its hour as it
was in January 2023; hence our own (docs/decisions/0083).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab

from scheduler.recurring.errors import BadSchedule

FAR = 8 * 366 + 1  # days: the 29th of February may be eight years away
LONGEST_SECONDS = 366 * 24 * 3600
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


@dataclass(frozen=True)
class Every:
    """Each so many seconds from a start."""

    seconds: int

    def next_after(self, moment: datetime, since: datetime) -> datetime:
        """The first point after ``moment`` of the grid that goes through ``since``."""
        step = timedelta(seconds=self.seconds)
        return since + step * max(1, (moment - since) // step + 1)


@dataclass(frozen=True)
class Cron:
    """Five fields as Celery reads them; day of month and day of week must both fit."""

    expression: str
    zone: ZoneInfo

    @property
    def fields(self) -> dict[str, str]:
        return dict(zip(FIELDS, self.expression.split(), strict=True))

    def next_after(self, moment: datetime, since: datetime | None = None) -> datetime:
        """The first time after ``moment``, in UTC. Raises BadSchedule when there is none in eight years."""
        parsed = self._parsed()
        first = moment.astimezone(self.zone).date()
        for day in (first + timedelta(days=number) for number in range(FAR)):
            if _fits(parsed, day):
                for instant in _instants(parsed, day, self.zone):
                    if instant > moment:
                        return instant
        raise BadSchedule(f"“{self.expression}” never comes: no such day exists.")

    def _parsed(self) -> crontab:
        try:
            return crontab(**self.fields)
        except (ParseException, ValueError) as error:
            raise BadSchedule(f"“{self.expression}” cannot be read as cron: {str(error).rstrip('.')}.") from None


Schedule = Every | Cron


def every(seconds: int) -> Every:
    """Raises BadSchedule for less than ten seconds or more than a year."""
    if not 10 <= seconds <= LONGEST_SECONDS:
        raise BadSchedule(f"An interval has 10 to {LONGEST_SECONDS} seconds, not {seconds}.")
    return Every(seconds)


def cron(expression: str, zone: str) -> Cron:
    """From “minute hour day-of-month month day-of-week”. Raises BadSchedule when it cannot be read or never comes."""
    fields = expression.split()
    if len(fields) != len(FIELDS):
        raise BadSchedule(f"Cron has five fields (minute, hour, day, month, weekday), not {len(fields)}.")
    found = Cron(" ".join(fields), _zone(zone))
    found.next_after(datetime.now(UTC))
    return found


def at_times(times: list[time], weekdays: list[int], zone: str) -> Cron:
    """At these times of day on these days (1 Monday to 7 Sunday; none = every day), as cron.

    One crontab has one set of minutes: raises BadSchedule for 08:00 and 14:30 together.
    """
    if not times:
        raise BadSchedule("At least one time of day is needed.")
    if len({moment.minute for moment in times}) > 1:
        raise BadSchedule("The times of one job share their minutes, like 08:30 and 14:30; make a second job.")
    hours = ",".join(str(hour) for hour in sorted({moment.hour for moment in times}))
    days = ",".join(str(day) for day in sorted({day % 7 for day in weekdays})) or "*"
    return cron(f"{times[0].minute} {hours} * * {days}", zone)


def upcoming(schedule: Schedule, now: datetime, count: int = 5) -> list[datetime]:
    """The next times after ``now``, for one who is about to choose this schedule."""
    found, at = [], now
    for _ in range(count):
        at = schedule.next_after(at, now)
        found.append(at)
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadSchedule(f"{name!r} is no time zone; write it like America/Sao_Paulo.") from None


def _fits(parsed: crontab, day: date) -> bool:
    return (
        day.month in parsed.month_of_year
        and day.day in parsed.day_of_month
        and day.isoweekday() % 7 in parsed.day_of_week
    )


def _instants(parsed: crontab, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of a day in order."""
    hourly = len(parsed.hour) == 24
    clocks = (datetime.combine(day, time(hour, minute)) for hour in parsed.hour for minute in parsed.minute)
    found = {instant for clock in clocks for instant in _instants_of(clock, zone, hourly=hourly)}
    yield from sorted(found)


def _instants_of(clock: datetime, zone: ZoneInfo, *, hourly: bool) -> Iterator[datetime]:
    if not _exists(clock, zone):
        if hourly:
            return
        while not _exists(clock, zone):
            clock += timedelta(minutes=1)
    yield clock.replace(tzinfo=zone).astimezone(UTC)
    if hourly:
        yield clock.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _exists(clock: datetime, zone: ZoneInfo) -> bool:
    return clock.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == clock
