"""The chaos run: real processes, a steady stream of jobs, and somebody who breaks things (docs/chaos.md)."""
