import { expect, test } from 'vitest'
import { type StepAccount, strangeStep } from '../../../lib/program/account.ts'

const step = (title: string, more: Partial<StepAccount> = {}): StepAccount => ({
  kind: 'resource',
  title,
  tags: [],
  status: 'changed',
  does: `does ${title}`,
  ...more,
})
const planned = ['a', 'b', 'c', 'd'].map(title => step(title))

test.each<[string, StepAccount[], string | undefined]>([
  ['all of the plan', planned, undefined],
  ['what is done already', [step('a', { status: 'ok' }), ...planned.slice(1)], undefined],
  [
    'what an earlier step has changed',
    planned.map(each => ({ ...each, saw: 'x', note: 'y' })),
    undefined,
  ],
  ['only what is left', [step('c'), step('d')], undefined],
  ['what is in another order', [step('b'), step('a')], 'a is not in the plan'],
  ['one step twice', [step('b'), step('b')], 'b is not in the plan'],
  ['something else', [step('a'), step('e')], 'e is not in the plan'],
  ['something declared differently', [step('a', { does: 'more' })], 'a is not in the plan'],
  ['a step as another user', [step('a', { as: 'bob' })], 'a is not in the plan'],
])('on a host that is half done, a plan allows or refuses %s', (_, found, said) => {
  const strange = strangeStep(planned, found)
  if (said === undefined) expect(strange).toBeUndefined()
  else expect(strange).toContain(said)
})
