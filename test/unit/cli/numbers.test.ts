/** Every option that takes a number or a duration: awkward ones have a stated meaning, or are refused. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Place } from '../../../lib/cli/command.ts'
import { lab } from '../../../lib/cli/lab.ts'
import { log } from '../../../lib/cli/log.ts'
import { allOptions } from '../../../lib/cli/options/commands.ts'
import { describeFlags, type OptionValues } from '../../../lib/cli/options/option.ts'
import { runCommand } from '../../../lib/cli/run.ts'
import { unlock } from '../../../lib/cli/unlock.ts'
import { recipe } from '../../../lib/recipe/recipe.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput } from '../ui/fake-output.ts'

/** What none of them takes. */
const never = [
  '-1',
  '-0',
  'NaN',
  'Infinity',
  '1e9',
  '',
  ' ',
  '5x',
  '0x10',
  '1_000',
  '٣',
  '9'.repeat(400),
]

/** Options, what they also refuse, and what means something: docs/command-line.md says what. */
const table: Readonly<Record<string, { refused: string[]; taken: string[] }>> = {
  timeout: { refused: ['0', '0s', '0.1ms', '600h', '5 %'], taken: ['90', '0.5m', '576h'] },
  'command-timeout': { refused: ['0', '0ms', '600h'], taken: ['90', '576h'] },
  'wait-lock': { refused: ['600h', '1%'], taken: ['0', '0s', '1.5s'] },
  reconnect: { refused: ['600h', '1%'], taken: ['0', '0s', '1.5s'] },
  forks: { refused: ['0', '1.5', '50%', '1000000'], taken: ['1', '999999'] },
  serial: {
    refused: ['0', '0%', '101%', '1.5', '1,', ',1', '1,0', '1000000'],
    taken: ['999999', '1%', '1, 100%'],
  },
  'max-fail': { refused: ['101%', '1.5', '%', '1000000'], taken: ['0', '0%', '100%', '999999'] },
  'max-unreachable': { refused: ['101%', '1.5', '%', '1000000'], taken: ['0', '100%'] },
  'max-unavailable': {
    refused: ['0', '0%', '101%', '1.5', '%', '1000000', '1/', '/zone', '1/a b', '1/2'],
    taken: ['1', '1%', '100%', '999999', '1/bootstrap_dir', 'none'],
  },
  bake: { refused: ['600h', '1%', '1,5s'], taken: ['0', '0s', '10ms'] },
  deadline: { refused: ['0', '0s', '600h', '1%'], taken: ['90', '576h', 'none'] },
}

test('the table has every option that takes a number', () => {
  const numeric = allOptions.filter(({ flags }) => /<(number|duration|sizes)>/.test(flags))
  // Only `log` takes that, see below.
  expect(new Set([...Object.keys(table), 'limit'])).toEqual(
    new Set(numeric.map(each => describeFlags(each).long)),
  )
})

async function project() {
  const cwd = await temporaryDirectory()
  const directory = join(cwd, 'inventories/test')
  await mkdir(directory, { recursive: true })
  const host = `h1 ansible_connection=local bootstrap_dir=${cwd}/h1\n`
  await writeFile(join(directory, 'hosts.ini'), host)
  const place = {
    ...fakeOutput(),
    cwd,
    project: { recipes: cwd, inventories: cwd },
    passwords: {},
  } satisfies Place
  let touched = 0
  const made = recipe({ description: '', lock: false, run: async () => void touched++ })
  const defaults = { on: 'all', forks: '50', timeout: '30s', waitLock: '0s', var: [] }
  const run = (options: OptionValues) =>
    runCommand({
      name: 'site',
      recipe: made,
      words: [],
      options: { ...defaults, ...options },
      place,
    })
  return { run, place, defaults, touched: () => touched }
}

const keyOf = (long: string) =>
  describeFlags(allOptions.find(each => describeFlags(each).long === long)!).key

describe.each(Object.entries(table))('--%s', (long, { refused, taken }) => {
  test.each([...never, ...refused])('refuses %j before a host is touched', async text => {
    const { run, touched } = await project()
    await expect(run({ [keyOf(long)]: text })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(`--${long}`),
    })
    expect(touched()).toBe(0)
  })

  test.each(taken)('takes %j', async text => {
    const { run, touched } = await project()
    expect(await run({ [keyOf(long)]: text })).toBe(0)
    expect(touched()).toBe(1)
  })
})

describe.each(['forks', 'timeout'])('unlock --%s', long => {
  test.each([...never, ...table[long]!.refused])('refuses %j', async text => {
    const { place, defaults } = await project()
    const running = unlock([], { ...defaults, [long]: text }, place)
    await expect(running).rejects.toMatchObject({ exitCode: 2 })
  })
})

describe('log --limit', () => {
  test.each([...never, '0', '1.5', '50%', '1000000'])('refuses %j', async text => {
    const { place, defaults } = await project()
    const running = log([], { ...defaults, limit: text }, place)
    await expect(running).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--limit'),
    })
  })

  test.each(['1', '999999'])('takes %j', async text => {
    const { place, defaults } = await project()
    expect(await log([], { ...defaults, limit: text }, place)).toBe(0)
  })
})

describe('lab up', () => {
  test.each([...never, '0', '1.5', '1000'])('refuses %j', async text => {
    const { place } = await project()
    await expect(lab(['up', text], {}, place)).rejects.toMatchObject({ exitCode: 2 })
  })
})
