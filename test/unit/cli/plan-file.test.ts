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
  expect(() => parsePlan(JSON.stringify({ ...plan, ...edited }), 'plan.json')).toThrow(
    'plan.json is not a plan: ',
  )
})
