/** Inventories drawn at random: depth, priorities, types of values, templates, files of variables. */
import fc from 'fast-check'
import type { Data, Shape, Vars } from './shapes.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const

const texts = fc.constantFrom(
  ...[
    '',
    'x',
    'yes',
    'True',
    '1',
    '01',
    '1.0',
    'None',
    '[1]',
    "it's",
    '"q"',
    'a # b',
    'é',
    'k: v',
    ' pad ',
  ],
  ...['{', '}', '~', '*', '10.0.0.1', '2024-01-01', '1e3', '0x1f', 'a=b', '%', '- x', '|'],
)

const scalar: fc.Arbitrary<Data> = fc.oneof(
  { weight: 3, arbitrary: texts },
  fc.integer({ min: -1000, max: 1_000_000_000 }),
  fc.constantFrom(0.5, -1.25, 1e21, 1e-7),
  fc.boolean(),
  fc.constant(null),
)

const fixed = [
  '{{ n + 1 }}',
  '{{ n * 2 > 3 }}',
  '{{ inventory_hostname }}',
  '{{ group_names | sort | join(",") }}',
  "{{ hostvars['h1'].n }}",
  "{{ groups['all'] | length }}",
  "{{ 'y' if n == 1 else 'n' }}",
  '{% for x in [1, 2] %}{{ x + n }} {% endfor %}',
  "{{ {'n': n, 'l': [n]} }}",
  '{{ n | string }}',
  '{{ missing }}',
]

/** Templates of names that come earlier: circles, which take Ansible long, are among the projects. */
const templatesOf = (earlier: readonly string[]): fc.Arbitrary<string> => {
  if (earlier.length === 0) return fc.constantFrom(...fixed)
  const one = fc.constantFrom(...earlier)
  return fc.oneof(
    one.map(of => `{{ ${of} }}`),
    one.map(of => `<{{ ${of} }}>`),
    one.map(of => `{{ ${of} | default('none') }}`),
    fc.tuple(one, one).map(([x, y]) => `{{ [${x}, ${y}] }}`),
    fc.tuple(one, one).map(([x, y]) => `{{ ${x} ~ '-' ~ ${y} }}`),
    fc.constantFrom(...fixed),
  )
}

const dataOf = (earlier: readonly string[]): fc.Arbitrary<Data> =>
  fc.letrec<{ value: Data }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      { weight: 4, arbitrary: scalar },
      { weight: 3, arbitrary: templatesOf(earlier) },
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('k', 'l', 'm'), tie('value'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  })).value

const values = names.map((_, at) => dataOf(names.slice(0, at)))

const entry = fc
  .nat(names.length - 1)
  .chain(at => values[at]!.map((value): [string, Data] => [names[at]!, value]))

const vars: fc.Arbitrary<Vars> = fc
  .array(entry, { maxLength: 3 })
  .map(entries => Object.fromEntries(entries))

const hostNames = ['h1', 'h2.example.com']
const groupNames = ['g1', 'g2', 'web', 'db', 'prod']

const groups = fc
  .array(
    fc.record({
      hosts: fc.subarray(hostNames),
      // Only groups that come later are children: no circles.
      children: fc.subarray(groupNames),
      vars,
      priority: fc.option(fc.integer({ min: -2, max: 5 })),
    }),
    { minLength: groupNames.length, maxLength: groupNames.length },
  )
  .map(all =>
    Object.fromEntries(
      all.map(({ hosts, children, vars: own, priority }, at) => [
        groupNames[at]!,
        {
          hosts,
          children: children.filter(child => groupNames.indexOf(child) > at),
          vars: { ...own, ...(priority !== null && { ansible_group_priority: priority }) },
        },
      ]),
    ),
  )

const file = vars.map(
  all =>
    `---\n${Object.entries(all)
      .map(([key, item]) => `${key}: ${JSON.stringify(item)}\n`)
      .join('')}`,
)
const path = fc.constantFrom(
  ...['group_vars/all.yml', 'group_vars/g1.yml', 'group_vars/web', 'group_vars/prod/x.yml'],
  ...[
    'group_vars/prod/y.json',
    'host_vars/h1.yml',
    'host_vars/h2.example.com/a.yaml',
    '../group_vars/all.yml',
  ],
  ...['../group_vars/db.yml', '../host_vars/h1.yml', 'group_vars/ungrouped.yml'],
)

export const shapes: fc.Arbitrary<Shape> = fc
  .record({
    own: fc.tuple(vars, vars),
    groups,
    all: vars,
    files: fc.dictionary(path, file, { maxKeys: 5, noNullPrototype: true }),
  })
  .map(({ own, groups: found, all, files }) => ({
    hosts: Object.fromEntries(hostNames.map((host, at) => [host, { ...own[at]!, n: at + 1 }])),
    groups: { ...found, all: { vars: all } },
    files,
  }))
