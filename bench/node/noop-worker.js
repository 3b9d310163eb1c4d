// BullMQ's side of punctuality and burst: 50 jobs in parallel that do nothing.
import { Worker } from 'bullmq'
import { note, redis, stopWith } from './common.js'

const worker = new Worker('noop', async (job) => note(job.data.n), { connection: redis(), concurrency: 50 })
worker.on('error', () => {})
await worker.waitUntilReady()
stopWith(() => worker.close(true))
console.log('ready')
