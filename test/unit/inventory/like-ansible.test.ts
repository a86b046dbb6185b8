/**
 * Ansible’s own reader beside ours: `ansible-inventory --list` and `ansible HOST -m debug -a var=NAME` for each
 * variable of each host. Its answers for the projects are recorded, for machines without it; record them again with
 * HOSTWRIGHT_RECORD=1.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isBootstrapError } from '../../../lib/errors.ts'
import { listInventory } from '../../../lib/inventory/listed.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { asNumber, isFloat, reprFloat } from '../../../lib/templates/values.ts'
import { shapes } from '../../support/inventory/generated.ts'
import { projects } from '../../support/inventory/projects.ts'
import { formats, type Shape } from '../../support/inventory/shapes.ts'
import { python } from '../../support/requires.ts'

type Answer =
  | { failed: string }
  | { list: unknown; values: Record<string, Record<string, { value?: unknown; failed?: string }>> }

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hostwright-like-ansible-'))
})
afterAll(() => rm(root, { recursive: true }))

interface Case {
  name: string
  sources: string[]
  project: string
}

/** Writes an inventory into a project of its own. */
async function write(name: string, shape: Shape, format: keyof typeof formats): Promise<Case> {
  const project = join(root, name.replace(/\W+/g, '-'))
  const directory = join(project, 'inventory')
  const own = formats[format](shape)
  for (const [path, text] of Object.entries({ ...own, ...shape.files })) {
    const file = join(directory, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    if (path.endsWith('.sh')) await chmod(file, 0o755)
  }
  return { name, project, sources: Object.keys(own).map(path => join(directory, path)) }
}

/** Of all cases, by one process. */
function askAnsible(cases: readonly Case[]): Promise<Answer[]> {
  const program = fileURLToPath(new URL('../../support/inventory/oracle.py', import.meta.url))
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: root, LANG: 'C.UTF-8' }
    const child = execFile(
      python,
      [program],
      { cwd: root, env, maxBuffer: 1e9 },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}${stderr}`)) : resolve(JSON.parse(stdout)),
    )
    child.stdin!.end(JSON.stringify(cases))
  })
}

/** As the oracle writes them. */
function plain(value: unknown): unknown {
  if (isFloat(value)) return `float:${reprFloat(asNumber(value))}`
  if (typeof value === 'number')
    return Number.isInteger(value) ? value : `float:${reprFloat(value)}`
  if (typeof value === 'bigint') return `int:${value}`
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return plain(Object.fromEntries(value))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  return value
}

/** Our answer; of a variable that is plain text only what it is: Ansible’s `debug` reads that as a literal once more. */
async function ask({ sources, project }: Case): Promise<Answer> {
  try {
    const inventory = await loadInventory({ inventory: sources, cwd: project, project })
    const list = plain(listInventory(inventory, inventory.hosts))
    const { read } = inventory
    const values = inventory.hosts.map(({ name }) => {
      const found = [...read!.variablesOf(name)].map(([key, [strongest]]) => {
        try {
          return [key, { value: plain(read!.valueOf(name, key, strongest!)) }] as const
        } catch (error) {
          if (!isBootstrapError(error)) throw error
          return [key, { failed: error.message }] as const
        }
      })
      return [name, Object.fromEntries(found)] as const
    })
    return { list, values: Object.fromEntries(values) }
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    return { failed: error.message }
  }
}

const isText = (value: unknown) => typeof value === 'string' && !/\{[{%#]/.test(value)

/** Failures are equal, whatever their words; plain texts are compared in the list. */
function comparable(answer: Answer): unknown {
  if ('failed' in answer) return 'fails'
  const { hostvars } = (
    answer.list as { _meta: { hostvars: Record<string, Record<string, unknown>> } }
  )._meta
  const values = Object.entries(answer.values).map(([host, vars]) => {
    const shown = Object.entries(vars).filter(([name]) => !isText(hostvars[host]?.[name]))
    return [
      host,
      Object.fromEntries(
        shown.map(([name, { value, failed }]) => [
          name,
          failed === undefined ? { value } : 'fails',
        ]),
      ),
    ]
  })
  return { list: answer.list, values: Object.fromEntries(values) }
}

describe('inventories in the shape of public projects are read as Ansible reads them', () => {
  const recorded = fileURLToPath(new URL('../../support/inventory/answers.json', import.meta.url))
  const names = Object.keys(projects).flatMap(name =>
    (Object.keys(formats) as (keyof typeof formats)[]).map(format => [name, format] as const),
  )
  const writeAll = () =>
    Promise.all(names.map(([name, format]) => write(`${name} ${format}`, projects[name]!, format)))

  test('in Ansible’s answers, which are recorded', {
    tags: ['ansible'],
    timeout: 60_000,
  }, async () => {
    const cases = await writeAll()
    const answers = (await askAnsible(cases)).map(comparable)
    const known = Object.fromEntries(cases.map(({ name }, at) => [name, answers[at]]))
    if (process.env.HOSTWRIGHT_RECORD)
      writeFileSync(recorded, `${JSON.stringify(known, null, 1)}\n`)
    expect(known).toEqual(JSON.parse(readFileSync(recorded, 'utf8')))
  })

  test.each(names)('%s, in %s', async (name, format) => {
    const answers = JSON.parse(readFileSync(recorded, 'utf8')) as Record<string, unknown>
    const one = await write(`${name} ${format}`, projects[name]!, format)
    expect(comparable(await ask(one))).toEqual(answers[one.name])
  })
})

test('300 generated inventories are read as Ansible reads them', {
  tags: ['ansible'],
  timeout: 120_000,
}, async () => {
  // The same in each run; others by hand.
  const seed = Number(process.env.HOSTWRIGHT_INVENTORY_SEED ?? 295_353)
  const kinds = Object.keys(formats) as (keyof typeof formats)[]
  const generated = fc.sample(shapes, { numRuns: 300, seed })
  const cases = await Promise.all(
    generated.map((shape, at) => write(`generated ${at}`, shape, kinds[at % kinds.length]!)),
  )
  const answers = await askAnsible(cases)
  for (const [at, one] of cases.entries())
    expect(
      { at, shape: generated[at], ...(comparable(await ask(one)) as object) },
      `again with HOSTWRIGHT_INVENTORY_SEED=${seed}`,
    ).toEqual({ at, shape: generated[at], ...(comparable(answers[at]!) as object) })
})
