"""A pretend outside world: a Tuya cloud with three doors, a Stays account and a mailbox.

It speaks the real protocols over HTTP and SMTP and knows nothing of the product, which reaches it by base URL alone.
"""
