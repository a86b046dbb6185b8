import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPage, slug } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const below = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => ending.test(path))
    .map(path => join(folder, path))

const paths = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...below('docs', /\.md$/),
].sort()
const pages = new Map(paths.map(path => [path, readPage(readFileSync(join(root, path), 'utf8'))]))
/** Pages that name files of lib/ by their path from there. */
const internal = ['docs/architecture.md', 'docs/protocol.md', 'docs/lock.md']

/** What is wrong with a link of a page; undefined: nothing, or it leaves the project. */
function faultOf(path: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined
  const [target = '', anchor] = link.split('#')
  const to = target === '' ? path : relative(root, join(root, dirname(path), target))
  if (!existsSync(join(root, to))) return `${link}: there is no ${to}`
  if (anchor === undefined || !to.endsWith('.md')) return undefined
  return pages.get(to)?.anchors.has(anchor) ? undefined : `${link}: ${to} has no such heading`
}

describe.each(paths)('%s', path => {
  const page = pages.get(path)!

  test('has no link that leads nowhere', () => {
    expect(page.links.flatMap(link => faultOf(path, link) ?? [])).toEqual([])
  })

  test('names no file of lib, test or .ci that does not exist', () => {
    const named = page.code.filter(code => /^(lib|test|\.ci)\/[\w./-]+$/.test(code))
    expect(named.filter(name => !existsSync(join(root, name)))).toEqual([])
  })
})

describe.each(internal)('%s', path => {
  test('names no source file or folder that does not exist', () => {
    const sources = new Set(below('lib', /\.\w+$/).map(file => basename(file)))
    const named = pages
      .get(path)!
      .code.filter(code => /^\.?[\w.-]+(\/[\w.-]+)*(\/|\.(ts|sh|awk|cjs))$/.test(code))
    expect(named.length).toBeGreaterThan(0)
    const missing = named.filter(
      name =>
        ![root, join(root, 'lib')].some(from => existsSync(join(from, name))) && !sources.has(name),
    )
    expect(missing).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

  test('has at most 220 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(220)
  })

  test('lists the layers in the order that the linter enforces', () => {
    const enforced = readFileSync(join(root, '.dependency-cruiser.cjs'), 'utf8')
    const order = /const layers = \[(.*?)\]/s.exec(enforced)![1]!
    const listed = [...text.matchAll(/^ {6}([a-z]+)(?:\/|\.ts) /gm)].map(match => match[1])
    expect(listed).toEqual([...[...order.matchAll(/'(\w+)'/g)].map(match => match[1]), 'index'])
  })
})

test('every page that the sources mention exists', () => {
  const sources = ['lib', 'recipes', 'tasks'].flatMap(folder => below(folder, /\.(ts|sh|awk)$/))
  const missing = sources.flatMap(source =>
    [...readFileSync(join(root, source), 'utf8').matchAll(/\bdocs\/[\w/.-]+\.md(#[\w-]+)?/g)]
      .filter(([link]) => faultOf('README.md', link) !== undefined)
      .map(([link]) => `${source}: ${link}`),
  )
  expect(missing).toEqual([])
})

test.each([
  ['`$` and `read`', '-and-read'],
  ['--check', '--check'],
  ['`[setting:PRODUCT:NAME]`', 'settingproductname'],
  ['Results: output and report', 'results-output-and-report'],
  ['[A link](page.md) in it', 'a-link-in-it'],
])('the anchor of the heading %s is %s', (heading, anchor) => {
  expect(slug(heading)).toBe(anchor)
})
