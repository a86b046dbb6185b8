/** What exec passes on, and where the rest of a run’s output is. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startHostwright } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'

const lab = labFor({ hosts: 1 })
const env = () => ({ HOSTWRIGHT_LAB: lab.directory, XDG_STATE_HOME: join(lab.scratch, 'state') })

test('exec passes on every byte unchanged', async () => {
  const { child, ended } = startHostwright(
    [
      'exec',
      '-i',
      'lab',
      '--on',
      'lab1',
      '--',
      String.raw`i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i+1)); done; printf '\303'`,
    ],
    { env: env(), cwd: lab.scratch },
  )
  const chunks: Buffer[] = []
  // The collected text is decoded; this is the raw output.
  child.stdout!.setEncoding('latin1')
  child.stdout!.on('data', (text: string) => chunks.push(Buffer.from(text, 'latin1')))
  expect((await ended).status).toBe(0)
  const expected = Buffer.from([...Array(256).keys(), 0o303])
  expect(Buffer.concat(chunks).equals(expected)).toBe(true)
})

test('a failed run names its log, which contains the complete output of its steps', async () => {
  const words = ['exec', '-i', 'lab', '--on', 'lab1', '--', 'seq 20000; exit 3']
  const { status, stderr } = await lab.run(words, { env: env() })
  expect(status).toBe(4)
  const log = /^Log of the run: (.*)$/m.exec(stderr)![1]!
  expect(log.startsWith(join(lab.scratch, 'state/hostwright/runs/'))).toBe(true)
  expect(statSync(log).mode & 0o777).toBe(0o600)
  const events = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(events[0]).toMatchObject({ type: 'run.start', recipe: 'exec' })
  expect(events.at(-1)).toMatchObject({ type: 'run.end', exitCode: 4 })
  const printed = events
    .flatMap(({ type, text }) => (type === 'step.output' ? [text] : []))
    .join('')
  expect(printed).toBe([...Array(20_000).keys()].map(at => `${at + 1}\n`).join(''))
})

test('a run with --log none writes no log and mentions none', async () => {
  const words = ['exec', '-i', 'lab', '--on', 'lab1', '--log', 'none', '--', 'exit 3']
  const { status, stderr } = await lab.run(words, { env: env() })
  expect({ status, log: stderr.includes('Log of the run') }).toEqual({ status: 4, log: false })
})
