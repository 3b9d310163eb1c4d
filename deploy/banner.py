"""What a person sees when everything answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.environment import LOOPBACK, uses_sandbox

WIDTH = 78


def banner(env: Mapping[str, str], seconds: float, silent: Sequence[str]) -> str:
    web = f"http://{LOOPBACK}:{env['PORT']}"
    rows = [("Operators", f"{web}/admin/"), ("  login", f"operator / {_password(env)}")]
    rows += [("Health", f"{web}/health/queues"), ("Flower", f"{env['FLOWER_URL']}/")]
    if env.get("FLOWER_AUTH"):
        rows.append(("  login", env["FLOWER_AUTH"].replace(":", " / ", 1)))
    if uses_sandbox(env):
        rows.append(("Sandbox", f"http://{LOOPBACK}:{env['SANDBOX_PORT']}/   doors, bookings and mail to play with"))
    rows += [("Logs", "var/log/"), ("Stop", "Ctrl-C")]
    title = f" SmartLock is up after {seconds:.0f} s "
    if silent:
        title = f" SmartLock is up, but without an answer from: {', '.join(silent)} "
    lines = ["", title.center(WIDTH, "="), *(f"  {name:<11}{value}" for name, value in rows), "=" * WIDTH, ""]
    return "\n".join(lines)


def _password(env: Mapping[str, str]) -> str:
    return f"{env['OPERATOR_PASSWORD']}   (OPERATOR_PASSWORD in .env, valid until it is changed in the admin site)"
