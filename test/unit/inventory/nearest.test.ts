import { describe, expect, it } from 'vitest'
import { nearest, unknownName } from '../../../lib/shell/nearest.ts'

describe('nearest', () => {
  it.each([
    ['a name with swapped letters', 'wbe1', ['db1', 'web1', 'web2'], ['web1']],
    ['all names that are equally close', 'web4', ['web1', 'web2', 'db1'], ['web1', 'web2']],
    ['a name that begins with the text', 'prod', ['staging', 'production'], ['production']],
    ['a name in another case', 'WEB', ['web', 'db'], ['web']],
    ['nothing that is merely as short', 'eu', ['db', 'us', 'lab'], []],
    ['nothing for an empty name', '', ['a', 'b'], []],
    ['the closest three', 'web', ['web12', 'webs', 'web', 'we'], ['web', 'webs', 'we']],
    ['each name once', 'web', ['web1', 'web1'], ['web1']],
  ])('offers %s', (_, name, candidates, expected) => {
    expect(nearest(name, candidates)).toEqual(expected)
  })
})

describe('unknownName', () => {
  it('suggests a name in one line, and lists the names in the hint', () => {
    const error = unknownName('role', 'wbe', ['web', 'db'])
    expect(error).toMatchObject({ code: 'unknown_name', exitCode: 2 })
    expect(error.message).toBe("unknown role 'wbe': did you mean web?")
    expect(error.details.hint).toBe('Known: web, db.')
  })

  it('lists the names in the message if none is near', () => {
    expect(unknownName('role', 'zzz', ['web', 'db']).message).toBe(
      "unknown role 'zzz': known: web, db",
    )
    expect(unknownName('role', 'zzz', []).message).toBe("unknown role 'zzz': known: none")
  })

  it('truncates a long list', () => {
    const many = Array.from({ length: 30 }, (_, index) => `host-number-${index}`)
    expect(unknownName('host', 'zzz', many).message).toMatch(/host-number-11 and 18 more$/)
  })

  it('shows no control characters', () => {
    expect(unknownName('role', 'a\n\u001b[2J', []).message).toContain(String.raw`'a\u{a}\u{1b}[2J'`)
  })
})
