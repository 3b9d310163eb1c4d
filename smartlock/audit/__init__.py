"""The audit trail: who did what to which thing, and when. Other rooms call ``audit.services.record``."""
