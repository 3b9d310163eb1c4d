"""WHAT the outside told us: receipts, verification, replay. Knows reservations and jobs; nothing of locks.

A delivery is refused (4xx, nothing stored but a count) or committed and answered 200; all work happens later.
"""
