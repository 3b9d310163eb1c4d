"""The supervisor with real processes: order, deaths, and that nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENT = "import signal, time; print('here', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)
SAYS_ITS_ID = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
HAS_A_CHILD = (
    "import os, subprocess, sys, time;"
    "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('pid', os.getpid(), flush=True); print('pid', grandchild.pid, flush=True); time.sleep(60)"
)


class Stage:
    """A running supervisor, and what it has said so far."""

    def __init__(self, directory: Path, children: dict[str, str]) -> None:
        self.directory = directory
        self._output = directory / "said.txt"
        arguments = [f"{name}={code}" for name, code in children.items()]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.deploy.stage", str(directory), *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._output.read_text()

    def wait_for(self, words: str, times: int = 1) -> None:
        wait_until(lambda: self.said().count(words) >= times, f"{words!r} in:\n{self.said()}")

    def pids(self) -> list[int]:
        return [int(pid) for pid in re.findall(r"pid (\d+)", self.said())]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """A zombie that nobody has collected yet does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def set_up(**children: str) -> Stage:
        stages.append(Stage(tmp_path, children))
        return stages[-1]

    yield set_up
    for one in stages:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_children_are_stopped_in_the_reverse_order_of_their_start(stage: Callable[..., Stage]) -> None:
    farewell = (
        "import signal, sys, time;"
        "signal.signal(signal.SIGTERM, lambda *_: (print('goodbye', flush=True), sys.exit(0)));"
        "print('here', flush=True); time.sleep(60)"
    )
    running = stage(first=farewell, second=farewell, third=farewell)
    running.wait_for("here", times=3)
    running.process.terminate()
    assert running.process.wait(20) == 0
    assert re.findall(r"(\w+) *\| goodbye", running.said()) == ["third", "second", "first"]


def test_a_stubborn_child_is_killed_after_its_grace_and_named(stage: Callable[..., Stage]) -> None:
    running = stage(mule=STUBBORN)
    running.wait_for("here")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0
    assert "mule did not stop in time and is killed." in running.said()


def test_a_dead_child_is_named_with_its_last_words_and_started_again(stage: Callable[..., Stage]) -> None:
    running = stage(steady=PATIENT, shaky="import sys; print('out of luck'); sys.exit(7)")
    running.wait_for("Starting shaky again in 0.5 s.")
    running.process.terminate()
    running.process.wait(20)
    assert "shaky ended with exit code 7. Its last lines:\n    out of luck" in running.said()
    assert running.said().count("here") == 1, "the other child was left alone"


def test_a_killed_child_is_named_with_its_signal(stage: Callable[..., Stage]) -> None:
    running = stage(victim=SAYS_ITS_ID)
    running.wait_for("pid")
    os.kill(running.pids()[0], signal.SIGKILL)
    running.wait_for("victim ended with signal SIGKILL")
    running.wait_for("pid", times=2)


@pytest.mark.timeout(60)
def test_a_child_that_never_stays_alive_takes_the_rest_down(stage: Callable[..., Stage]) -> None:
    running = stage(steady=SAYS_ITS_ID, hopeless="raise SystemExit(3)")
    assert running.process.wait(45) == 1
    assert "hopeless does not start: it ended 5 times, each time within 5 s; giving up." in running.said()
    assert not any(map(is_running, running.pids()))


@pytest.mark.timeout(60)
def test_a_child_that_once_ran_is_started_until_it_runs_again(stage: Callable[..., Stage], tmp_path: Path) -> None:
    """As beat, which was killed while its database is away and ends at each start until that is back."""
    database = tmp_path / "database"
    database.touch()
    beat = f"import pathlib, time; print('here', pathlib.Path({str(database)!r}).stat().st_size, flush=True)"
    running = stage(steady=SAYS_ITS_ID, beat=f"{beat}; time.sleep(6); pathlib.Path({str(database)!r}).unlink()")
    running.wait_for("beat ended with exit code 1", times=6)
    assert running.process.poll() is None
    assert re.findall(r"Starting beat again in ([\d.]+) s", running.said())[1:6] == ["0.5", "1", "2", "2", "2"]
    database.touch()
    running.wait_for("here", times=2)


@pytest.mark.timeout(60)
def test_a_child_that_once_answered_can_start_however_soon_it_is_killed(
    stage: Callable[..., Stage], tmp_path: Path
) -> None:
    """As the worker, killed in its first seconds, and then the database goes away."""
    database = tmp_path / "database"
    database.touch()
    worker = f"import os, pathlib, time; print('ready', pathlib.Path({str(database)!r}).stat().st_size, flush=True)"
    running = stage(**{"worker?": f"{worker}; print('pid', os.getpid(), flush=True); time.sleep(60)"})
    running.wait_for("all answered")
    database.unlink()
    os.kill(running.pids()[0], signal.SIGKILL)
    running.wait_for("worker ended with exit code 1", times=6)
    assert running.process.poll() is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_however_the_supervisor_ends(stage: Callable[..., Stage], how: signal.Signals) -> None:
    running = stage(parent=HAS_A_CHILD, other=SAYS_ITS_ID)
    running.wait_for("pid", times=3)
    running.process.send_signal(how)
    running.process.wait(20)
    wait_until(lambda: not any(map(is_running, running.pids())), "the children to end")


def test_a_reader_that_does_not_read_does_not_stop_the_children(tmp_path: Path) -> None:
    chatty = "import time\nfor i in range(20000): print('word ' * 10)\nprint('done', flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "tests.deploy.stage", str(tmp_path), f"chatty={chatty}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    log = tmp_path / "log" / "chatty.log"
    wait_until(lambda: log.exists() and log.read_text().endswith("done\n"), "the whole log")
    process.terminate()
    assert process.wait(20) == 0
    assert process.stdout is not None
    process.stdout.close()


def test_the_log_of_the_run_before_is_kept_beside(stage: Callable[..., Stage]) -> None:
    for word in ("old", "new"):
        running = stage(child=f"import time; print('{word}', flush=True); time.sleep(60)")
        running.wait_for(word)
        running.process.terminate()
        running.process.wait(20)
    log = running.directory / "log" / "child.log"
    assert (log.read_text(), log.with_suffix(".log.1").read_text()) == ("new\n", "old\n")
