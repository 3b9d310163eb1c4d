"""WHICH PIN opens WHICH door, and what the door really says.

Knows reservations and jobs; nothing of webhooks or messages.

Read in this order: models, plan (pure: what a stay is entitled to), planning (wanted against existing jobs), tasks,
issue / remove (the two verbs), provider (what a brand must do), tuya.
"""
