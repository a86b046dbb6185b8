import { describe, expect, test } from 'vitest'
import { parseCatalogue } from '../../../lib/bootstrap/catalogue.ts'
import { findMode, findProduct, findRole } from '../../../lib/bootstrap/lookup.ts'
import {
  checkSetting,
  effectiveSettings,
  parseAssignments,
} from '../../../lib/bootstrap/settings.ts'

const catalogue = parseCatalogue(
  `[server]
modes = provisioning, active, upgrading
[role:web]
products = app
[product:app]
[setting:app:workers]
type = integer
default = 4
allowed = 1..64
description = how many
[setting:app:ratio]
type = number
[setting:app:tls]
type = boolean
[setting:app:log-level]
default = info
allowed = debug, info
[setting:app:motto]
pattern = [a-z ]*
[setting:app:token]
type = secret
pattern = [a-f0-9]+
`,
  { file: 'bootstrap.ini' },
)
const app = findProduct(catalogue, 'app')

describe('checking a value', () => {
  test.each([
    ['workers', '007', '7'],
    ['workers', '+8', '8'],
    ['ratio', '-0.0', '0'],
    ['ratio', '-01.50', '-1.5'],
    ['ratio', '.5', '0.5'],
    ['ratio', '100', '100'],
    ['ratio', '12345678901234567890.10', '12345678901234567890.1'],
    ['tls', 'Yes', 'true'],
    ['tls', 'on', 'true'],
    ['tls', '0', 'false'],
    ['log-level', 'debug', 'debug'],
    ['motto', 'a b', 'a b'],
    ['motto', '', ''],
  ])('accepts %s=%s as %s', (key, value, canonical) => {
    expect(checkSetting(app, key, value)).toBe(canonical)
  })

  test.each([
    ['workers', 'x', '"x" is not an integer in 1..64'],
    ['workers', '', '"" is not an integer in 1..64'],
    ['workers', '65', '"65" is not an integer in 1..64'],
    ['workers', '4.0', '"4.0" is not an integer in 1..64'],
    ['ratio', '1e3', '"1e3" is not a number'],
    ['ratio', '.', '"." is not a number'],
    ['tls', 'maybe', '"maybe" is not a boolean (true or false)'],
    ['log-level', 'loud', '"loud" is not allowed; it is one of: debug, info'],
    ['motto', 'a1', '"a1" does not match [a-z ]*'],
    ['motto', 'a\nb', '"a\\nb" has a line break or another control character'],
    ['motto', 'a\u2028b', 'has a line break or another control character'],
    ['motto', ' a', '" a" starts or ends with whitespace'],
  ])('refuses %s=%j', (key, value, message) => {
    expect(() => checkSetting(app, key, value)).toThrow(
      expect.objectContaining({
        code: 'invalid_value',
        message: expect.stringContaining(message),
      }),
    )
  })

  test('explains the setting in the hint', () => {
    expect(() => checkSetting(app, 'workers', '0')).toThrow(
      expect.objectContaining({
        details: { hint: 'workers is an integer in 1..64: how many.' },
      }),
    )
  })

  test('never shows the value of a secret', () => {
    expect(() => checkSetting(app, 'token', 'hush')).toThrow(
      'app token: the value does not match [a-f0-9]+',
    )
  })

  test.each([
    ['worker', 'workers'],
    ['loglevel', 'log-level'],
  ])('refuses the unknown setting %s and suggests %s', (key, near) => {
    expect(() => checkSetting(app, key, '1')).toThrow(
      expect.objectContaining({
        code: 'unknown_name',
        message: `unknown setting of app '${key}': did you mean ${near}?`,
      }),
    )
  })
})

describe('assignments', () => {
  test('return canonical values; the value is everything after the first =', () => {
    expect(parseAssignments(app, ['workers=08', 'tls=no'])).toEqual({ workers: '8', tls: 'false' })
    expect(() => parseAssignments(app, ['motto=a=b'])).toThrow('"a=b" does not match')
  })

  test.each([
    [['workers'], 'a setting must be key=value'],
    [['=4'], 'a setting must be key=value'],
    [['workers=4', 'workers=5'], 'workers is given twice'],
  ])('refuse %j', (assignments, message) => {
    expect(() => parseAssignments(app, assignments)).toThrow(message)
  })

  test('are all checked before they are refused, with a line for each fault', () => {
    const wrong = ['wrokers=1', 'workers=many', 'tls=no', 'tls=perhaps', 'nothing']
    const refused = expect.objectContaining({
      code: 'unknown_name',
      message: expect.stringMatching(
        /^unknown setting of app 'wrokers'.*\napp workers: .*"many".*\napp tls: .*"perhaps".*\na setting must be key=value$/,
      ),
    })
    expect(() => parseAssignments(app, wrong)).toThrow(refused)
  })
})

describe('the settings of a host', () => {
  test('are recorded values, then the host’s variables, then defaults', () => {
    expect(
      effectiveSettings(app, {
        recorded: { workers: '16' },
        hostVars: { app_workers: '8', app_log_level: 'debug', app_ratio: '1.5', other: 'x' },
      }),
    ).toEqual({ workers: '16', 'log-level': 'debug', ratio: '1.5' })
  })

  test('are only defaults on a new host; settings without one are left out', () => {
    expect(effectiveSettings(app, {})).toEqual({ workers: '4', 'log-level': 'info' })
  })

  test('leave out recorded settings that the product no longer has', () => {
    expect(effectiveSettings(app, { recorded: { gone: '1' } })).not.toHaveProperty('gone')
  })

  test('are refused if a variable of the host is invalid, even if it is overridden', () => {
    expect(() =>
      effectiveSettings(app, { recorded: { workers: '1' }, hostVars: { app_workers: 'many' } }),
    ).toThrow('app workers (variable app_workers): "many" is not an integer in 1..64')
  })

  test('are the recorded ones also where a rule is newer and narrower, with a warning', () => {
    const warnings: string[] = []
    const warn = (message: string) => warnings.push(message)
    expect(effectiveSettings(app, { recorded: { workers: '99' }, warn })).toMatchObject({
      workers: '99',
    })
    expect(warnings).toEqual([
      'app workers (recorded on the host): "99" is not an integer in 1..64; it counts until product.set or product.unset changes it',
    ])
  })

  test('leave out a recorded value that could damage a config file, with a warning', () => {
    const warnings: string[] = []
    const warn = (message: string) => warnings.push(message)
    const recorded = { 'log-level': 'info\nevil = 1' }
    expect(effectiveSettings(app, { recorded, warn })).toMatchObject({ 'log-level': 'info' })
    expect(warnings).toEqual([expect.stringContaining('it does not count')])
  })

  test('are refused if a value that is to be recorded breaks a rule, and not for the one it replaces', () => {
    const warn = () => expect.fail('warned')
    const recorded = { workers: '99' }
    expect(() => effectiveSettings(app, { wanted: { workers: '99' }, recorded, warn })).toThrow(
      'app workers: "99" is not an integer in 1..64',
    )
    expect(effectiveSettings(app, { wanted: { workers: '9' }, recorded, warn })).toMatchObject({
      workers: '9',
    })
  })
})

describe('names', () => {
  test('of products, roles and modes are found', () => {
    expect(findRole(catalogue, 'web').products).toEqual(['app'])
    expect(findMode(catalogue, 'active')).toBe('active')
  })

  test.each([
    [() => findProduct(catalogue, 'ap'), "unknown product 'ap': did you mean app?"],
    [() => findRole(catalogue, 'cache'), "unknown role 'cache': known: web"],
    [() => findMode(catalogue, 'activ'), "unknown mode 'activ': did you mean active?"],
  ])('that are unknown are refused with the nearest one: %s', (find, message) => {
    expect(find).toThrow(expect.objectContaining({ code: 'unknown_name', message }))
  })
})
