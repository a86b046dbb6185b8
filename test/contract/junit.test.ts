/** JUnit XML, read by Python's parser, which takes only well-formed XML. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { accountOfEvents } from '../../lib/ui/reports/account.ts'
import { junitOf } from '../../lib/ui/reports/junit.ts'
import { awkward, fakeRun, ordinaryRun } from '../unit/ui/reports/awkward-run.ts'

interface Read {
  tag: string
  attributes: Record<string, string>
  text: string
  children: Read[]
}

const reader = `
import json, sys, xml.etree.ElementTree as tree
def read(e): return {"tag": e.tag, "attributes": e.attrib, "text": e.text or "", "children": [read(c) for c in e]}
print(json.dumps(read(tree.fromstring(sys.stdin.buffer.read()))))
`

const readXml = (xml: string): Read =>
  JSON.parse(
    execFileSync('python3', ['-c', reader], { input: xml, maxBuffer: 2 ** 26, encoding: 'utf8' }),
  )

const read = (events: Parameters<typeof accountOfEvents>[0]) =>
  readXml(junitOf(accountOfEvents(events)!))

/** Elements, attributes and order that Jenkins' junit-10.xsd allows, as far as they are used. */
const schema: Readonly<
  Record<string, { children: readonly string[]; attributes: readonly string[] }>
> = {
  testsuites: {
    children: ['testsuite'],
    attributes: ['name', 'tests', 'failures', 'errors', 'disabled', 'skipped', 'time'],
  },
  testsuite: {
    children: ['testcase'],
    attributes: [
      ...['name', 'tests', 'failures', 'errors', 'disabled', 'skipped', 'time', 'timestamp'],
      ...['hostname', 'id', 'package'],
    ],
  },
  testcase: {
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
    attributes: ['name', 'classname', 'time', 'assertions', 'status'],
  },
  failure: { children: [], attributes: ['message', 'type'] },
  error: { children: [], attributes: ['message', 'type'] },
  skipped: { children: [], attributes: ['message', 'type'] },
  'system-out': { children: [], attributes: [] },
}

function expectValid({ tag, attributes, children }: Read): void {
  const known = schema[tag]!
  expect(known.attributes).toEqual(expect.arrayContaining(Object.keys(attributes)))
  for (const child of children) {
    expect(known.children).toContain(child.tag)
    expectValid(child)
  }
  if (tag === 'testsuite')
    for (const [name, element] of [
      ['failures', 'failure'],
      ['errors', 'error'],
      ['skipped', 'skipped'],
    ] as const)
      expect(Number(attributes[name])).toBe(
        children.filter(test => test.children.some(child => child.tag === element)).length,
      )
}

describe('JUnit XML', { tags: ['python3'] }, () => {
  it('has a suite for each host and a test case for each step, whose class is the host', () => {
    const root = read(ordinaryRun())
    expectValid(root)
    expect(root.attributes).toMatchObject({ tests: '16', failures: '2', errors: '1', skipped: '0' })
    const web3 = root.children[2]!
    expect(web3.attributes).toMatchObject({ name: 'web3', tests: '3', failures: '1' })
    expect(web3.children.map(({ attributes }) => attributes)).toEqual([
      { classname: 'web3', name: 'web server › pkg haproxy', time: '0.900' },
      { classname: 'web3', name: 'web server › file /etc/haproxy/haproxy.cfg', time: '0.120' },
      { classname: 'web3', name: 'web server › service haproxy', time: '1.500' },
    ])
    const [failed] = web3.children[2]!.children
    expect(failed).toMatchObject({
      tag: 'failure',
      attributes: { message: 'haproxy did not start', type: 'step_failed' },
    })
    expect(failed!.text.split('\n')).toEqual([
      ...['haproxy did not start', '$ systemctl start haproxy', 'exit status 1', '| Job failed.'],
      ...['| See journalctl -xeu haproxy.', 'at recipes/app.ts:12'],
      '-> Look at `journalctl -u haproxy` there.',
    ])
  })

  it('has an error for a host that was not reached, and a skipped case for one not started', () => {
    const events = ordinaryRun().filter(event => !('host' in event) || event.host !== 'web6')
    const [, , , , web5, web6] = read(events).children
    expect(web5!.children[0]).toMatchObject({
      attributes: { classname: 'web5', name: 'host' },
      children: [{ tag: 'error', attributes: { type: 'connect_failed' } }],
    })
    expect(web6!.children[0]!.children[0]).toMatchObject({
      tag: 'skipped',
      attributes: { message: 'not started' },
    })
  })

  it('tells steps of the same title apart', () => {
    const steps = [{ title: 'restart' }, { title: 'restart' }]
    const [suite] = read(fakeRun({ hosts: [{ host: 'web1', steps }] })).children
    expect(suite!.children.map(({ attributes }) => attributes.name)).toEqual([
      'web server › restart',
      'web server › restart (2)',
    ])
  })

  it.each(awkward)('is well-formed with %j in each of its texts', text => {
    const error = {
      code: 'step_failed',
      message: text,
      output: text,
      hint: text,
      at: text,
    } as const
    const steps = [
      { title: text, status: 'failed' as const, error },
      { title: 'more', status: 'skipped' as const, note: text },
      { title: 'last', status: 'changed' as const, note: text },
    ]
    const host = `host ${text}`
    const root = read(
      fakeRun({ recipe: text, task: text, hosts: [{ host, steps, error }], exitCode: 4 }),
    )
    expectValid(root)
    const [first] = root.children[0]!.children
    // Nothing of it is lost: what XML can't have is visible.
    const shown = first!.children[0]!.attributes.message!
    expect(shown.replace(/\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|r)/g, '').length).toBeLessThanOrEqual(
      text.length,
    )
    expect(shown).toContain(text.replace(/[^ -~].*$/s, ''))
  })
})
