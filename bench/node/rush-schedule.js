// node rush-schedule.js FIRST: one delayed job for every stay in the database.
import { Queue } from 'bullmq'
import { JOB_OPTIONS, pool, redis } from './common.js'

const first = Number(process.argv[2]) * 1000
const database = pool(1)
const connection = redis()
const queue = new Queue('pins', { connection, defaultJobOptions: { ...JOB_OPTIONS, attempts: 5, backoff: { type: 'exponential', delay: 2000 } } })
const { rows } = await database.query('SELECT id FROM reservations_reservation')
for (let from = 0; from < rows.length; from += 1000) {
  const delay = Math.max(0, Math.ceil(first - Date.now()))
  await queue.addBulk(rows.slice(from, from + 1000).map(({ id }) => (
    { name: 'generate_pin', data: { reservation: id }, opts: { delay, jobId: `generate-${id}` } })))
}
await queue.close()
connection.disconnect()
await database.end()
