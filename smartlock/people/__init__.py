"""Who may do what, and how people prove who they are.

Read in this order: roles (the table of groups), second_factor (its verbs), gate (who gets through), views (pages).
Sign-in throttling is django-axes', the second factor django-otp's; here is only what ties them to the house.
"""
