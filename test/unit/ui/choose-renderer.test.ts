import { describe, expect, it } from 'vitest'
import { chooseMode } from '../../../lib/ui/choose-renderer.ts'
import { useColor, useUnicode } from '../../../lib/ui/theme.ts'
import { fakeOutput, fakeStream } from './fake-output.ts'

const terminal = { columns: 80, rows: 24 }

describe('chooseMode', () => {
  it.each([
    ['a terminal', terminal, {}, 'pretty'],
    ['a pipe', undefined, {}, 'plain'],
    ['CI', terminal, { CI: 'true' }, 'plain'],
    ['CI set to false', terminal, { CI: 'false' }, 'pretty'],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, 'plain'],
  ])('on %s', (_where, size, env, mode) => {
    expect(chooseMode(undefined, fakeOutput(size, env))).toBe(mode)
  })

  it('uses the requested mode', () => {
    expect(chooseMode('json', fakeOutput(terminal))).toBe('json')
    expect(chooseMode('pretty', fakeOutput())).toBe('pretty')
  })

  it('refuses an unknown mode and lists the known ones', () => {
    expect(() => chooseMode('xml', fakeOutput())).toThrowError(
      expect.objectContaining({
        code: 'invalid_value',
        message: 'unknown output mode "xml"',
        details: { hint: 'Use one of: pretty, plain, json' },
      }),
    )
  })
})

describe('useColor', () => {
  it.each([
    ['a terminal', terminal, {}, true],
    ['a pipe', undefined, {}, false],
    ['NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
    ['FORCE_COLOR in a pipe', undefined, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
  ])('with %s', (_what, size, env, color) => {
    expect(useColor(fakeStream(size), env)).toBe(color)
  })
})

describe('useUnicode', () => {
  it.each([
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'C', LC_CTYPE: 'UTF-8' }, true],
    [{}, false],
  ])('with %j is %s', (env, unicode) => {
    expect(useUnicode(env)).toBe(unicode)
  })
})
