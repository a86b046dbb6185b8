import { describe, expect, test } from 'vitest'
import * as hostwright from '../../../lib/index.ts'
import {
  command,
  file,
  handler,
  ini,
  pkg,
  secret,
  service,
  sudoers,
  task,
} from '../../../lib/index.ts'

/** Options as a recipe in JavaScript may have them, or one that nobody checked the types of. */
const wrong = (options: unknown) => options as never

const refused = (message: string | RegExp) =>
  expect.objectContaining({
    code: 'recipe_invalid',
    message: expect.stringMatching(message),
    details: expect.objectContaining({ at: expect.stringMatching(/options\.test\.ts:\d+$/) }),
  })

/** Each resource with what it is named by, and options that it takes. */
const resources: [name: string, names: unknown[], options: object][] = [
  ['aptRepo', ['x'], { uris: 'http://x', suites: 'a', components: 'main' }],
  ['archive', ['/a'], { path: '/x.tar' }],
  [
    'authorizedKeys',
    ['x', ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINvkt6dBIL66soZM3nMzdQ8JxXzYpxfr8kCTqbCqsNqO']],
    {},
  ],
  ['block', ['/a'], { content: 'a' }],
  ['command', ['true'], {}],
  ['container', ['x'], { image: 'x' }],
  ['copyTree', ['/a'], { source: 'lib/host' }],
  ['cron', ['x'], { schedule: '@daily', command: 'x' }],
  ['directory', ['/a'], {}],
  ['dnfRepo', ['x'], { baseurl: 'http://x', gpgcheck: false }],
  ['download', ['/a'], { url: 'http://x/y' }],
  ['envFile', ['/a'], { set: { A: 1 } }],
  ['fetch', ['/a'], { to: '%h' }],
  ['file', ['/a'], { content: 'x' }],
  ['git', ['/a'], { remote: 'http://x/y' }],
  ['group', ['x'], {}],
  ['hostname', ['x'], {}],
  ['hosts', ['10.0.0.1'], { names: 'x' }],
  ['ini', ['/a'], { set: { a: 1 } }],
  ['json', ['/a'], { set: { a: 1 } }],
  ['kernelModule', ['x'], {}],
  ['knownHosts', ['x'], { absent: true }],
  ['line', ['/a'], { line: 'a' }],
  ['link', ['/a'], { target: 'a' }],
  ['locale', ['C'], {}],
  ['mount', ['/a'], { source: 'tmpfs', type: 'tmpfs' }],
  ['npmPackage', ['x'], { version: '1.0.0' }],
  ['pkg', ['x'], {}],
  ['reboot', [], {}],
  ['replace', ['/a'], { match: /a/, with: 'b' }],
  ['script', ['package.json'], { interpreter: 'sh' }],
  ['service', ['x'], { running: true }],
  ['sudoers', ['x'], { rules: [{ user: 'x', commands: 'ALL' }] }],
  ['swap', ['/a'], { size: '1G' }],
  ['sysctl', ['x'], { set: { 'a.b': 1 } }],
  ['systemdUnit', ['x'], { content: '[Unit]\n' }],
  ['timezone', ['Europe/Berlin'], {}],
  ['toml', ['/a'], { set: { a: 1 } }],
  ['user', ['x'], {}],
  ['waitFor', [], { port: 1 }],
  ['yaml', ['/a'], { set: { a: 1 } }],
]

describe('options that nobody checked the types of', () => {
  test.each(resources)(
    '%s has no option of another name, and none that is null',
    (name, names, options) => {
      const make = (hostwright as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!
      expect(() => make(...names, { ...options, tags: 'a', notify: undefined })).not.toThrow()
      expect(() => make(...names, { ...options, wrongly: 1 })).toThrow(
        refused('no option "wrongly"'),
      )
      for (const option of Object.keys(options)) {
        expect(() => make(...names, { ...options, [option]: null })).toThrow(
          refused(`${option} must not be null`),
        )
      }
    },
  )

  test.each<[string, () => unknown, string]>([
    [
      'a slip',
      () => file('/a', wrong({ contnet: 'x' })),
      'file /a: it has no option "contnet": did you mean content',
    ],
    [
      'a text for a flag',
      () => file('/a', wrong({ absent: 'no' })),
      'absent must be true or false',
    ],
    ['a number for a text', () => file('/a', wrong({ validate: 1 })), 'validate must be a string'],
    [
      'a text for a list',
      () => ini('/a', wrong({ unset: 'a' })),
      'unset must be a list of strings',
    ],
    [
      'a list for values',
      () => ini('/a', wrong({ set: ['a'] })),
      'set must be an object with values by name',
    ],
    [
      'a secret for a text',
      () => command('x', wrong({ unless: secret('hunter2') })),
      'unless must be a string',
    ],
    ['a text for all options', () => pkg('a', wrong('b')), 'pkg: its options must be an object'],
    [
      'an option of a rule',
      () => sudoers('a', { rules: [wrong({ user: 'a', commands: 'ALL', noPasswd: true })] }),
      'a rule: it has no option "noPasswd": did you mean noPassword',
    ],
    [
      'one command for a list',
      () => sudoers('a', { rules: [{ user: 'a', commands: wrong('/bin/x') }] }),
      "a list, or 'ALL'",
    ],
    [
      'the name of a handler',
      () => file('/a', wrong({ notify: 'restart nginx' })),
      'notify takes resources',
    ],
    [
      'a condition that is known',
      () => file('/a', wrong({ when: true })),
      'when takes a condition',
    ],
    ['one of a task', () => task('t', () => [], wrong({ when: 'x' }))(), 'when takes a condition'],
    ['a number for a user', () => file('/a', wrong({ as: 0 })), 'is not a valid user name'],
  ])('%s is refused, with the line of the recipe', (_, make, message) => {
    expect(make).toThrow(refused(message.replace(/[()/]/g, '\\$&')))
  })

  test('a missing source is reported with the directory where it was looked for', () => {
    expect(() => file('/a', { source: 'files/nope' })).toThrow(
      refused(
        `can’t read the source files/nope: there is no such file, seen from ${process.cwd()}`,
      ),
    )
  })

  test('undefined is as good as left out', () => {
    expect(() => file('/a', wrong({ validate: undefined, mode: undefined }))).not.toThrow()
    expect(() =>
      service('a', { running: true, notify: handler(service('b', { restarted: true })) }),
    ).not.toThrow()
  })

  test('a value that may be secret is not shown', () => {
    expect(() => file('/a', wrong({ validate: ['hunter2'] }))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
  })
})
