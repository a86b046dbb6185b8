/** A resource is one place: its TypeScript, its shell beside it, its table test, its heading in the documents. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

/** Resources whose shell is not their own: the work is done on the controller, and is one for all three. */
const sharedShell: Readonly<Record<string, string>> = {
  json: 'data/edit',
  toml: 'data/edit',
  yaml: 'data/edit',
}

/** Resources whose tests share a host, or a subject, with those of another. */
const sharedTests: Readonly<Record<string, string>> = {
  hostname: 'resources/system',
  'kernel-module': 'resources/system',
  locale: 'resources/system',
  mount: 'resources/system',
  timezone: 'resources/system',
  'systemd-unit': 'resources/systemd',
  group: 'resources/user',
  sudoers: 'resources/authorized-keys',
  script: 'resources/command',
  'wait-for': 'resources/command',
  // It restarts its host, which no table can.
  reboot: 'e2e/reboot',
}

/** What lib/index.ts exports of lib/resources/<family>/<noun>.ts, types left out. */
const resources = [
  ...read('lib/index.ts').matchAll(
    /^export \{([^}]*)\} from '\.\/resources\/(\w+)\/([a-z-]+)\.ts'/gm,
  ),
].flatMap(([, names, family, noun]) =>
  names!
    .split(',')
    .map(name => name.trim())
    .filter(name => /^[a-z]\w*$/.test(name))
    .map(name => ({ name, family: family!, noun: noun! })),
)

test('finds the resources that the documents count', () => {
  expect(resources.length).toBe(41)
  expect(read('README.md')).toContain(`[${resources.length} resources](docs/resources.md)`)
})

test('lists no exception that is none', () => {
  const nouns = new Set(resources.map(({ noun }) => noun))
  for (const noun of [...Object.keys(sharedShell), ...Object.keys(sharedTests)])
    expect(nouns).toContain(noun)
})

describe.each(resources)('$name', ({ name, family, noun }) => {
  test('is named like its file', () => {
    const words = noun.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    expect(words).toBe(name)
  })

  test('has a docstring with an example', () => {
    const source = read(`lib/resources/${family}/${noun}.ts`)
    const docstring = new RegExp(
      `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\nexport function ${name}\\(`,
    ).exec(source)
    expect(docstring?.[1]).toContain('@example')
  })

  test('has its shell beside it', () => {
    const own = `${family}/${noun}`
    const path = sharedShell[noun] ?? own
    expect(existsSync(`${root}lib/resources/${own}.sh`)).toBe(path === own)
    expect(read(`lib/resources/${path}.sh`)).toMatch(/^hw_\w+\(\) [{(]/m)
  })

  test('is held to a table of tests', () => {
    const own = `resources/${noun}`
    const path = sharedTests[noun] ?? own
    if (path !== own) expect(existsSync(`${root}test/${own}.test.ts`)).toBe(false)
    expect(read(`test/${path}.test.ts`)).toMatch(new RegExp(`\\b${name}\\(`))
  })

  test('has a heading and a row in the documents', () => {
    expect(read(`docs/resources/${family}.md`)).toMatch(new RegExp(`^## ${name}$`, 'm'))
    const row = read('docs/resources.md')
      .split('\n')
      .find(line => line.includes(`(resources/${family}.md)`))
    expect(row).toContain(`\`${name}\``)
  })
})
