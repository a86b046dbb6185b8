/**
 * Templates against Ansible’s own, which are Jinja’s: what it writes, byte for byte, and whether it fails.
 * @module-tag ansible
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isBootstrapError } from '../../../lib/errors.ts'
import { evaluate, render } from '../../../lib/templates/engine.ts'
import { python } from '../../support/requires.ts'
import { settingOf, templateOf, variables } from './templates.ts'

const script = new URL('./jinja.py', import.meta.url).pathname
/** Ansible in one process, for all templates. */
function startAnsible() {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(kind: 'value' | 'file', text: string): Promise<Answer> {
      child.stdin.write(`${JSON.stringify({ as: kind, text, variables })}\n`)
      const { value } = await answers.next()
      return JSON.parse(value as string) as Answer
    },
    async end() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

let ansible: ReturnType<typeof startAnsible>
// Not where the test is skipped: there is none then.
beforeAll(() => {
  ansible = startAnsible()
})
afterAll(() => ansible.end())

interface Answer {
  made?: unknown
  error?: string
}

const scope = { lookup: (name: string) => variables[name] }

function ours(kind: 'value' | 'file', text: string): Answer {
  try {
    const made = (kind === 'value' ? evaluate : render)(text, scope, { file: 'x' })
    const plain = JSON.stringify(made, (_key, of) => (typeof of === 'bigint' ? Number(of) : of))
    return { made: JSON.parse(plain) }
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    return { error: error.message }
  }
}

let worked = 0

async function same(kind: 'value' | 'file', text: string): Promise<void> {
  const [expected, found] = [await ansible.ask(kind, text), ours(kind, text)]
  const shown = `${text}\nAnsible: ${JSON.stringify(expected)}\nours: ${JSON.stringify(found)}`
  if (expected.error === undefined) {
    worked++
    expect(found.error, shown).toBeUndefined()
    expect(found.made, shown).toStrictEqual(expected.made)
  } else expect(found.error, shown).toBeDefined()
}

const runs = Number(process.env.TEMPLATES ?? 200)
/** Always the same templates, unless SEED says others: what is wrong in one is not found by chance. */
const seed = Number(process.env.SEED ?? 1)

it(`writes what Ansible writes, of ${runs} templates (SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(templateOf, text => same('file', text)),
    { numRuns: runs / 2, seed },
  )
  await fc.assert(
    fc.asyncProperty(settingOf, text => same('value', text)),
    { numRuns: runs / 2, seed },
  )
  // Else only errors were compared.
  expect(worked).toBeGreaterThan(runs / 2)
})
