/**
 * deepfiler: hostwright's example product, a small HTTP service.
 *
 *     node server.mjs check FILE                    is FILE a valid config?
 *     node server.mjs serve --config=FILE --ready=FILE --home=DIRECTORY
 *
 * `--ready` names the file that says how the last start or reload went: `ok`, or `error: …`.
 * SIGHUP reads the config again and, if it is valid, uses it without dropping a connection.
 * SIGTERM ends the service. `--home` is how the control script knows its own process.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { isIP } from 'node:net'

const version = readFileSync(new URL('VERSION', import.meta.url), 'utf8').trim()
const levels = ['error', 'warn', 'info', 'debug']
const health = { status: 'ok', code: 200 }

const whole = (low, high) => value => {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= low && number <= high))
    throw new Error(`must be a whole number, ${low} to ${high}`)
  return number
}
const address = value => {
  if (isIP(value) === 0) throw new Error('must be an IP address')
  return value
}
const level = value => {
  if (!levels.includes(value)) throw new Error(`must be one of ${levels.join(', ')}`)
  return value
}

/** The keys of section [server]: how each is read, and its default. */
const keys = {
  address: { read: address, default: '127.0.0.1' },
  port: { read: whole(1, 65535), default: 8080 },
  workers: { read: whole(1, 64), default: 4 },
  log_level: { read: level, default: 'info' },
}

/** The config in `text`; throws one error that lists every fault with its line. */
function parseConfig(text) {
  const config = Object.fromEntries(
    Object.entries(keys).map(([key, { default: value }]) => [key, value]),
  )
  const seen = new Set()
  const faults = []
  const setKey = (key, value, fault) => {
    if (!Object.hasOwn(keys, key)) {
      fault(`unknown key ${key}; the keys are ${Object.keys(keys).join(', ')}`)
    } else if (seen.has(key)) fault(`${key} is set twice`)
    else {
      seen.add(key)
      try {
        config[key] = keys[key].read(value)
      } catch (error) {
        fault(`${key} ${error.message}, not ${value || 'nothing'}`)
      }
    }
  }
  let section = ''
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim()
    const fault = message => void faults.push(`line ${index + 1}: ${message}`)
    const header = /^\[(.*)\]$/.exec(line)
    const pair = /^([^=]*?)\s*=\s*(.*)$/.exec(line)
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return
    if (header) {
      section = header[1].trim()
      if (section !== 'server') fault(`unknown section [${section}]; there is only [server]`)
    } else if (!pair) fault(`neither [section] nor key = value: ${line}`)
    else if (section === 'server') setKey(pair[1], pair[2], fault)
    else if (section === '') fault(`${pair[1]} stands outside of [server]`)
  })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return config
}

/** The config in `file`; every line of the error names the file. */
function readConfig(file) {
  try {
    return parseConfig(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(
      error.message
        .split('\n')
        .map(line => `${file}: ${line}`)
        .join('\n'),
    )
  }
}

function serve({ config: file, ready }) {
  let config = readConfig(file)
  let listener

  const log = (severity, message) => {
    if (levels.indexOf(severity) > levels.indexOf(config.log_level)) return
    process.stdout.write(`${new Date().toISOString()} ${severity} ${message}\n`)
  }
  /** Renamed into place, so that the control script never reads half of it. */
  const report = text => {
    writeFileSync(`${ready}.${process.pid}`, `${text}\n`)
    renameSync(`${ready}.${process.pid}`, ready)
  }

  const heartbeat = () => ({
    status: health.status,
    product: 'deepfiler',
    version,
    workers: config.workers,
    uptimeSeconds: Math.floor(process.uptime()),
  })
  const answer = (request, response) => {
    const { pathname } = new URL(request.url, 'http://deepfiler')
    const [code, type, body] =
      pathname === '/heartbeat'
        ? [health.code, 'application/json', JSON.stringify(heartbeat())]
        : pathname === '/'
          ? [200, 'text/plain', `deepfiler ${version}`]
          : [404, 'text/plain', 'not found']
    log('debug', `${request.method} ${pathname} ${code}`)
    response.writeHead(code, { 'content-type': `${type}; charset=utf-8` }).end(`${body}\n`)
  }

  const listen = ({ address, port }) =>
    new Promise((resolve, reject) => {
      const server = createServer(answer)
      server.once('error', reject)
      server.listen(port, address, () => resolve(server))
    })

  const reload = async () => {
    try {
      const next = readConfig(file)
      if (next.address !== config.address || next.port !== config.port) {
        const old = listener
        listener = await listen(next)
        old.close()
        old.closeIdleConnections()
      }
      config = next
      log('info', `reloaded: ${config.workers} workers on ${config.address}:${config.port}`)
      report('ok')
    } catch (error) {
      log('error', `not reloaded: ${error.message}`)
      report(`error: ${error.message}`)
    }
  }

  // One reload at a time, in the order in which they were asked for.
  let reloading = Promise.resolve()
  process.on('SIGHUP', () => {
    reloading = reloading.then(reload)
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      log('info', 'stopping')
      rmSync(ready, { force: true })
      process.exit(0)
    })
  }

  return listen(config).then(server => {
    listener = server
    log(
      'info',
      `deepfiler ${version}: ${config.workers} workers on ${config.address}:${config.port}`,
    )
    report('ok')
  })
}

const [command, ...rest] = process.argv.slice(2)
try {
  if (command === 'check' && rest.length === 1) readConfig(rest[0])
  else if (command === 'serve') {
    await serve(Object.fromEntries(rest.map(option => /^--(\w+)=(.*)$/s.exec(option).slice(1))))
  } else
    throw new Error(
      'usage: server.mjs check FILE | serve --config=FILE --ready=FILE --home=DIRECTORY',
    )
} catch (error) {
  process.stderr.write(`deepfiler: ${error.message.replaceAll('\n', '\ndeepfiler: ')}\n`)
  process.exit(1)
}
