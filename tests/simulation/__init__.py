"""The engine under a seeded adversary: all of it as steps in one process (docs/simulation.md)."""
