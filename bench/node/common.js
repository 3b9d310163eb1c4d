// What the scripts share: the Redis and PostgreSQL of the run, the journal, signals.
import fs from 'node:fs'
import { Redis } from 'ioredis'
import pg from 'pg'

export const redis = () => new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
export const pool = (max = 20) => {
  const made = new pg.Pool({ connectionString: process.env.DATABASE_URL, max })
  made.on('error', () => {})
  return made
}

// One line of fixed width per execution, as bench/journal.py describes it.
let descriptor = -1
export const note = (number) => {
  const micros = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  if (descriptor < 0) descriptor = fs.openSync(process.env.BENCH_JOURNAL, 'a')
  fs.writeSync(descriptor, `${String(number).padStart(10, '0')} ${String(micros).padStart(17, '0')}\n`)
}

export const stopWith = (close) => {
  for (const name of ['SIGTERM', 'SIGINT']) {
    process.on(name, async () => {
      await close()
      process.exit(0)
    })
  }
}

export const answer = (value) => console.log(JSON.stringify(value))

// No history of done jobs: the manual's advice for production.
export const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: 1000 }
