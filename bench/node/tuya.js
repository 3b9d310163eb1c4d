// node tuya.js: a cloud in Tuya's shape that answers every call after 100 ms. Enough of it for a PIN's life:
// token, password ticket, create, read one, list. Tickets are wrapped as Tuya wraps them. GET /count tells what it saw.
import { createCipheriv, randomBytes } from 'node:crypto'
import http from 'node:http'
import { answer, stopWith } from './common.js'

const DELAY = 100
const secret = Buffer.from(process.env.TUYA_CLIENT_SECRET)
const pins = new Map()
const names = new Set()
const count = { created: 0, same_name: 0, read: 0, tokens: 0 }
let next = 1000

const wrap = (key) => {
  const cipher = createCipheriv('aes-256-ecb', secret, null)
  return Buffer.concat([cipher.update(key), cipher.final()]).toString('hex').toUpperCase()
}

const create = (device, body) => {
  const wish = JSON.parse(body)
  count.created++
  if (names.has(wish.name)) count.same_name++
  names.add(wish.name)
  const id = next++
  pins.set(`${device}/${id}`, {
    id, name: wish.name, phase: 2, effective_time: wish.effective_time, invalid_time: wish.invalid_time,
    phone: '', time_zone: '', schedule_list: [],
  })
  return { id }
}

const work = (method, path, body) => {
  if (path === '/v1.0/token') {
    count.tokens++
    return { access_token: 'bench-token', refresh_token: 'bench-refresh', expire_time: 7200, uid: 'bench' }
  }
  const [, device, rest] = path.match(/^\/v1\.0\/devices\/(\w+)\/door-lock\/(.*)$/) ?? []
  if (method === 'POST' && rest === 'password-ticket') {
    return { ticket_id: randomBytes(4).toString('hex'), ticket_key: wrap(randomBytes(16)), expire_time: 360 }
  }
  if (method === 'POST' && rest === 'temp-password') return create(device, body)
  if (method === 'GET' && rest?.startsWith('temp-password/')) {
    count.read++
    return pins.get(`${device}/${rest.slice(14)}`)
  }
  if (method === 'GET' && rest === 'temp-passwords') return [...pins].filter(([k]) => k.startsWith(`${device}/`)).map(([, v]) => v)
  return undefined
}

const envelope = (result) => JSON.stringify(
  result === undefined
    ? { code: 1108, msg: 'uri path invalid', success: false, t: Date.now(), tid: randomBytes(16).toString('hex') }
    : { result, success: true, t: Date.now(), tid: randomBytes(16).toString('hex') })

const server = http.createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const path = request.url.split('?')[0]
    response.setHeader('content-type', 'application/json')
    if (path === '/count') return response.end(JSON.stringify(count))
    setTimeout(() => response.end(envelope(work(request.method, path, Buffer.concat(chunks).toString()))), DELAY)
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.env.TUYA_PORT), '127.0.0.1', () => console.log('ready'))
stopWith(async () => server.closeAllConnections())
answer({ delay: DELAY })
