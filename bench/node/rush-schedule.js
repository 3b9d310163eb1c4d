// node rush-schedule.js FIRST: the two delayed jobs of every stay in the database, as at its booking.
import { Queue } from 'bullmq'
import { JOB_OPTIONS, pool, redis } from './common.js'

const first = Number(process.argv[2]) * 1000
const database = pool(1)
const connection = redis()
const queue = new Queue('pins', { connection, defaultJobOptions: { ...JOB_OPTIONS, attempts: 5, backoff: { type: 'exponential', delay: 2000 } } })
const { rows } = await database.query('SELECT id, check_out_at FROM reservations_reservation')
const later = new Queue('later', { connection, defaultJobOptions: JOB_OPTIONS })
for (let from = 0; from < rows.length; from += 1000) {
  const delay = Math.max(0, Math.ceil(first - Date.now()))
  await queue.addBulk(rows.slice(from, from + 1000).map(({ id }) => (
    { name: 'generate_pin', data: { reservation: id }, opts: { delay, jobId: `generate-${id}` } })))
  await later.addBulk(rows.slice(from, from + 1000).map(({ id, check_out_at }) => (
    { name: 'revoke_pin', data: { reservation: id }, opts: { delay: check_out_at - Date.now(), jobId: `revoke-${id}` } })))
}
await queue.close()
await later.close()
connection.disconnect()
await database.end()
