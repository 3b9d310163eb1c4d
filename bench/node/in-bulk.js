// node in-bulk.js COUNT [BATCH]: addBulk, in batches of a thousand.
import { Queue } from 'bullmq'
import { JOB_OPTIONS, answer, redis } from './common.js'

const count = Number(process.argv[2])
const BATCH = Number(process.argv[3] ?? 1000)
const DAY = 86_400_000
const connection = redis()
const queue = new Queue('noop', { connection, defaultJobOptions: JOB_OPTIONS })
await queue.waitUntilReady()
const started = performance.now()
for (let from = 0; from < count; from += BATCH) {
  const jobs = []
  for (let n = from; n < Math.min(count, from + BATCH); n++) {
    jobs.push({ name: 'noop', data: { n }, opts: { delay: 30 * DAY, jobId: `bulk-${n}` } })
  }
  await queue.addBulk(jobs)
}
answer({ seconds: (performance.now() - started) / 1000 })
await queue.close()
connection.disconnect()
