// node noop-schedule.js COUNT FIRST SPREAD: delayed jobs, added in bulk.
import { Queue } from 'bullmq'
import { JOB_OPTIONS, redis } from './common.js'

const [count, first, spread] = process.argv.slice(2).map(Number)
const connection = redis()
const queue = new Queue('noop', { connection, defaultJobOptions: JOB_OPTIONS })
const BATCH = 1000
for (let from = 0; from < count; from += BATCH) {
  const jobs = []
  for (let n = from; n < Math.min(count, from + BATCH); n++) {
    // Rounded up: a delay is in whole milliseconds, and early would be wrong.
    const delay = Math.max(0, Math.ceil((first + (n * spread) / count) * 1000 - Date.now()))
    jobs.push({ name: 'noop', data: { n }, opts: { delay } })
  }
  await queue.addBulk(jobs)
}
await queue.close()
connection.disconnect()
