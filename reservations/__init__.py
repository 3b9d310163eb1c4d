"""WHO stays WHERE and WHEN. Knows accommodations, reservations and the Stays API; nothing of locks or jobs.

Every source (Stays, the admin form) ends in ``services``; the other rooms listen to the model's ``post_save``.
"""
