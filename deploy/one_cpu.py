"""Runs a Python program on one CPU: `python -m deploy.one_cpu -m granian ...`.

The interpreter lets one of its threads work at a time. Those of the web server hand a request over to each other
several times; spread over the CPUs each of these wakes another one, which costs more than all else (decision 0107).
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux; whoever starts later inherits it, threads and children alike
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the first has the most interrupts
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
