"""Where the browser is that the browser tests and `make screenshots` drive."""

from __future__ import annotations

import os
import shutil

MISSING = "no Chromium here: install the package `chromium` (Debian: apt install chromium), or name one in CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# It runs as root in containers, and asks nobody outside for updates, lists or fonts.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip


def chromium() -> str | None:
    """The program, or None where there is none. CHROMIUM in the environment wins."""
    wanted = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    return next(filter(None, map(shutil.which, wanted)), None)
