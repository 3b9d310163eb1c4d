"""Measures SmartLock beside what else one would use, in the same run on the same machine: `make bench`.

world       PostgreSQL (fsync on), Valkey and the processes of a turn, all on loopback
contenders  who is measured: how its workers start and how jobs are given to it
measurements/  one file each: what is done, and which goals it is held to
report      medians, spreads, ratios, and docs/benchmarks.md
node/       BullMQ and Express, written as their manuals show it
"""
