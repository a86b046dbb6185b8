import { describe, expect, it } from 'vitest'
import { isSecret, secret } from '../../../lib/shell/secret.ts'
import { evaluate, render, type Scope } from '../../../lib/templates/engine.ts'

const variables: Readonly<Record<string, unknown>> = {
  port: 8080,
  hosts: ['web1', 'web2'],
  app: { name: 'shop', tags: ['a', null, true], load: 1.5 },
  users: [
    { name: 'bob', age: 3 },
    { name: 'Al', age: 9 },
  ],
}
const scope: Scope = { lookup: name => variables[name] }
const value = (text: string, from = scope) =>
  evaluate(text, from, { file: 'all.yml', line: 3, name: 'v' })
const text = (template: string, from = scope) => render(template, from, { file: 'a.j2' })

describe('evaluate', () => {
  it.each([
    ['{{ port }}', 8080],
    ['{{ port + 1 }}', '8081'],
    ['{{ hosts }}', ['web1', 'web2']],
    ["{{ users | map(attribute='name') | join(',') }}", 'bob,Al'],
    ["{{ users | selectattr('age', 'gt', 4) | list }}", [{ name: 'Al', age: 9 }]],
    ['{{ app }}', { name: 'shop', tags: ['a', null, true], load: 1.5 }],
    ['is {{ app }}', "is {'name': 'shop', 'tags': ['a', None, True], 'load': 1.5}"],
    ['[{{ port }}, "x"]', [8080, 'x']],
    ['{{ none }}', ''],
    ["{{ gone.deeper | default('d') }}", 'd'],
  ])('makes of %s what Ansible does', (template, expected) => {
    expect(value(template)).toStrictEqual(expected)
  })

  it.each([
    ['{{ gone }}', "'gone' is undefined"],
    ['{{ hosts | bogus }}', "the filter 'bogus' is not known here"],
    ['{{ hosts is bogus }}', "the test 'bogus' is not known here"],
    ['\n{{ hosts[7] }}', 'list object has no element 7'],
  ])('refuses %s and names the variable, the file and the line', (template, why) => {
    const line = template.startsWith('\n') ? 4 : 3
    expect(() => value(template)).toThrow(`all.yml:${line}: v: ${why}`)
  })

  it('keeps what is made of a secret secret, and leaves the rest visible', () => {
    const from: Scope = {
      lookup: name => (name === 'password' ? secret('hunter22') : variables[name]),
    }
    const made = value("{{ {'user': app.name, 'url': 'db://' ~ password} }}", from) as Record<
      string,
      unknown
    >
    expect(made.user).toBe('shop')
    expect(isSecret(made.url) && made.url.reveal()).toBe('db://hunter22')
    for (const template of [
      'p={{ password }}',
      '{{ password | b64encode }}',
      '{{ password[0:6] }}',
      '{{ password.upper() }}',
      '{{ [password] | to_json }}',
      '{{ [password] }}!',
    ])
      expect(isSecret(value(template, from)), template).toBe(true)
  })
})

describe('what a template must not reach', () => {
  it.each([
    "{{ ''.constructor }}",
    "{{ ''['constructor'] }}",
    '{{ hosts.__class__ }}',
    '{{ hosts.prototype }}',
    '{{ app.__proto__ }}',
    '{{ app.toString }}',
    '{{ hosts.map }}',
    '{{ process }}',
    '{{ globalThis }}',
    '{{ range.constructor }}',
    '{{ self }}',
    '{{ hosts | constructor }}',
    '{{ hosts is toString }}',
    '{{ hosts.append(1) }}',
    '{{ app.update({}) }}',
    '{% for i in range(10 ** 9) %}{% endfor %}',
    '{% for i in range(10 ** 5) %}{% for j in range(10 ** 5) %}{% endfor %}{% endfor %}',
    '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
    "{{ 'a' * 10 ** 10 }}",
    "{{ '%1000000000d' % 1 }}",
    '{{ 10 ** (10 ** 10) }}',
    "{{ 'a' | indent(10 ** 10, true) }}",
    "{{ ''.center(10 ** 10) }}",
    '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}',
    "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    `{{ ${'('.repeat(3_000)}1${')'.repeat(3_000)} }}`,
    `{{ ${'not '.repeat(3_000)}1 }}`,
    `{{ ${'['.repeat(3_000)} }}`,
    `${'{% if 1 %}'.repeat(3_000)}`,
  ])('refuses one with an error, never by reaching it: %j', template => {
    expect(() => text(template)).toThrow(/^a\.j2:1: /)
  })

  it('takes time linear in the text for a regular expression', () => {
    expect(text(`{{ '${'a'.repeat(5000)}!' is match('(a+)+$') }}`)).toBe('False')
  })
})
