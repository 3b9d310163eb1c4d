"""Sessions of people: where somebody is signed in, and how to end it all at once."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from scheduler import clock
from smartlock.audit.services import record


def sign_out_everywhere(user: User, *, actor: str, keep: str = "") -> int:
    """End this person's sessions, but for the one named ``keep``. Returns how many were ended.

    Django does not index sessions by person, so the live ones are read: some hundreds at most in an operator's house.
    """
    theirs = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=clock.now()).exclude(session_key=keep)
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(session_key__in=theirs).delete()
    record("sessions.ended", f"user:{user.pk}", actor=actor, summary=user.get_username(), count=len(theirs))
    return len(theirs)
