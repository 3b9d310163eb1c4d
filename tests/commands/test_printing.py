"""A terminal gets tables that fit and colours, a pipe gets plain columns, and NO_COLOR is heeded."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class

from smartlock.management.printing import OperatorCommand

HEAD = ["id", "state", "last error"]
ROWS = [(1, "failed", "The door is silent. " * 8), (22, "scheduled", "")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Show(OperatorCommand):
    def handle(self, **options: Any) -> None:
        self.print_table(HEAD, ROWS)


def shown(
    monkeypatch: pytest.MonkeyPatch, *, width: int = 80, terminal: bool = True, environment: str = "", **options: Any
) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    if environment:
        monkeypatch.setenv(*environment.split("=", 1))
    out = Terminal() if terminal else io.StringIO()
    call_command(Show(), stdout=out, **options)
    return out.getvalue()


def test_a_pipe_gets_aligned_columns_with_nothing_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    head, first, second = shown(monkeypatch, width=40, terminal=False).splitlines()
    assert head.split() == ["ID", "STATE", "LAST", "ERROR"]
    assert first.index("failed") == second.index("scheduled") == head.index("STATE")
    assert first.count("The door is silent.") == 8
    assert "\x1b" not in head + first + second


@pytest.mark.parametrize("width", [45, 60, 80, 140])
def test_a_terminal_gets_a_table_that_fits(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = shown(monkeypatch, width=width, environment="NO_COLOR=1").splitlines()
    plain = [line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") for line in lines]
    assert max(len(line) for line in plain) <= width
    assert sum(line.count("silent.") for line in plain) == 8


def test_a_terminal_as_narrow_as_a_phone_gets_one_fact_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, width=32, environment="NO_COLOR=1").splitlines()
    assert any("STATE" in line and "failed" in line for line in lines)


def test_states_are_coloured_unless_somebody_minds(monkeypatch: pytest.MonkeyPatch) -> None:
    red = "\x1b[1;31m"
    assert red in shown(monkeypatch)
    for minding in ("NO_COLOR=1", "TERM=dumb"):
        assert "31m" not in shown(monkeypatch, environment=minding)
    assert "31m" not in shown(monkeypatch, no_color=True)


def ours() -> list[str]:
    return [name for name, app in get_commands().items() if app in ("smartlock", "scheduler", "reservations", "locks")]


@pytest.mark.parametrize("name", ours())
def test_every_command_of_ours_speaks_json_and_tells_its_exit_codes(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    text = " ".join(command.create_parser("manage.py", name).format_help().split())
    assert isinstance(command, OperatorCommand)
    assert "exit code" in text.lower()
    if name not in ("listen_tuya",):  # it runs until it is stopped
        assert "--json" in text or name == "seed_demo"
