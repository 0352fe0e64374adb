// What node's http2 client sees of a server, as one line of JSON.
//
//   node http2_client.js AUTHORITY push | refuse | nopush | few | elsewhere | hints | ping | settings | goaway | connect
'use strict'
const http2 = require('node:http2')

const [authority, what] = process.argv.slice(2)
const session = http2.connect(authority, {
  rejectUnauthorized: false,
  settings: { enablePush: what !== 'nopush', initialWindowSize: 123456, maxConcurrentStreams: what === 'few' ? 2 : 100 },
})
const seen = { pushes: [], hints: [], origins: [], services: [] }

function ask(path, headers = {}) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ...headers })
    const answer = { body: '' }
    stream.setEncoding('utf8')
    stream.on('headers', (fields) => seen.hints.push({ status: fields[':status'], link: fields.link }))
    stream.on('response', (fields) => Object.assign(answer, { status: fields[':status'], pushed: fields['x-pushed'] }))
    stream.on('data', (chunk) => (answer.body += chunk))
    stream.on('end', () => resolve(answer))
    stream.on('error', reject)
    stream.end()
  })
}

session.on('stream', (stream, request) => {
  const push = { path: request[':path'], method: request[':method'], accept: request.accept, body: '' }
  seen.pushes.push(push)
  if (what === 'refuse') {
    stream.on('error', () => {})
    return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
  }
  stream.setEncoding('utf8')
  stream.on('push', (response) => (push.status = response[':status']))
  stream.on('data', (chunk) => (push.body += chunk))
  stream.on('end', () => (push.ended = true))
})
session.on('origin', (origins) => seen.origins.push(...origins))
session.on('altsvc', (value, origin, stream) => seen.services.push({ value, origin, stream }))
session.on('goaway', (code, last, data) => (seen.goaway = { code, last, data: data ? data.toString() : '' }))
session.on('remoteSettings', (settings) => (seen.settings = settings))
session.on('error', (error) => (seen.error = error.code))

const soon = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function run() {
  switch (what) {
    case 'push': case 'refuse': case 'nopush':
      seen.answer = await ask('/push')
      await soon(200)
      seen.again = await ask('/hello')
      break
    case 'few':
      seen.answer = await ask('/push?n=5')
      await soon(200)
      break
    case 'elsewhere':
      await ask('/connection/elsewhere')
      break
    case 'hints':
      seen.answer = await ask('/early-hints')
      break
    case 'ping':
      seen.connection = JSON.parse((await ask('/connection')).body)
      await new Promise((resolve) => session.ping((error, time) => resolve((seen.time = error ? -1 : time))))
      break
    case 'settings':
      await ask('/connection/settings?streams=7&window=70000&connection=2000000')
      await soon(200)
      seen.state = session.state
      break
    case 'goaway': {
      const slow = ask('/slow?ms=400')
      await ask('/connection/goaway')
      seen.slow = await slow
      await soon(100)
      break
    }
    case 'connect': {
      const stream = session.request({ ':method': 'CONNECT', ':authority': 'echo.example:7' })
      await new Promise((resolve) => stream.on('response', (fields) => resolve((seen.status = fields[':status']))))
      stream.setEncoding('utf8')
      let answer = ''
      stream.on('data', (chunk) => (answer += chunk))
      stream.end('through the tunnel')
      await new Promise((resolve) => stream.on('end', resolve))
      seen.tunnel = answer
      break
    }
  }
  console.log(JSON.stringify(seen))
  session.destroy()
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
