import { expect, test } from 'vitest'
import { type Plan, parsePlan, renderPlan } from '../../../lib/cli/plan-file.ts'

const plan: Plan = {
  format: 1,
  made: '2026-01-31T02:00:00.000Z',
  recipe: 'site',
  args: ['app'],
  inventory: 'production',
  on: 'all',
  variables: { port: '8080' },
  become: true,
  becomeUser: 'app',
  selection: { tags: [], skipTags: [], startAt: 'web*' },
  hosts: { web1: [{ kind: 'command', title: '$ true', tags: [], status: 'unknown' }], web2: [] },
}

test('a plan is read as it was written', () => {
  expect(parsePlan(renderPlan(plan), 'plan.json')).toEqual(plan)
})

test.each<[string, object]>([
  ['another format', { format: 2 }],
  ['an inventory that is no text', { inventory: 5 }],
  ['variables that are no texts', { variables: { port: 8080 } }],
  ['a become that is no yes or no', { become: 'yes' }],
  ['no variables', { variables: null }],
  ['a starting point that is no text', { selection: { ...plan.selection, startAt: 5 } }],
  ['tags that are no list', { selection: { ...plan.selection, tags: 'web' } }],
  ['arguments that are no texts', { args: [1] }],
  ['steps that are none', { hosts: { web1: [null] } }],
])('one that was edited to have %s is refused', (_, edited) => {
  expect(() => parsePlan(JSON.stringify({ ...plan, ...edited }), 'plan.json')).toThrow(
    'plan.json is no plan: ',
  )
})
