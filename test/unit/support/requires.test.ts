import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'

/** Code that checks the machine by itself, or silently skips cases. */
const elsewhere = [
  /\b(describe|test|it)\.(skip|skipIf|runIf)\b/,
  /\.each\((shells|awks|transports|packageManagers)\)/,
  /\bCI\b must|process\.env\.CI\b|NOT TESTED/,
  /getuid[^\n]*\? (test|describe|it)\b/,
]

test('tests state what they need only by tags', async () => {
  const folder = new URL('../..', import.meta.url)
  const names = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.ts'))
  const found = names
    .filter(name => !/support\/requires(\.test)?\.ts$/.test(name))
    .flatMap(name =>
      readFileSync(new URL(name, folder), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          elsewhere.some(each => each.test(line)) ? [`${name}:${index + 1}: ${line.trim()}`] : [],
        ),
    )
  expect(names.length).toBeGreaterThan(100)
  expect(found).toEqual([])
})
