"""The engine under a seeded adversary: every part of it as steps in one process. docs/simulation.md says how to use it."""
