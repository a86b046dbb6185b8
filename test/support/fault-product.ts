/**
 * A product for tests of interrupted work, on this machine, and ways to interrupt it: by its host's shell that is
 * killed at each write to the disk, by writes that fail, by a connection that is cut, by Ctrl-C twice.
 */
import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { loadCatalogue } from '../../lib/bootstrap/load.ts'
import type { Recipe } from '../../lib/recipe/recipe.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import { type LocalOptions, localHost, localIn } from './local-run.ts'

const run = promisify(execFile)

/** Its service is a script that notes which version it started; it needs no process. */
export const control = `#!/bin/sh
home=$(cd "$(dirname "$0")/../.." && pwd)
case $1 in
  start | restart) basename "$(readlink "$home/current")" >"$home/running" ;;
  stop) rm -f "$home/running" ;;
  status) test -f "$home/running" ;;
esac
`

/** It changes the config in both directions: only a copy brings back what was there. */
const upgrade = `set -eu
echo "$PREVIOUS_VERSION>$VERSION" >>"$HOME_DIR/scripts"
case $VERSION in
  2*) sed '/^legacy/d' "$CONFIG" >"$CONFIG.new" && cat "$CONFIG.new" >"$CONFIG" && rm "$CONFIG.new" ;;
esac
echo "; migrated to $VERSION" >>"$CONFIG"
`
const provision = `set -eu
grep -q 'of the operator' "$CONFIG" || printf '; of the operator, without a newline at its end\\nlegacy = yes' >>"$CONFIG"
`

const catalogue = (home: string) => `[server]
modes = provisioning, active, maintenance, upgrading
[role:app]
products = app, side
[product:app]
version = 1.0.0
keep_releases = 2
archive = releases/app-{version}.tar.gz
home = ${home}/app
config = ${home}/app.ini
service = {home}/current/bin/app
provision = provision
upgrade = upgrade
heartbeat = command:test ! -e {home}/sick && test "$(cat {home}/running)" = "$(basename "$(readlink {home}/current)")"
heartbeat_interval = 5ms
heartbeat_attempts = 2
[product:side]
version = 5
[setting:app:port]
type = integer
default = 8080
`

/** How a run is interrupted, and at which of its places. */
export interface Fault {
  kind: 'shell killed' | 'write fails' | 'connection cut' | 'Ctrl-C twice'
  /** From 1. */
  at: number
}

export type Product = Awaited<ReturnType<typeof faultProduct>>

/**
 * @param directory an empty one
 * @param recipes by the word that `start` takes
 */
export async function faultProduct(
  directory: string,
  recipes: Readonly<Record<string, [string, Recipe<never>]>>,
) {
  const place = localIn(directory)
  const home = join(directory, 'host')
  await mkdir(join(directory, 'x/releases'), { recursive: true })
  await mkdir(join(directory, 'bin'))
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
    const release = join(directory, version)
    await mkdir(join(release, 'bin'), { recursive: true })
    await writeFile(join(release, 'bin/app'), control, { mode: 0o755 })
    await run('tar', [
      '-czf',
      join(directory, `x/releases/app-${version}.tar.gz`),
      '-C',
      release,
      '.',
    ])
  }
  await writeFile(join(directory, 'x/upgrade'), upgrade)
  await writeFile(join(directory, 'x/provision'), provision)
  await writeFile(join(directory, 'x/bootstrap.ini'), catalogue(home))
  // Each write to the disk passes here: the place of a fault, and no wait for the disk.
  const fault = join(directory, 'fault')
  await writeFile(
    join(directory, 'bin/sync'),
    `#!/bin/sh
[ -f '${fault}' ] || exit 0
read -r kind left <'${fault}'
echo "$kind $((left - 1))" >'${fault}'
case $kind:$left in
  # The session's shell, which holds the lock.
  kill:1) read -r pid <'${home}/state/bootstrap.pid' && kill -9 "$pid" ;;
  fail:1 | fail:0) exit 1 ;;
esac
exit 0
`,
  )
  await chmod(join(directory, 'bin/sync'), 0o755)
  process.env.PATH = `${join(directory, 'bin')}:${process.env.PATH}`
  const loaded = await loadCatalogue(join(directory, 'x'))
  const host = {
    ...localHost('h1', directory, { role: 'app' }),
    bootstrapDir: join(home, 'state'),
  }
  const text = (name: string) => readFile(join(home, name), 'utf8').catch(() => undefined)

  /** Runs a recipe: `set port=1`. @returns whether the fault came to pass, and the error's code */
  const start = async (words: string, { kind, at }: Partial<Fault> = {}) => {
    const [word, ...rest] = words.split(' ')
    const args = argumentsOf(word!, rest)
    const [name, recipe] = recipes[word!]!
    const stopping = kind === 'Ctrl-C twice' ? stopAt(at!) : undefined
    const options: LocalOptions = {
      ...stopping?.options,
      name,
      recipe: recipe as never,
      args,
      hosts: [host],
      catalogue: () => loaded,
    }
    if (kind === 'shell killed' || kind === 'write fails')
      await writeFile(fault, `${kind === 'shell killed' ? 'kill' : 'fail'} ${at}\n`)
    const cut = kind === 'connection cut' ? cutAfter(at!) : undefined
    if (cut) options.connector = cut.connector
    const { outcomes } = await place.run(async () => {}, options)
    const left = Number((await readFile(fault, 'utf8').catch(() => '')).split(' ')[1] ?? 1)
    await rm(fault, { force: true })
    await lockFree(join(host.bootstrapDir, 'bootstrap.pid'))
    const { status, error } = outcomes[0]!
    return {
      status,
      code: error?.code,
      message: error?.message,
      hit: cut?.hit() ?? stopping?.hit() ?? left < 1,
    }
  }

  return {
    start,
    text,
    home,
    /** Keeps the host as it is now, and brings it back. */
    keep: async (name: string) => {
      await rm(join(directory, name), { recursive: true, force: true })
      await run('cp', ['-a', home, join(directory, name)])
    },
    reset: async (name: string) => {
      await rm(home, { recursive: true, force: true })
      await run('cp', ['-a', join(directory, name), home])
    },
    releases: async () => (await readdir(join(home, 'app/releases'))).sort(),
    /** What there is to see of the product. */
    look: async () => {
      const record = await text('state/products/app.ini')
      const files = await run('ls', [join(home, 'state/products')]).then(({ stdout }) =>
        stdout.trim().split('\n'),
      )
      return {
        current: (await readlink(join(home, 'app/current')).catch(() => '')).replace(
          'releases/',
          '',
        ),
        running: (await text('app/running'))?.trim(),
        recorded: /^version = (.*)/m.exec(record ?? '')?.[1],
        mode: /^mode = (.*)/m.exec((await text('state/server.ini')) ?? '')?.[1],
        config: await text('app.ini'),
        scripts: ((await text('app/scripts')) ?? '').split('\n').filter(Boolean),
        underWay: files.filter(name => name.endsWith('.intent')),
        files,
      }
    },
  }
}

function argumentsOf(word: string, rest: string[]): Record<string, unknown> {
  if (word === 'set') return { product: 'app', settings: rest }
  if (word === 'provision') return {}
  if (word === 'mode') return { mode: rest[0] }
  return { product: rest[1] ?? 'app', version: rest[0] }
}

/** Ctrl-C twice as soon as so many steps have begun. */
export function stopAt(steps: number): { options: LocalOptions; hit(): boolean } {
  const [stop, kill] = [new AbortController(), new AbortController()]
  let seen = 0
  const watch: LocalOptions['watch'] = event => {
    if (event.type !== 'step.start' || ++seen !== steps) return
    stop.abort()
    kill.abort()
  }
  return {
    hit: () => seen >= steps,
    options: {
      interrupts: {
        stop: stop.signal,
        kill: kill.signal,
        abandon: new AbortController().signal,
      },
      watch,
    },
  }
}

/** A connector whose connections end when the host has said so often that a step has ended. */
function cutAfter(ends: number): { connector: Connector; hit(): boolean } {
  const connector = createConnector({ acceptNew: false })
  let seen = 0
  return {
    hit: () => seen >= ends,
    connector: {
      ...connector,
      connect: async (host, options) => {
        const transport = await connector.connect(host, options)
        return {
          ...transport,
          open: async command => {
            const stream = await transport.open(command)
            const stdout = new PassThrough()
            stream.stdout.on('data', (chunk: Buffer) => {
              seen += chunk.toString('latin1').split(/^hw\w+ end /m).length - 1
              if (seen >= ends) transport.close()
              else stdout.write(chunk)
            })
            stream.stdout.on('close', () => stdout.end())
            return { ...stream, stdout }
          },
        }
      },
    },
  }
}

/** The shell of a run that was cut ends when its step has. */
async function lockFree(path: string): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    const pid = Number((await readFile(path, 'utf8').catch(() => '')).split('\n')[0])
    if (!pid) return
    const alive = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (alive === '' || / Z /.test(alive)) return
    await delay(5)
  }
  throw new Error('the lock is still held')
}
