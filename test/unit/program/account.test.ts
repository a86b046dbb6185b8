import { describe, expect, test } from 'vitest'
import { accountOf, differenceOf, type StepAccount } from '../../../lib/program/account.ts'
import { ini } from '../../../lib/resources/editing/ini.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { handler, type Resource } from '../../../lib/resources/resource.ts'
import { secret } from '../../../lib/shell/secret.ts'

const account = (resource: Resource) =>
  accountOf({ declared: resource, resource, notify: [] }, undefined)

describe('the hash of what a step does', () => {
  test('is the same for the same step, and differs for other content, options or handlers', () => {
    const of = (resource: Resource) => account(resource).does
    const plain = of(file('/f', { content: 'a' }))
    expect(of(file('/f', { content: 'a' }))).toBe(plain)
    const note = handler(file('/g', { content: 'x' }))
    const others = [
      of(file('/f', { content: 'b' })),
      of(file('/f', { content: 'a', mode: 0o600 })),
      of(file('/f', { content: 'a', notify: note })),
    ]
    expect(new Set([plain, ...others]).size).toBe(4)
  })

  test('does not depend on secrets, which could be guessed from it', () => {
    const withSecret = (value: string) => [
      account(file('/f', { content: secret(value) })).does,
      account(ini('/i', { set: { key: secret(value) } })).does,
      account(file('/o', { content: 'x', notify: file('/f', { content: secret(value) }) })).does,
    ]
    expect(withSecret('hunter2')).toEqual(withSecret('other'))
  })
})

describe('the difference from a plan', () => {
  const step: StepAccount = {
    kind: 'resource',
    title: 'file /f',
    tags: [],
    status: 'changed',
    note: 'content',
    does: 'd',
    saw: 's',
  }
  test('is undefined if everything is the same', () => {
    expect(differenceOf([step], [{ ...step }])).toBeUndefined()
  })
  test.each<[string, StepAccount[], StepAccount[], string]>([
    ['one step more', [], [step], 'file /f is not in the plan'],
    ['one step less', [step], [], 'file /f is in the plan, but no longer in the recipe'],
    [
      'another step',
      [step],
      [{ ...step, title: 'file /g' }],
      'the plan has file /f where the recipe now has file /g',
    ],
    [
      'another user',
      [step],
      [{ ...step, as: 'app' }],
      'the plan has file /f where the recipe now has file /f as app',
    ],
    [
      'another declaration',
      [step],
      [{ ...step, does: 'e' }],
      'the recipe now declares file /f differently',
    ],
    [
      'another status',
      [step],
      [{ ...step, status: 'ok', note: undefined }],
      'file /f: then changed: content, now ok',
    ],
    [
      'another state of the host',
      [step],
      [{ ...step, saw: 't' }],
      'file /f: the host’s state has changed since the plan',
    ],
  ])('is described: %s', (_, planned, found, message) => {
    expect(differenceOf(planned, found)).toBe(message)
  })
})
