import { describe, expect, test } from 'vitest'
import { accountOf, differenceOf, type StepAccount } from '../../../lib/program/account.ts'
import { ini } from '../../../lib/resources/editing/ini.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { handler, type Resource } from '../../../lib/resources/resource.ts'
import { secret } from '../../../lib/shell/secret.ts'

const account = (resource: Resource) =>
  accountOf({ declared: resource, resource, notify: [] }, undefined)

describe('what is to be done', () => {
  test('has one hash for the same, and others for another content, option or handler', () => {
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

  test('of a secret is not hashed: it could be guessed', () => {
    const withSecret = (value: string) => [
      account(file('/f', { content: secret(value) })).does,
      account(ini('/i', { set: { key: secret(value) } })).does,
      account(file('/o', { content: 'x', notify: file('/f', { content: secret(value) }) })).does,
    ]
    expect(withSecret('hunter2')).toEqual(withSecret('other'))
  })
})

describe('a difference from a plan', () => {
  const step: StepAccount = {
    kind: 'resource',
    title: 'file /f',
    tags: [],
    status: 'changed',
    note: 'content',
    does: 'd',
    saw: 's',
  }
  test('is none where all is the same', () => {
    expect(differenceOf([step], [{ ...step }])).toBeUndefined()
  })
  test.each<[string, StepAccount[], StepAccount[], string]>([
    ['more', [], [step], 'file /f is not in the plan'],
    ['less', [step], [], 'file /f is in the plan, and no longer in the recipe'],
    [
      'another',
      [step],
      [{ ...step, title: 'file /g' }],
      'the plan has file /f where there is file /g now',
    ],
    [
      'another user',
      [step],
      [{ ...step, as: 'app' }],
      'the plan has file /f where there is file /f now',
    ],
    [
      'another wish',
      [step],
      [{ ...step, does: 'e' }],
      'the recipe wants something else of file /f now',
    ],
    [
      'another state',
      [step],
      [{ ...step, status: 'ok', note: undefined }],
      'file /f: then changed: content, now ok',
    ],
    [
      'something else read',
      [step],
      [{ ...step, saw: 't' }],
      'file /f: what was read of it is another now',
    ],
  ])('is told: %s', (_, planned, found, message) => {
    expect(differenceOf(planned, found)).toBe(message)
  })
})
