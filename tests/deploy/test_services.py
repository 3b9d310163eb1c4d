"""The embedded servers really serve, keep their data, and are gone afterwards."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import psycopg
import pytest
import redis

from deploy import services
from deploy.services import postgres, valkey


def test_valkey_serves_is_closed_to_strangers_and_never_evicts(tmp_path: Path) -> None:
    with valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        stranger = redis.Redis(port=int(url.rpartition(":")[2].partition("/")[0]))
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.close()
        assert stat.S_IMODE((tmp_path / "valkey.conf").stat().st_mode) == 0o600
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()


def test_valkey_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.set("key", "value")
    with valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.get("key") == b"value"


def test_postgres_serves_and_is_gone_afterwards() -> None:
    with postgres() as url, psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('fsync')").fetchone()
        assert row == ("off",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_free_port_is_nobodys_and_none_that_the_system_hands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        handed_out = other.getsockname()[1]
    assert handed_out not in services.UNASSIGNED
    taken, free = services.free_port(), services.free_port()
    with socket.create_server(("127.0.0.1", taken)):
        picks = iter(port - services.UNASSIGNED.start for port in (taken, free))
        monkeypatch.setattr("deploy.services.secrets.randbelow", lambda _: next(picks))
        assert services.free_port() == free
