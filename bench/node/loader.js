// node loader.js URL SECONDS CONNECTIONS: unique signed events over kept-alive connections, each waiting for its answer.
// The same loader for every server; bounded in time.
import { createHmac, randomBytes } from 'node:crypto'
import http from 'node:http'
import { answer } from './common.js'

const [target, seconds, connections] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const url = new URL(target)
if (url.hostname !== '127.0.0.1') throw new Error('this loader only talks to 127.0.0.1')
const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
const secret = process.env.STAYS_WEBHOOK_SECRET

const body = () => Buffer.from(JSON.stringify({
  action: 'reservation.modified',
  _dt: new Date().toISOString(),
  payload: {
    _id: randomBytes(12).toString('hex'), id: 'BN01J', type: 'booked', currency: 'BRL',
    checkInDate: '2027-01-10', checkInTime: '15:00', checkOutDate: '2027-01-14', checkOutTime: '11:00',
    _idlisting: '6908f6db00000000000000a1', _idclient: '5d2e8ddf01b0bb1178c30dae', guests: 2, internalNote: 'x'.repeat(200),
    guestsDetails: { adults: 2, children: 0, infants: 0, list: [{ name: 'Ada Lovelace', type: 'adult', primary: true }] },
    price: { currency: 'BRL', _f_expected: 1500, _f_total: 1650 }, partner: { _id: '5d2e8ddf', name: 'Booking.com' },
  },
}))

const post = () => new Promise((resolve, reject) => {
  const content = body()
  const signature = createHmac('sha256', secret).update(content).digest('hex')
  const headers = {
    'content-type': 'application/json', 'content-length': content.length, 'x-stays-signature': `sha256=${signature}`,
    'user-agent': 'stays-webhooks/1.0', 'x-stays-client-id': '',
  }
  const started = performance.now()
  const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
    response.resume()
    response.on('end', () => resolve([response.statusCode, performance.now() - started]))
  })
  request.on('error', reject)
  request.end(content)
})

const run = async (until, into) => {
  while (performance.now() < until) {
    try {
      const [status, took] = await post()
      if (status === 200) into.took.push(took)
      else into.refused++
    } catch {
      into.failed++
    }
  }
}

const phase = async (length) => {
  const into = { took: [], refused: 0, failed: 0 }
  const started = performance.now()
  await Promise.all(Array.from({ length: connections }, () => run(started + length * 1000, into)))
  return { ...into, seconds: (performance.now() - started) / 1000 }
}

await phase(Math.min(2, seconds / 4)) // warm up
const cpu = process.cpuUsage()
const { took, refused, failed, seconds: elapsed } = await phase(seconds)
took.sort((a, b) => a - b)
const at = (share) => took[Math.min(took.length - 1, Math.ceil(took.length * share) - 1)] ?? null
const spent = process.cpuUsage(cpu)
answer({
  per_second: took.length / elapsed, p50: at(0.5), p99: at(0.99), refused, failed,
  loader_cpu: (spent.user + spent.system) / 1e6 / elapsed,
})
agent.destroy()
