/** docs/from-ansible.md names what there is, and all that templates can do. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as hostwright from '../../lib/index.ts'
import { data } from '../../lib/templates/filters/data.ts'
import { lists } from '../../lib/templates/filters/lists.ts'
import { texts } from '../../lib/templates/filters/texts.ts'
import { tests } from '../../lib/templates/tests.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/from-ansible.md')

/** The rows of the table below a heading, as cells. */
function rowsOf(heading: string): string[][] {
  const section = page.split(/^## /m).find(each => each.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

const modules = rowsOf('Modules')
const words = rowsOf('Words of playbooks')
const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

it('has what 60 modules are here', () => {
  const names = modules.flatMap(([module]) => codesIn(module!.replace(/(?:with|by) .*/, '')))
  expect(new Set(names).size).toBeGreaterThanOrEqual(60)
})

it('has the words of playbooks', () => {
  const known = words.flatMap(([word]) => codesIn(word!))
  for (const word of [
    'hosts:',
    'serial',
    'delegate_to',
    'run_once',
    'notify',
    'when',
    'loop',
    'register',
    'block',
    'rescue',
    'tags',
    'check_mode',
    'become',
  ])
    expect(known, word).toContain(word)
})

it('names only what lib/index.ts exports', () => {
  // What a recipe’s run is given, or has as an option; the console.
  const others = [
    'content',
    'source',
    'absent',
    'hostSource',
    'onlyIfAbsent',
    'touch',
    'pause',
    'if',
    'const',
    'host.facts',
    'console.log',
  ]
  const named = modules
    .flatMap(([, here]) => codesIn(here!))
    .flatMap(code => {
      const [word = ''] = /^(?:throw new )?[\w.]+/.exec(code) ?? []
      return code.startsWith('hostwright ') || others.includes(word)
        ? []
        : [word.replace('throw new ', '')]
    })
  expect(named.length).toBeGreaterThan(40)
  for (const name of named) expect(hostwright, name).toHaveProperty(name)
})

it('names each option of the command line that there is', () => {
  const options = [...words.flat(), ...modules.flat()].join(' ').match(/--[a-z-]+/g) ?? []
  const known = read('docs/command-line.md')
  for (const option of new Set(options)) expect(known, option).toContain(option)
})

it('lists all filters and tests of templates, and no others', () => {
  const row = (first: string) => rowsOf('Templates').find(([name]) => name === first)?.[1] ?? ''
  expect(codesIn(row('filters')).sort()).toStrictEqual(
    Object.keys({ ...texts, ...lists, ...data }).sort(),
  )
  expect(codesIn(row('tests')).sort()).toStrictEqual(
    Object.keys(tests)
      .filter(name => /^\w/.test(name))
      .sort(),
  )
})
