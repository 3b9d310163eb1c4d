"""The one verb of the audit trail."""

from __future__ import annotations

from smartlock.audit.models import AuditLog


def record(action: str, subject: str, *, actor: str = "system", summary: str = "", **details: object) -> AuditLog:
    """Write one entry in the caller's transaction. Never pass a PIN, a secret or a whole payload."""
    return AuditLog.objects.create(
        actor=actor[:150], action=action, subject=subject, summary=summary[:300], details=details
    )
