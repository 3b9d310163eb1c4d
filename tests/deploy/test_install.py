"""What decides whether an installation is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy import install


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, file in {"RUN": "requirements.txt", "DEV": "requirements-dev.txt"}.items():
        (tmp_path / file).write_text(f"{file} of today")
        monkeypatch.setattr(install, name, tmp_path / file)
    python = tmp_path / "python"
    python.touch()
    monkeypatch.setattr(install, "PYTHON", python)
    monkeypatch.setattr(install, "STAMP", tmp_path / "stamp")
    return tmp_path


def test_nothing_is_installed_without_a_stamp(checkout: Path) -> None:
    assert not install.is_installed(install.RUN)


def test_the_development_requirements_serve_for_both(checkout: Path) -> None:
    install.STAMP.write_text(install.fingerprint(install.DEV))
    assert install.is_installed(install.RUN)
    assert install.is_installed(install.DEV)


def test_the_running_requirements_do_not_serve_for_development(checkout: Path) -> None:
    install.STAMP.write_text(install.fingerprint(install.RUN))
    assert install.is_installed(install.RUN)
    assert not install.is_installed(install.DEV)


def test_changed_requirements_are_installed_anew(checkout: Path) -> None:
    install.STAMP.write_text(install.fingerprint(install.RUN))
    install.RUN.write_text("requirements of tomorrow")
    assert not install.is_installed(install.RUN)


def test_a_missing_python_means_a_new_environment(checkout: Path) -> None:
    install.STAMP.write_text(install.fingerprint(install.RUN))
    install.PYTHON.unlink()
    assert not install.is_installed(install.RUN)


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 14, 0)])
def test_an_unsupported_python_is_one_sentence(version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit, match=r"Python 3\.1[04] is not supported: install 3\.11, 3\.12 or 3\.13"):
        install.check_python()


def test_the_development_lock_contains_the_running_one() -> None:
    root = Path(__file__).resolve().parents[2]
    running, development = (pins((root / name).read_text()) for name in ("requirements.txt", "requirements-dev.txt"))
    assert running <= development


def pins(requirements: str) -> set[str]:
    return {line.split()[0] for line in requirements.splitlines() if "==" in line and not line.startswith((" ", "#"))}
