/**
 * `npm run bench`: what docs/performance.md shows. Each figure is a ratio of two whole processes, or
 * sets of them, measured in turn in the same run: machines are noisy, their ratios less so.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Host } from '../../lib/inventory/inventory.ts'
import { parseInventory } from '../../lib/inventory/parse.ts'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { quote } from '../../lib/shell/quote.ts'
import { formatTable } from '../../lib/ui/table.ts'
import { median, time } from './measure.ts'

const hostCount = 20
const rounds = 7
const cli = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url))
const project = fileURLToPath(new URL('.', import.meta.url))

const directory = mkdtempSync(join(tmpdir(), 'hostwright-bench-'))
const lab = join(directory, 'lab')
const env = { ...process.env, HOSTWRIGHT_LAB: lab }

/** `ssh host true` on every host at once, started by xargs: nothing does it with less. */
async function sshTrue(hosts: readonly Host[]): Promise<number> {
  const { port, user, privateKeyFile, knownHostsFile } = hosts[0]!
  const ssh = [
    'ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o',
    quote(`UserKnownHostsFile=${knownHostsFile}`),
    ...['-i', quote(privateKeyFile!), '-p', String(port), '-l', user!],
  ].join(' ')
  const addresses = hosts.map(({ address }) => address).join(' ')
  const line = `printf '%s\\n' ${addresses} | xargs -P ${hosts.length} -I '{}' ${ssh} '{}' true`
  return (await time('sh', ['-c', line])).wallMs
}

/** The recipe on every host; wall time and the most round trips of a host. */
async function recipe(
  round: number,
): Promise<{ wallMs: number; roundTrips: number; changed: number }> {
  const { wallMs, stdout } = await time(
    process.execPath,
    [
      cli,
      'thirty',
      String(round),
      '--on',
      'all',
      '-i',
      lab,
      '--output',
      'json',
      '--forks',
      String(hostCount),
    ],
    { cwd: project, env },
  )
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, never>)
  const ends = events.filter(event => event.type === ('host.end' as never)) as unknown as {
    roundTrips: number
    counts: { changed: number }
  }[]
  return {
    wallMs,
    roundTrips: Math.max(...ends.map(end => end.roundTrips)),
    changed: ends.reduce((sum, end) => sum + end.counts.changed, 0),
  }
}

const ms = (value: number) => `${Math.round(value)} ms`

async function bench(): Promise<string[][]> {
  const status = await labUp({ hosts: hostCount, directory: lab })
  const { hosts } = parseInventory(readFileSync(join(lab, 'hosts.ini'), 'utf8'), {
    file: join(lab, 'hosts.ini'),
    environment: 'lab',
  })
  process.stderr.write(
    `${hostCount} hosts, ${status.kind}, ${status.server}, Node ${process.version}\n`,
  )
  const rows: string[][] = []
  const add = (what: string, ours: number[], theirs: number[], peer: string, target: number) => {
    const ratio = median(ours) / median(theirs)
    rows.push([
      what,
      ms(median(ours)),
      peer,
      ms(median(theirs)),
      ratio.toFixed(2),
      `≤ ${target}`,
      ratio <= target ? 'yes' : 'NO',
    ])
  }

  let round = 0
  await recipe(round)
  await sshTrue(hosts)
  const unchanged: number[] = []
  const changed: number[] = []
  const plain: number[] = []
  let roundTrips = 0
  for (let turn = 0; turn < rounds; turn++) {
    plain.push(await sshTrue(hosts))
    const same = await recipe(round)
    if (same.changed !== 0) throw new Error(`${same.changed} steps changed in an unchanged run`)
    unchanged.push(same.wallMs)
    roundTrips = Math.max(roundTrips, same.roundTrips)
    const other = await recipe(++round)
    if (other.changed !== 30 * hostCount)
      throw new Error(`${other.changed} steps changed, not all ${30 * hostCount}`)
    changed.push(other.wallMs)
  }
  const peer = `ssh host true × ${hostCount}`
  add(`(a) 30 unchanged resources × ${hostCount} hosts`, unchanged, plain, peer, 0.8)
  add(`(b) 30 changed resources × ${hostCount} hosts`, changed, plain, peer, 2)
  rows.push([
    '(c) round trips of (a)',
    String(roundTrips),
    '',
    '',
    '',
    '≤ 2',
    roundTrips <= 2 ? 'yes' : 'NO',
  ])

  const help: number[] = []
  const empty: number[] = []
  for (let turn = 0; turn < 15; turn++) {
    empty.push((await time(process.execPath, ['-e', '0'])).wallMs)
    help.push((await time(process.execPath, [cli, '--help'], { cwd: tmpdir() })).wallMs)
  }
  add('(d) hostwright --help', help, empty, 'node -e 0', 2.5)
  return rows
}

try {
  const rows = await bench()
  process.stdout.write(
    `${formatTable(['WHAT', 'TIME', 'PEER', 'TIME', 'RATIO', 'WANTED', 'MET'], rows, {})}\n`,
  )
} finally {
  await labDown({ directory: lab })
  rmSync(directory, { recursive: true, force: true })
}
