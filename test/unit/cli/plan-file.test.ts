import { expect, test } from 'vitest'
import { type Plan, parsePlan, renderPlan } from '../../../lib/cli/plan-file.ts'

const plan: Plan = {
  format: 1,
  made: '2026-01-31T02:00:00.000Z',
  recipe: 'site',
  args: ['app'],
  inventory: ['production'],
  on: 'all',
  variables: { port: '8080' },
  become: true,
  becomeUser: 'app',
  selection: { tags: [], skipTags: [], startAt: 'web*' },
  hosts: { web1: [{ kind: 'command', title: '$ true', tags: [], status: 'unknown' }], web2: [] },
}

test('a written plan is read back unchanged', () => {
  expect(parsePlan(renderPlan(plan), 'plan.json')).toEqual(plan)
})

test.each<[string, object]>([
  ['another format', { format: 2 }],
  ['a number as inventory', { inventory: 5 }],
  ['a number as variable', { variables: { port: 8080 } }],
  ['a string as become', { become: 'yes' }],
  ['no variables', { variables: null }],
  ['a number as starting point', { selection: { ...plan.selection, startAt: 5 } }],
  ['a string as tags', { selection: { ...plan.selection, tags: 'web' } }],
  ['a number as argument', { args: [1] }],
  ['null as a step', { hosts: { web1: [null] } }],
])('a plan with %s is refused', (_, edited) => {
  const text = renderPlan({ ...plan, ...edited } as Plan)
  expect(() => parsePlan(text, 'plan.json')).toThrow('plan.json is not a plan: ')
})

// The cases above can't see this: a plan that was edited has all its fields.
test.each<[string, (text: string) => string]>([
  ['another recipe', text => text.replace('"site"', '"other"')],
  ['another step', text => text.replace('$ true', '$ false')],
  ['other hosts', text => text.replace('web2', 'web3')],
  ['another format of its time', text => text.replace('02:00:00.000Z', '03:00:00.000Z')],
  ['no digest', text => text.replace(/,\n {2}"digest": "[0-9a-f]{64}"/, '')],
  ['another key', text => text.replace('{', '{ "bootstrap_dir": "/tmp",')],
  ['nothing behind its middle', text => text.slice(0, text.length / 2)],
])('a plan that was changed to have %s is refused', (_, edit) => {
  const text = edit(renderPlan(plan))
  expect(text).not.toBe(renderPlan(plan))
  expect(() => parsePlan(text, 'plan.json')).toThrow('plan.json is not a plan: ')
})

test('a plan without hosts is refused', () => {
  expect(() => parsePlan(renderPlan({ ...plan, hosts: {} }), 'plan.json')).toThrow(
    'it has no hosts',
  )
})
