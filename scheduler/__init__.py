"""WHEN something happens, and what happened. Knows jobs; knows nothing of hotels, locks or guests.

Read in this order: models (the row), transitions (who may move it), kinds (how a task is declared), services
(schedule, cancel, retry), dispatcher (near the due time a Celery message), runner (claim, act, record), rescue.
"""
