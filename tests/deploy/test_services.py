"""The embedded servers really serve, keep their data, and are gone afterwards."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest
import redis

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
