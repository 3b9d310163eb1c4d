"""`make faults`: plays the matrix, and writes docs/faults.md when every line is as it should be.

With `ARGS="-k …"` only some of it is played, and the other lines stay as they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/faults/test_matrix.py", *sys.argv[1:]]
        done = subprocess.run(command, env={**os.environ, "FAULTS_TO": directory}, check=False)
        if done.returncode:
            return done.returncode
        return subprocess.run([sys.executable, "-m", "tests.faults.write", directory], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
