// node one-by-one.js COUNT: a reservation is inserted into PostgreSQL, then its two jobs are added to BullMQ.
import { Queue } from 'bullmq'
import { JOB_OPTIONS, answer, pool, redis } from './common.js'

const count = Number(process.argv[2])
const connection = redis()
const queue = new Queue('doors', { connection, defaultJobOptions: JOB_OPTIONS })
const database = pool(1)
const DAY = 86_400_000
const { rows } = await database.query(
  `INSERT INTO reservations_accommodation
     (name, external_id, short_id, timezone, check_in_time, check_out_time, grace_minutes, active, created_at, updated_at)
   VALUES ('Bench', '', '', 'America/Sao_Paulo', '15:00', '11:00', 0, true, now(), now()) RETURNING id`)
const unit = rows[0].id

const INSERT = `INSERT INTO reservations_reservation
  (source, external_id, short_id, partner_code, accommodation_id, status, check_in_date, check_out_date,
   check_in_at, check_out_at, guest_name, guest_email, guest_phone, guest_language, facts_at, created_at, updated_at)
  VALUES ('stays', $1, $2, '', $3, 'booked', $4::timestamptz, $5::timestamptz, $4::timestamptz, $5::timestamptz, 'Ada Lovelace', '', '', 'en', $6, $6, $6) RETURNING id`

const save = async (number) => {
  const now = new Date()
  const arrival = new Date(now.getTime() + 30 * DAY)
  const departure = new Date(now.getTime() + 33 * DAY)
  const values = [`bench${String(number).padStart(19, '0')}`, `BN${number}`, unit, arrival, departure, now]
  const { rows: [stay] } = await database.query({ name: 'save', text: INSERT, values })
  await queue.add('generate_pin', { reservation: stay.id }, { jobId: `generate-${stay.id}`, delay: 30 * DAY })
  await queue.add('revoke_pin', { reservation: stay.id }, { jobId: `revoke-${stay.id}`, delay: 60 * DAY })
}

for (let number = 0; number < 20; number++) await save(number)
const started = performance.now()
for (let number = 20; number < 20 + count; number++) await save(number)
answer({ seconds: (performance.now() - started) / 1000 })
await queue.close()
connection.disconnect()
await database.end()
