"""What `make run` makes up, and what beats what."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import environ
import pytest
from cryptography.fernet import Fernet

from deploy import environment
from deploy.environment import MADE_UP, EnvironmentProblem

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def resolved(env_file: Path, **outside: str) -> dict[str, str]:
    environment.complete(env_file, outside)
    return environment.resolve(outside, environment.read(env_file), env_file.parent)


def test_the_first_run_makes_up_every_secret_for_the_owner_only(env_file: Path) -> None:
    environment.complete(env_file, {})
    assert set(environment.read(env_file)) == set(MADE_UP)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    Fernet(environment.read(env_file)["PIN_SEAL_KEYS"])


def test_the_second_run_changes_nothing(env_file: Path) -> None:
    environment.complete(env_file, {})
    before = env_file.read_bytes()
    environment.complete(env_file, {})
    assert env_file.read_bytes() == before


def test_what_a_person_wrote_stays_even_when_it_is_empty_or_unfinished(env_file: Path) -> None:
    mine = "SECRET_KEY='quoted # and $odd'\nSTAYS_WEBHOOK_SECRET=\n# a remark\nPORT=9000"
    env_file.write_text(mine)
    environment.complete(env_file, {})
    assert env_file.read_text().startswith(mine + "\n")
    values = environment.read(env_file)
    assert (values["SECRET_KEY"], values["STAYS_WEBHOOK_SECRET"], values["PORT"]) == ("quoted # and $odd", "", "9000")
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600, "there are secrets in it now"


def test_a_secret_from_outside_is_not_written_down(env_file: Path) -> None:
    environment.complete(env_file, {"SECRET_KEY": "from the outside"})
    assert "SECRET_KEY" not in environment.read(env_file)


def test_made_up_values_need_no_quotes_in_any_reader(env_file: Path) -> None:
    environment.complete(env_file, {})
    for line in env_file.read_text().splitlines():
        name, _, value = line.partition("=")
        if not line.startswith("#"):
            assert environment.read(env_file)[name] == value
            assert not set(value) & set(" \t'\"`$#\\;&|<>()")


def test_the_environment_beats_the_file_and_the_file_beats_the_default(env_file: Path) -> None:
    env_file.write_text("PORT=8001\nFLOWER_PORT=5556\n")
    env = resolved(env_file, PORT="8002")
    assert (env["PORT"], env["FLOWER_PORT"], env["SANDBOX_PORT"]) == ("8002", "5556", "8100")


def test_everything_follows_the_ports(env_file: Path) -> None:
    env = resolved(env_file, PORT="18000", SANDBOX_PORT="18100", FLOWER_PORT="15555", SANDBOX_SMTP_PORT="18125")
    assert env["TUYA_BASE_URL"] == env["STAYS_BASE_URL"] == "http://127.0.0.1:18100"
    assert env["SANDBOX_WEBHOOK_URL"] == f"http://127.0.0.1:18000/webhooks/stays/{env['STAYS_WEBHOOK_TOKEN']}/"
    assert env["FLOWER_URL"] == "http://127.0.0.1:15555"
    assert env["EMAIL_URL"] == "smtp://127.0.0.1:18125"
    assert "http://127.0.0.1:18000" in env["CSRF_TRUSTED_ORIGINS"]
    assert environment.uses_sandbox(env)


def test_the_real_world_is_kept_and_needs_no_sandbox(env_file: Path) -> None:
    env_file.write_text("TUYA_BASE_URL=us\nSTAYS_BASE_URL=https://stays.example.org\n")
    env = resolved(env_file, PORT="18000")
    assert (env["TUYA_BASE_URL"], env["STAYS_BASE_URL"]) == ("us", "https://stays.example.org")
    assert not environment.uses_sandbox(env)


def test_services_from_outside_are_used(env_file: Path) -> None:
    env_file.write_text("REDIS_URL=redis://elsewhere/3\n")
    env = resolved(env_file, DATABASE_URL="postgres://elsewhere/db")
    assert (env["REDIS_URL"], env["DATABASE_URL"]) == ("redis://elsewhere/3", "postgres://elsewhere/db")
    assert "REDIS_URL" not in resolved(env_file.with_name("other.env"))


def test_the_database_url_survives_an_odd_folder_name(tmp_path: Path) -> None:
    root = tmp_path / "a folder+with %signs"
    ports = dict(environment.PORTS)
    url = environment.derived({}, ports, root)["DATABASE_URL"]
    assert environ.Env.db_url_config(url)["NAME"] == str(root / "var" / "smartlock.sqlite3")


def test_a_taken_port_is_one_sentence_with_the_variable_to_change(env_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem) as problem:
            environment.check_ports(resolved(env_file, **{**ports_elsewhere(), "PORT": str(number)}))
    assert f"Port {number} is already taken: choose another with PORT" in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("value", ["eighty", "0", "70000", "-1", "80.5"])
def test_a_port_that_is_none_is_said_so(env_file: Path, value: str) -> None:
    with pytest.raises(EnvironmentProblem, match="PORT must be a port number"):
        environment.check_ports(resolved(env_file, PORT=value))


def test_two_doors_cannot_share_a_port(env_file: Path) -> None:
    ports = ports_elsewhere()
    with pytest.raises(EnvironmentProblem, match="PORT and FLOWER_PORT are both"):
        environment.check_ports(resolved(env_file, **{**ports, "FLOWER_PORT": ports["PORT"]}))


def test_the_note_for_a_second_terminal_holds_no_secrets(tmp_path: Path, env_file: Path) -> None:
    note = tmp_path / "run.env"
    env = {**resolved(env_file), "REDIS_URL": "redis://127.0.0.1:1/0"}
    environment.note_for_other_terminals(note, env, ROOT / ".env.example")
    assert environment.read(note)["REDIS_URL"] == "redis://127.0.0.1:1/0"
    assert not set(environment.read(note)) & environment.SECRETS
    assert env["STAYS_WEBHOOK_TOKEN"] not in note.read_text()
    assert stat.S_IMODE(note.stat().st_mode) == 0o600


def test_a_second_terminal_works_by_the_settings_of_the_running_house(tmp_path: Path, env_file: Path) -> None:
    """Else what `manage.py` writes is mailed to nobody, in another language, and it plans by other times."""
    note = tmp_path / "run.env"
    env = resolved(env_file, PIN_LEAD_MINUTES="30", LANGUAGE_CODE="pt-br", EMAIL_FROM="Casa <casa@example.org>")
    environment.note_for_other_terminals(note, env, ROOT / ".env.example")
    wanted = ("OPERATOR_EMAIL", "PIN_LEAD_MINUTES", "LANGUAGE_CODE", "EMAIL_FROM", "DATABASE_URL", "FLOWER_URL")
    told = dict(line.split("=", 1) for line in note.read_text().splitlines())
    assert {name: told.get(name) for name in wanted} == {name: env[name] for name in wanted}


def ports_elsewhere() -> dict[str, str]:
    """Ports nobody uses at the moment, so that only what the test is about can be in the way."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in environment.PORTS]
    numbers = [str(server.getsockname()[1]) for server in sockets]
    for server in sockets:
        server.close()
    return dict(zip(environment.PORTS, numbers, strict=True))
