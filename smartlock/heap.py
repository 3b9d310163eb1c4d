"""How a process of ours, once it is up, looks for garbage."""

from __future__ import annotations

import gc


def settle() -> None:
    """What is there at the start stays; to look through all of it whenever a few hundred objects are new took a
    quarter of a worker's time when many jobs were due (decision 0094).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
