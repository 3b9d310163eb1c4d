"""What commands take: numbers and days that a database, a clock and a person can mean. Anything else is bad use (2)."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandError

LARGEST = 2**63 - 1  # of the numbers a database gives its rows
MOST_DAYS = 36_500
YEARS = range(2000, 2200)  # as the API takes them
SHOWN = 40  # characters of what is wrong


def within(name: str, number: int, least: int, most: int) -> int:
    """The number. Raises CommandError (exit code 2) when it is outside."""
    if not least <= number <= most:
        raise CommandError(f"{name} takes a whole number from {least} to {most}.", returncode=2)
    return number


def ids(name: str, numbers: list[int] | None) -> list[int]:
    """The numbers of rows. Raises CommandError (exit code 2) for one that no row can have."""
    return [within(name, number, 1, LARGEST) for number in numbers or []]


def day(text: str) -> date:
    """For argparse."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text[:SHOWN]!r} is not a day of the calendar, such as 2026-03-05.") from None
    if found.year not in YEARS:
        raise ArgumentTypeError(f"{text} is not in the years {YEARS[0]} to {YEARS[-1]}.")
    return found


def unreadable(words: list[str]) -> str:
    """The first word that is not text in UTF-8, as far as it can be shown; nothing when all are."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            return word.encode("utf-8", "replace").decode()[:SHOWN]
    return ""


def empty(parser: ArgumentParser, options: dict[str, Any]) -> str:
    """The first argument that was given without a word in it; nothing when all say something.

    ``--kind "$KIND"`` of a script that never set KIND would otherwise mean every kind.
    """
    for action in parser._actions:  # the one list argparse keeps of them
        given = options.get(action.dest)
        for word in given if isinstance(given, list) else [given]:
            if isinstance(word, str) and not word.strip() and word != action.default:
                return action.option_strings[0] if action.option_strings else str(action.metavar or action.dest).upper()
    return ""
