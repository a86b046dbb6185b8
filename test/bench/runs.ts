/** A thousand journals, as a year of runs leaves them, for `hostwright runs`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { thisController } from '../../lib/controller.ts'
import { encodeRecord } from '../../lib/rollout/journal/codec.ts'
import { journalFile } from '../../lib/rollout/journal/files.ts'
import type { AttemptRecord, JournalRecord } from '../../lib/rollout/journal/record.ts'
import { type Figure, ms } from './figures.ts'
import { inTurn, measure } from './measure.ts'
import { cli } from './ours.ts'

const howMany = 1000
const limitMs = 200

/** @throws if `runs` shows fewer */
export async function runsFigure(rounds: number): Promise<Figure> {
  const state = mkdtempSync(join(tmpdir(), 'hostwright-runs-'))
  try {
    writeJournals(join(state, 'hostwright', 'runs'))
    const env = { ...process.env, XDG_STATE_HOME: state }
    const node = process.execPath
    const { ours, empty } = await inTurn(2 * rounds + 1, {
      empty: () => measure(node, ['-e', '0']),
      ours: async () => {
        const result = await measure(node, [cli, 'runs'], { cwd: tmpdir(), env })
        if (result.stdout.split('\n').length < howMany) throw new Error('not all runs are shown')
        return result
      },
    })
    return {
      what: `i: hostwright runs over ${howMany} runs`,
      ours,
      peer: 'node -e 0',
      theirs: empty,
      wanted: `≤ ${ms(limitMs)}`,
      met: ours.wallMs <= limitMs,
    }
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

function writeJournals(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const hosts = Array.from({ length: 20 }, (_, index) => `web${index + 1}`)
  for (let number = 0; number < howMany; number++) {
    const at = Date.UTC(2026, 0, 1) + number * 3_600_000
    const stamp = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
    const run = `${stamp}-${number.toString(16).padStart(6, '0')}`
    const text = recordsOf(run, at, hosts).map((record, index) =>
      encodeRecord(run, index + 1, record),
    )
    writeFileSync(join(directory, journalFile(run, 'apply')), text.join(''), { mode: 0o600 })
  }
}

function recordsOf(run: string, at: number, hosts: readonly string[]): JournalRecord[] {
  const counts = { ok: 3, changed: 1, failed: 0, unknown: 0, skipped: 0 }
  const first: AttemptRecord = {
    at,
    type: 'attempt',
    attempt: 1,
    run,
    kind: 'apply',
    recipe: 'product.upgrade',
    environment: 'production',
    owner: 'alice',
    version: '0.1.0',
    controller: thisController(),
    args: { product: 'app', version: '1.2.3' },
    asked: { command: 'product.upgrade', words: [], options: { on: 'web' }, cwd: '/srv/site' },
    code: Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`tasks/part${index}.ts`, 'a'.repeat(64)]),
    ),
    batches: [hosts],
  }
  return [
    first,
    ...hosts.flatMap((host): JournalRecord[] => [
      { at, type: 'host.start', host },
      { at, type: 'host.end', host, status: 'changed', counts, durationMs: 900, roundTrips: 2 },
    ]),
    { at, type: 'run.end', attempt: 1, exitCode: 0, durationMs: 9, statuses: { changed: 20 } },
  ]
}
