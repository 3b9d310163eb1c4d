// node webhook.js [bullmq]: Express that checks the signature and stores the event before it answers 200;
// with `bullmq` two jobs are added as well. The port it got is printed.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Queue } from 'bullmq'
import express from 'express'
import { JOB_OPTIONS, pool, redis, stopWith } from './common.js'

const withJobs = process.argv[2] === 'bullmq'
const database = pool(16)
const connection = withJobs ? redis() : undefined
const queue = withJobs ? new Queue('events', { connection, defaultJobOptions: JOB_OPTIONS }) : undefined
const secret = process.env.STAYS_WEBHOOK_SECRET

const INSERT = `INSERT INTO webhooks_webhookevent
  (source, action, external_id, occurred_at, dedupe_key, verification, headers, body, remote_address, state, reason,
   deliveries, received_at)
  VALUES ('stays', $1, $2, $3, $4, 'verified', $5, $6, $7, 'received', '', 1, now())
  ON CONFLICT (dedupe_key) DO NOTHING RETURNING id`

const isSigned = (request) => {
  const given = Buffer.from(String(request.get('x-stays-signature') ?? '').replace(/^sha256=/, ''), 'hex')
  const good = createHmac('sha256', secret).update(request.body).digest()
  return given.length === good.length && timingSafeEqual(given, good)
}

const app = express()
app.use(express.raw({ type: 'application/json', limit: '256kb' }))
app.post('/webhooks/stays/:token/', async (request, response) => {
  if (request.params.token !== process.env.STAYS_WEBHOOK_TOKEN || !isSigned(request)) {
    return response.status(401).json({ error: 'bad_signature' })
  }
  const event = JSON.parse(request.body)
  const about = event.payload._id
  const key = createHash('sha256').update(`stays|${event.action}|${event._dt}|${about}`).digest('hex')
  const values = [event.action, about, event._dt, key, JSON.stringify(request.headers), request.body, '127.0.0.1']
  const { rows } = await database.query({ name: 'store', text: INSERT, values })
  if (rows.length && queue) {
    await queue.add('process', { event: rows[0].id }, { jobId: `process-${rows[0].id}` })
    await queue.add('tell', { event: rows[0].id }, { jobId: `tell-${rows[0].id}` })
  }
  return response.json({ status: rows.length ? 'stored' : 'duplicate', event: rows[0]?.id })
})

const server = app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))
stopWith(async () => {
  server.closeAllConnections()
  await database.end()
})
