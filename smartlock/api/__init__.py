"""The HTTP API under ``/api/``: what the admin site can do, for scripts.

It lies here because it looks into every room at once, and no room may import upwards. Its calls hold no logic: they
read rows, and write through the rooms' services with ``actor="api:<token name>"``.

Read in this order: root (what there is), gate (what every request passes: who, how often, once only), callers,
problems, shapes, and then any of the resources: reservations, credentials, jobs, queues, events, locks,
accommodations, health.
"""
