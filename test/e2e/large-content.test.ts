/**
 * Content of any size over its own channel: what a broken connection has left is not sent again.
 * @module-tag long
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventsOf } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const mebi = 1_048_576
const size = 40 * mebi
const content = randomBytes(size)
const sha256 = createHash('sha256').update(content).digest('hex')

const lab = labFor({ hosts: 1 })
const overlay = () => lab.status.kind === 'overlay'

/** A proxy to the host that counts what is sent to it, and breaks on request. */
interface Proxy {
  server: Server
  sent: number
  /** Break off after so many bytes. */
  breakAfter: number
}

let proxy: Proxy
let project: Project

beforeAll(async () => {
  const { ansible_host: address, ansible_port: port } = await lab.variables('lab1')
  proxy = { server: createServer(), sent: 0, breakAfter: Number.POSITIVE_INFINITY }
  proxy.server.on('connection', (near: Socket) => {
    const far = createConnection({ host: address!, port: Number(port), noDelay: true })
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    near.on('data', chunk => {
      proxy.sent += chunk.length
      if (proxy.sent > proxy.breakAfter) end()
    })
    near.pipe(far).pipe(near)
  })
  proxy.server.listen(0, '127.0.0.1')
  await once(proxy.server, 'listening')
  project = await projectFor(lab, {
    'recipes/image.ts': `import { directory, file, optional, recipe, string } from 'hostwright'
export default recipe({
  description: 'A large file',
  lock: true,
  args: { as: optional(string()) },
  async run({ converge, host, args }) {
    const place = \`\${host.root ?? ''}/srv/\${args.as ?? 'own'}\`
    await converge(
      directory(place, { owner: args.as, mode: 0o755 }),
      file(\`\${place}/image\`, { source: 'image', as: args.as }),
    )
  },
})
`,
  })
  await writeFile(project.path('image'), content)
  const through = (await lab.hosts())[0]!
  const inventory = await readFile(project.path('inventories/x/hosts.ini'), 'utf8')
  const { port: ownPort } = proxy.server.address() as AddressInfo
  await project.write(
    'inventories/x/hosts.ini',
    inventory
      .replaceAll(`ansible_host=${address}`, 'ansible_host=127.0.0.1')
      .replaceAll(`ansible_port=${port}`, `ansible_port=${ownPort}`)
      .replaceAll(
        `known_hosts_file=${through.knownHostsFile}`,
        `known_hosts_file=${project.path('known')}`,
      ),
  )
})

afterAll(() => {
  proxy?.server.close()
})

/** One run through the proxy, and how many bytes it sent. */
async function run(words: readonly string[] = [], breakAfter = Number.POSITIVE_INFINITY) {
  Object.assign(proxy, { sent: 0, breakAfter })
  const line = ['image', ...words, '-i', 'x', '--on', 'lab1', '--accept-new', '--output', 'json']
  const ended = await lab.run(line, { cwd: project.directory })
  return { ...ended, sent: proxy.sent, events: eventsOf(ended) as unknown as Event[] }
}

interface Event {
  type: string
  at: number
  title?: string
  status?: string
  done?: number
  total?: number
  error?: { code: string; message: string }
}

const path = (name: string) => lab.path('lab1', name)
const incoming = () => path(`/var/bootstrap/incoming/${sha256}`)
const onHost = (command: string) => lab.read('lab1', command)
const sumOf = async (name: string) => (await onHost(`sha256sum '${await path(name)}'`)).slice(0, 64)
const statusOf = ({ events }: { events: Event[] }) =>
  events.find(({ type, title }) => type === 'step.end' && title?.endsWith('/image'))?.status

/** The traffic of a run besides the content itself. */
const little = mebi / 2

describe('a large file', () => {
  test('is resumed after a broken connection, and is not sent twice', async () => {
    const broken = await run(['--reconnect', '0'], 15 * mebi)
    expect(broken.status, broken.stderr).toBe(3)
    // The host's shell notices by itself.
    const kept = Number(
      await onHost(
        `i=0; until [ -f '${await incoming()}' ]; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done; wc -c <'${await incoming()}'`,
      ),
    )
    expect(kept).toBeGreaterThan(8 * mebi)
    expect(kept).toBeLessThanOrEqual(15 * mebi)
    expect(
      await onHost(`stat -c %a '${await incoming()}' "$(dirname '${await incoming()}')"`),
    ).toBe('600\n700\n')

    const second = await run()
    expect(second.status, second.stdout).toBe(0)
    expect(statusOf(second)).toBe('changed')
    expect(await sumOf('/srv/own/image')).toBe(sha256)
    expect(second.sent).toBeLessThan(size - kept + little)
    expect(second.sent).toBeGreaterThan(size - kept)
    // The received content is not kept twice.
    expect(await onHost(`ls "$(dirname '${await incoming()}')"`)).toBe('')

    const third = await run()
    expect(statusOf(third)).toBe('ok')
    expect(third.sent).toBeLessThan(little)
  })

  test('reports its progress a few times a second', async () => {
    await onHost(`rm '${await path('/srv/own/image')}'`)
    const { events } = await run()
    const reports = events.filter(({ type }) => type === 'step.progress')
    expect(reports.at(0)).toMatchObject({ done: 0, total: size })
    expect(reports.at(-1)).toMatchObject({ done: size, total: size })
    const seconds = (reports.at(-1)!.at - reports.at(0)!.at) / 1000
    expect(reports.length).toBeLessThanOrEqual(4 * seconds + 3)
  })

  test('is sent again in full if the received part is damaged', async () => {
    await onHost(
      `rm '${await path('/srv/own/image')}'; head -c 10000000 /dev/zero >'${await incoming()}'`,
    )
    const repaired = await run()
    expect(repaired.status, repaired.stdout).toBe(0)
    expect(await sumOf('/srv/own/image')).toBe(sha256)
    expect(await onHost(`ls "$(dirname '${await incoming()}')"`)).toBe('')
  })

  test('that has arrived in full is used without sending it again', async () => {
    await onHost(`mv '${await path('/srv/own/image')}' '${await incoming()}'`)
    const used = await run()
    expect(statusOf(used)).toBe('changed')
    expect(used.sent).toBeLessThan(little)
    expect(await sumOf('/srv/own/image')).toBe(sha256)
  })

  test('goes through another user’s own directory for that user', async () => {
    // A user without a home directory.
    if (!overlay()) return expect(lab.status.kind).toBe('directory')
    const broken = await run(['nobody', '--reconnect', '0'], 15 * mebi)
    expect(broken.status).toBe(3)
    // Under a name that nobody knows before, so that no later run could find it: it goes.
    const gone = `! ls -d /var/tmp/hostwright-* 2>/dev/null`
    await onHost(`i=0; until ${gone}; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done`)
    const second = await run(['nobody'])
    expect(second.status, second.stdout).toBe(0)
    expect(await onHost('stat -c %U /srv/nobody/image')).toBe('nobody\n')
    expect(await sumOf('/srv/nobody/image')).toBe(sha256)
    await onHost(gone)
  })
})
