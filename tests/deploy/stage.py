"""A supervisor with tiny children, as a program of its own: the tests send it signals and read what it says.

python -m tests.deploy.stage DIRECTORY NAME=CODE...    each CODE is Python, run as the child NAME, in this order;
                                                       NAME?=CODE is one that answers once it has said "ready"
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import deploy.supervisor
from deploy.console import Console
from deploy.guardian import Guardian
from deploy.supervisor import Child, GaveUp, Program, Supervisor, stopping_on_signals


def main(directory: Path, children: list[str]) -> int:
    deploy.supervisor.FIRST_PAUSE, deploy.supervisor.LONGEST_PAUSE = 0.25, 2.0
    deploy.supervisor.STEADY_SECONDS = 5.0  # a busy machine takes a second or two to start Python
    with Guardian() as guardian:
        supervisor = Supervisor(Console(directory / "log"), guardian)
        with stopping_on_signals(supervisor):
            try:
                for child in children:
                    name, _, code = child.partition("=")
                    is_ready = says_so if name.endswith("?") else None
                    command = [sys.executable, "-u", "-c", code]
                    supervisor.start(Program(name.rstrip("?"), command, os.environ, is_ready, grace=2))
                if not supervisor.wait_until_ready(20):
                    print("all answered", flush=True)
                supervisor.run()
                code = "0"
            except GaveUp as problem:
                print(f"SmartLock stops: {problem}", flush=True)
                code = "1"
            supervisor.stop()
    return int(code)


def says_so(child: Child) -> bool:
    return child.has_said("ready")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
