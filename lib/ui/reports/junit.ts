/**
 * A run as JUnit XML, for the test pages of Jenkins, GitLab and others: a suite for each host, a test case for each
 * step. The elements and attributes are those of Jenkins' junit-10.xsd, which is what readers have in common.
 */
import { DOMImplementation, type Document, type Element, XMLSerializer } from '@xmldom/xmldom'
import type { HostReport, RunReport, StepReport } from './account.ts'
import { errorLines, oneLine, titleOf } from './texts.ts'

/** What a test case came to; `passed` has no element. */
type Outcome = {
  name: 'failure' | 'error' | 'skipped'
  message: string
  type?: string
  text?: string
}

interface TestCase {
  name: string
  durationMs: number
  outcome?: Outcome
  /** What was done. */
  output?: string
}

/** The XML of a run. */
export function junitOf(report: RunReport): string {
  const document = new DOMImplementation().createDocument(null, 'testsuites', null)
  const root = document.documentElement!
  const suites = report.hosts.map(host => ({ host, cases: namedOnce(casesOf(host)) }))
  setAttributes(root, {
    name: titleOf(report),
    ...totals(suites.flatMap(({ cases }) => cases)),
    time: seconds(report.endedAt - report.startedAt),
  })
  for (const { host, cases } of suites) add(root, '\n  ', suiteOf(document, report, host, cases))
  add(root, '\n')
  // Throws on what no reader would accept, which all texts are rid of before.
  const xml = new XMLSerializer().serializeToString(document, { requireWellFormed: true })
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xml}\n`
}

function suiteOf(
  document: Document,
  report: RunReport,
  host: HostReport,
  cases: readonly TestCase[],
): Element {
  const suite = document.createElement('testsuite')
  const startedAt = host.startedAt ?? report.startedAt
  setAttributes(suite, {
    name: oneLine(host.host),
    hostname: oneLine(host.host),
    ...totals(cases),
    time: seconds((host.endedAt ?? startedAt) - startedAt),
    timestamp: new Date(startedAt).toISOString().slice(0, 19),
  })
  for (const each of cases) add(suite, '\n    ', caseOf(document, host.host, each))
  add(suite, '\n  ')
  return suite
}

function caseOf(document: Document, host: string, test: TestCase): Element {
  const element = document.createElement('testcase')
  setAttributes(element, {
    classname: oneLine(host),
    name: test.name,
    time: seconds(test.durationMs),
  })
  if (test.outcome) {
    const { name, message, type, text } = test.outcome
    const child = document.createElement(name)
    setAttributes(child, { message, ...(type === undefined ? {} : { type }) })
    if (text) add(child, text)
    add(element, child)
  }
  if (test.output) {
    const output = document.createElement('system-out')
    add(output, test.output)
    add(element, output)
  }
  return element
}

/** A host's steps, and what became of the host where no step says that. */
function casesOf(host: HostReport): TestCase[] {
  const steps = host.tasks.flatMap(({ title, steps: own }) =>
    own.map(step => stepCase(title, step)),
  )
  const own = ownOutcome(host)
  if (!own) return steps
  const took = (host.endedAt ?? 0) - (host.startedAt ?? 0)
  return [...steps, { name: 'host', durationMs: steps.length > 0 ? 0 : took, outcome: own }]
}

function stepCase(task: string, { title, status, durationMs, note, error }: StepReport): TestCase {
  const name = oneLine(task === '' || task === title ? title : `${task} › ${title}`)
  const why = oneLine(error?.message ?? note ?? status)
  const text = error && errorLines(error).join('\n')
  switch (status) {
    case 'ok':
      return { name, durationMs }
    case 'changed':
      return { name, durationMs, output: oneLine(note ? `changed: ${note}` : 'changed') }
    case 'skipped':
      return { name, durationMs, outcome: { name: 'skipped', message: why } }
    case 'failed':
      return {
        name,
        durationMs,
        outcome: { name: 'failure', message: why, type: error?.code, text },
      }
    default: {
      const message = status === 'running' ? 'it has begun, and has no end' : why
      return { name, durationMs, outcome: { name: 'error', message, type: error?.code, text } }
    }
  }
}

function ownOutcome({ host, status, error, tasks }: HostReport): Outcome | undefined {
  if (status === 'ok' || status === 'changed') return undefined
  if (status === 'skipped' || status === 'waiting')
    return { name: 'skipped', message: 'not started' }
  const steps = tasks.flatMap(task => task.steps)
  // A step says it already.
  if (steps.some(step => step.status === 'failed' || step.status === 'unknown')) return undefined
  const message = oneLine(error?.message ?? (status === 'running' ? 'it has no end' : status))
  const text = error && errorLines({ host, ...error }).join('\n')
  return { name: 'error', message, type: error?.code ?? status, text }
}

/** Readers tell test cases of a class apart by their names. */
function namedOnce(cases: readonly TestCase[]): TestCase[] {
  const seen = new Map<string, number>()
  return cases.map(each => {
    const times = (seen.get(each.name) ?? 0) + 1
    seen.set(each.name, times)
    return times === 1 ? each : { ...each, name: `${each.name} (${times})` }
  })
}

function totals(cases: readonly TestCase[]) {
  const of = (name: Outcome['name']) => cases.filter(each => each.outcome?.name === name).length
  return {
    tests: String(cases.length),
    failures: String(of('failure')),
    errors: String(of('error')),
    skipped: String(of('skipped')),
  }
}

const seconds = (milliseconds: number) => (Math.max(0, milliseconds) / 1000).toFixed(3)

function setAttributes(element: Element, attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
}

function add(element: Element, ...children: readonly (Element | string)[]): void {
  for (const child of children)
    element.appendChild(
      typeof child === 'string' ? element.ownerDocument!.createTextNode(child) : child,
    )
}
