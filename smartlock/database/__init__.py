"""Django's own back ends for PostgreSQL and SQLite, with a shorter way for what every job does (decision 0106)."""
