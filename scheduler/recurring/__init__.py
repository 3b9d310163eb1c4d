"""Jobs that come again: a schedule on django-celery-beat's tables, a target of ours, and the history of its runs.

Read in this order: models, schedules (when), targets (what), services (the verbs), execution and process (a run).
docs/recurring.md tells it in words.
"""
