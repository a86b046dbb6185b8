/**
 * The lab on this machine, in every combination of kind and server that the machine can have: always
 * a directory with the embedded server, the others where there is root, overlay or sshd.
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LabHost, type LabStatus, labDown, labStatus, labUp } from '../../lib/lab/lab.ts'
import { identify, marker } from '../../lib/lab/processes.ts'
import { findSshd } from '../../lib/lab/sshd.ts'
import { describeEach } from '../support/shells.ts'
import { on, variables } from '../support/ssh.ts'

const base = await mkdtemp(join(tmpdir(), 'hostwright-test-'))
afterAll(() => rm(base, { recursive: true, force: true }))

const kinds = ['overlay', 'directory'] as const
const servers = ['openssh', 'embedded'] as const
const combinations = kinds.flatMap(kind =>
  servers.map(server => ({
    name: `of kind ${kind} with the ${server} server`,
    ...{ kind, server },
    tags: [
      ...(kind === 'overlay' ? (['overlay'] as const) : []),
      ...(server === 'openssh' ? (['sshd'] as const) : []),
    ],
  })),
)

/** The JSON answer of a URL. */
function fetchJson(url: string): Promise<{ status?: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, async response => {
      resolve({ status: response.statusCode, body: JSON.parse(await text(response)) })
    }).on('error', reject)
  })
}

/** Everything of a lab that could be left: processes by their mark, mounts, files, borrowed /run/sshd. */
async function traces(directory: string): Promise<string[]> {
  const found: string[] = []
  if (existsSync(directory)) found.push(directory)
  if (process.platform !== 'linux') return found
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environ.includes(`${marker}=${directory}/`)) found.push(`process ${pid}`)
  }
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  if (mounts.includes(directory)) found.push('a mount')
  return found
}

describeEach(combinations, 'a lab $name', ({ kind, server }) => {
  const directory = join(base, `${kind}-${server}`)
  let lab: LabStatus
  /** Where a path of the host is written, by what its inventory says. */
  const inHost = async (host: string, path: string) =>
    `${(await variables(directory, host)).root ?? ''}${path}`

  beforeAll(async () => {
    lab = await labUp({ hosts: 3, directory, kind, server })
  })
  afterAll(() => labDown({ directory }))

  test('answers on each host of its inventory', async () => {
    expect(lab).toMatchObject({ directory, kind, server })
    const answers = await Promise.all(
      lab.hosts.map(host => on(directory, host.name, 'hostname 2>/dev/null || cat /etc/hostname')),
    )
    expect(answers.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      lab.hosts.map(() => ({ status: 0, stderr: '' })),
    )
    if (kind === 'overlay') {
      expect(answers.map(({ stdout }) => stdout)).toEqual(['lab1\n', 'lab2\n', 'lab3\n'])
    }
  })

  test('keeps output, errors, input and exit status separate and exact', async () => {
    const command = 'cat; echo err >&2; exit 7'
    expect(await on(directory, 'lab1', command, 'a\nb')).toEqual({
      status: 7,
      stdout: 'a\nb',
      stderr: 'err\n',
    })
    const size = await on(directory, 'lab1', 'wc -c', 'x'.repeat(3_000_000))
    expect(size.stdout.trim()).toBe('3000000')
    const big = await on(directory, 'lab1', 'head -c 3000000 /dev/zero')
    expect(big.stdout.length).toBe(3_000_000)
  })

  test('lets commands be interrupted: no signal is ignored', async () => {
    const { stdout } = await on(directory, 'lab1', `sh -c 'trap "echo caught" INT; kill -INT $$'`)
    expect(stdout).toBe('caught\n')
  })

  test('hides a file of one host from the machine and from the other hosts', async () => {
    const path = await inHost('lab1', '/etc/hostwright-test')
    expect((await on(directory, 'lab1', `echo x >${path} && cat ${path}`)).stdout).toBe('x\n')
    expect(existsSync('/etc/hostwright-test')).toBe(false)
    const other = await inHost('lab2', '/etc/hostwright-test')
    expect((await on(directory, 'lab2', `cat ${other}`)).status).toBe(1)
  })

  test('lists its running hosts, and can’t be started twice', async () => {
    expect(await labStatus({ directory })).toEqual(lab)
    await expect(labUp({ hosts: 1, directory, kind, server })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('a lab is already running'),
    })
    expect(lab.hosts.every((host: LabHost) => host.pid > 0)).toBe(true)
  })

  test('runs deepfiler: starts, answers, reloads, upgrades and stops', async () => {
    const known = await variables(directory, 'lab1')
    const home = await inHost('lab1', '/opt/deepfiler')
    const config = await inHost('lab1', '/etc/deepfiler.ini')
    const at = `${known.deepfiler_address}:${known.deepfiler_port}`
    const run = async (command: string, input: Buffer | string = '') => {
      const result = await on(directory, 'lab1', command, input as string)
      return `${result.status} ${result.stdout}${result.stderr}`.trim()
    }
    const install = async (version: string) => {
      const archive = await readFile(join(directory, `releases/deepfiler-${version}.tar.gz`))
      const into = `${home}/releases/${version}`
      const unpack = `mkdir -p ${into} && tar -xzf - -C ${into}`
      expect(await run(`${unpack} && ln -sfn releases/${version} ${home}/current`, archive)).toBe(
        '0',
      )
    }
    const service = (action: string) => run(`${home}/current/bin/deepfiler ${action}`)
    const configure = (workers: string) =>
      run(
        `cat >${config}`,
        `[server]\naddress = ${known.deepfiler_address}\nport = ${known.deepfiler_port}\nworkers = ${workers}\n`,
      )

    await install('1.0.0')
    await run(`echo ${known.node} >${home}/node; echo ${config} >${home}/config`)
    await configure('3')
    expect(await service('status')).toBe('3 deepfiler is stopped')
    expect(await service('start')).toMatch(/^0 deepfiler started/)
    expect(await fetchJson(`http://${at}/heartbeat`)).toEqual({
      status: 200,
      body: { status: 'ok', product: 'deepfiler', version: '1.0.0', workers: 3 },
    })
    await configure('65')
    expect(await service('reload')).toMatch(/^1 .*workers must be a whole number, 1 to 64, not 65/)
    await configure('5')
    expect(await service('reload')).toBe('0 deepfiler reloaded')
    expect((await fetchJson(`http://${at}/heartbeat`)).body.workers).toBe(5)
    await install('1.1.0')
    expect(await service('restart')).toMatch(/^0 .*deepfiler started/s)
    const upgraded = await fetchJson(`http://${at}/heartbeat`)
    expect(upgraded.body).toMatchObject({ version: '1.1.0', uptimeSeconds: expect.any(Number) })
    // As when a run is killed while it starts it, and the next one starts it too: the loser removed the winner's pid file, and
    // nobody could start or stop it any more.
    await Promise.all([service('restart'), service('restart'), service('restart')])
    expect(await service('status')).toMatch(/^0 deepfiler is running/)
    expect(await service('stop')).toBe('0 deepfiler stopped')
    await expect(fetchJson(`http://${at}/heartbeat`)).rejects.toThrow()
    expect(await service('start')).toMatch(/^0 deepfiler started/)
    await install('1.0.1-broken')
    expect(await service('restart')).toMatch(/^0 .*deepfiler started/s)
    const broken = await fetchJson(`http://${at}/heartbeat`)
    expect(broken).toMatchObject({
      status: 503,
      body: { status: 'failing', version: '1.0.1-broken' },
    })
    expect(await service('stop')).toBe('0 deepfiler stopped')
    await expect(fetchJson(`http://${at}/heartbeat`)).rejects.toThrow('ECONNREFUSED')
    // Left running for `lab down` to end.
    expect(await service('start')).toMatch(/^0 deepfiler started/)
  })

  test('stops and leaves no process, mount or file, even if stopped twice', async () => {
    const before = await Promise.all(lab.hosts.map(host => identify(host.pid)))
    expect(before).not.toContain(undefined)
    expect(await labDown({ directory })).toBe(lab.hosts.length)
    expect(await traces(directory)).toEqual([])
    expect(await Promise.all(lab.hosts.map(host => identify(host.pid)))).toEqual(
      lab.hosts.map(() => undefined),
    )
    expect(await labDown({ directory })).toBe(0)
    expect(await labStatus({ directory })).toBeUndefined()
  })
})

describe('a lab that can’t start', () => {
  const directory = join(base, 'broken')
  const path = process.env.PATH
  afterEach(() => {
    process.env.PATH = path
  })

  test('reports the output of its server, and leaves nothing behind', async () => {
    // An sshd that ends at once, found first.
    const bin = await mkdtemp(join(base, 'bin-'))
    await writeFile(
      join(bin, 'sshd'),
      '#!/bin/sh\n[ "$1" = -D ] || exit 0\necho no luck >&2\nexit 1\n',
    )
    await chmod(join(bin, 'sshd'), 0o755)
    process.env.PATH = `${bin}:${path}`
    await expect(
      labUp({ hosts: 2, directory, kind: 'directory', server: 'openssh' }),
    ).rejects.toMatchObject({
      code: 'lab_failed',
      message: 'lab1 did not start: its server exited',
      details: { output: 'no luck' },
    })
    expect(await traces(directory)).toEqual([])
  })

  test('uses the embedded server if sshd refuses the login', async () => {
    const sshd = await findSshd()
    const bin = await mkdtemp(join(base, 'bin-'))
    // As for an account that is locked. Without an sshd there is nothing to fall back from.
    if (sshd !== undefined) {
      await writeFile(join(bin, 'sshd'), `#!/bin/sh\nexec '${sshd}' "$@" -o 'DenyUsers *'\n`)
      await chmod(join(bin, 'sshd'), 0o755)
      process.env.PATH = `${bin}:${path}`
    }
    const lines: string[] = []
    const onProgress = (line: string) => lines.push(line)
    const lab = await labUp({ hosts: 1, directory, kind: 'directory', onProgress })
    expect(lab).toMatchObject({ server: 'embedded', hosts: [{ ready: true }] })
    if (sshd !== undefined) {
      expect(lines).toContain('using the embedded server: lab1 did not start: it refuses the login')
    }
    await labDown({ directory })
    expect(await traces(directory)).toEqual([])
  })
})
