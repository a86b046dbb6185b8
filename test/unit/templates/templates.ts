/** Templates of what people use, made at random: expressions of each type, and the statements around them. */
import fc, { type Arbitrary } from 'fast-check'

export const variables: Readonly<Record<string, unknown>> = {
  port: 8080,
  zero: 0,
  minus: -7,
  big: 9007199254740991,
  ratio: 0.1,
  half: 2.5,
  yes_: true,
  no_: false,
  nothing: null,
  word: 'web1.example.org',
  text: 'Ein "Ünï" \'text\' mit $ & \\ {}',
  lines: 'one\n  two\n\nthree\n',
  empty: '',
  digits: '42',
  path: '/etc/haproxy/haproxy.cfg',
  numbers: [3, 1, 2, 1, -5],
  names: ['bob', 'Al', 'eve', 'BOB', 'al'],
  mixed: ['a', 1, null, true, 2.5, ['x', ['y']], { k: 'v' }],
  none_: [],
  app: { name: 'shop', port: 80, tags: ['x', 'y'], on: true, nested: { deep: { er: 'z' } } },
  limits: { soft: 1, hard: 2 },
  users: [
    { name: 'bob', age: 30, admin: true, keys: ['k1', 'k2'] },
    { name: 'Al', age: 4, admin: false, keys: [] },
    { name: 'eve', age: 30, keys: ['k3'] },
  ],
  void: {},
}

const one = <T>(...values: T[]) => fc.constantFrom(...values)
const quote = (text: string) =>
  `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`
const letters = fc.string({
  unit: one('a', 'B', 'z', ' ', '1', '-', '_', '.', 'é', '"', "'", '%', '/'),
  maxLength: 6,
})
const small = fc.integer({ min: -4, max: 12 })
const pattern = one(
  '[a-z]+',
  '(\\\\d+)',
  '^(\\\\w)(\\\\w*)',
  'e',
  '\\\\s+',
  '(?P<x>[aeiou])',
  '[^a-z]',
  'o|e',
  '\\\\.',
)

/** With each type that an expression has, so that most of them work. */
const made = fc.letrec<{
  text: string
  int: string
  number: string
  bool: string
  list: string
  dict: string
  users: string
  any: string
  gone: string
}>(tie => {
  const f = (parts: TemplateStringsArray, ...values: Arbitrary<unknown>[]) =>
    fc.tuple(...values).map(found => String.raw({ raw: parts }, ...found))
  const t = (
    name: 'text' | 'int' | 'number' | 'bool' | 'list' | 'dict' | 'users' | 'any' | 'gone',
  ) => tie(name) as Arbitrary<string>
  const pick = (...all: Arbitrary<string>[]) =>
    fc.oneof({ depthSize: 'small', withCrossShrink: true }, ...all)
  return {
    text: pick(
      one(
        'word',
        'text',
        'lines',
        'empty',
        'digits',
        'path',
        'app.name',
        "app['name']",
        'app.nested.deep.er',
        'names[0]',
        'names[-1]',
        'users[1].name',
      ),
      letters.map(quote),
      f`(${t('any')} ~ ${t('any')})`,
      f`(${t('text')} + ${t('text')})`,
      f`${t('text')} | ${one('upper', 'lower', 'trim', 'title', 'capitalize', 'quote', 'basename', 'dirname', 'b64encode', 'string', 'regex_escape', 'md5', 'hash', 'comment')}`,
      f`(${t('text')} | replace(${letters.map(quote)}, ${letters.map(quote)}))`,
      f`(${t('text')} | regex_replace('${pattern}', '${one('<\\\\g<0>>', '-', '', '[\\\\g<0>]')}'))`,
      f`(${t('text')} | regex_search('${pattern}'))`,
      f`(${t('text')} | indent(${one('2', '4, true', '3, false, true', 'width=1')}))`,
      f`(${t('list')} | join(${letters.map(quote)}))`,
      f`(${t('users')} | map(attribute='name') | join(','))`,
      f`(${t('any')} | ${one('to_json', 'to_nice_json', 'to_json(indent=2)', 'to_yaml', 'to_nice_yaml', 'to_nice_yaml(indent=2)')})`,
      f`('${one('%s', '%5s|', '%-6s|', '%r', '%.3s')}' % ${t('text')})`,
      f`('${one('%d', '%05d', '%+d', '%x', '%3d', '%o')}' % ${t('int')})`,
      f`('${one('%.2f', '%8.3f', '%e', '%g', '%05.1f')}' % ${t('number')})`,
      f`('%s=%s' | format(${t('any')}, ${t('int')}))`,
      f`${t('text')}.${one('upper()', 'strip()', "split('.')[0]", 'title()', "replace('e', 'E')", "startswith('w') | string", 'zfill(9)', 'center(9)', 'ljust(9)', 'rjust(9)', 'capitalize()', 'swapcase()')}`,
      f`${t('text')}[${small}:${small}]`,
      f`${t('text')}[${one('::-1', '1:', ':-1', '::2', '3:0:-1')}]`,
      f`(${t('text')} if ${t('bool')} else ${t('text')})`,
      f`(${t('bool')} | ternary(${t('text')}, ${t('text')}))`,
      f`(${t('gone')} | default(${t('text')}))`,
      f`(${t('text')} | default(${t('text')}, true))`,
      f`(${t('text')} | b64encode | b64decode)`,
    ),
    int: pick(
      one('port', 'zero', 'minus', 'big', 'app.port', 'limits.soft', 'users[0].age'),
      small.map(value => (value < 0 ? `(${value})` : `${value}`)),
      f`(${t('int')} ${one('+', '-', '*')} ${t('int')})`,
      f`(${t('int')} ${one('//', '%')} ${one('3', '-3', '7')})`,
      f`(${t('int')} ** ${one('2', '3')})`,
      f`-${t('int')}`,
      f`(${t('any')} | string | length)`,
      f`(${t('list')} | length)`,
      f`(${t('text')} | int)`,
      f`(${t('number')} | int)`,
      f`(${one("'42'", "'4.7'", "'x'", "' 7 '", "'1e3'", "'0x1f'")} | int(5${one('', ', 16', ', 8')}))`,
      f`(${t('int')} | abs)`,
      f`${t('text')}.${one('count', 'find', 'rfind')}('e')`,
    ),
    number: pick(
      one('ratio', 'half', '1.0', '1e16', '1e-5', '0.1 + 0.2', '123456.789'),
      t('int'),
      f`(${t('number')} ${one('+', '-', '*')} ${t('number')})`,
      f`(${t('number')} / ${one('2', '3', '0.5')})`,
      f`(${t('number')} // ${one('2', '0.3')})`,
      f`(${t('number')} % ${one('2', '0.3')})`,
      f`(${t('number')} | round${one('', '(1)', '(2)', "(0, 'floor')", "(1, 'ceil')")})`,
      f`(${t('text')} | float)`,
      f`(numbers | ${one('sum', 'min', 'max')})`,
      f`(users | sum(attribute='age'))`,
    ),
    bool: pick(
      one('yes_', 'no_', 'true', 'False', 'app.on'),
      f`(${t('int')} ${one('<', '<=', '>', '>=', '==', '!=')} ${t('number')})`,
      f`(1 < ${t('int')} <= 10)`,
      f`(${t('text')} ${one('==', '!=', '<', 'in', 'not in')} ${t('text')})`,
      f`(${t('any')} ${one('==', '!=')} ${t('any')})`,
      f`(${t('any')} ${one('in', 'not in')} ${t('list')})`,
      f`(${t('bool')} ${one('and', 'or')} ${t('bool')})`,
      f`(not ${t('bool')})`,
      f`(${t('any')} is ${one('', 'not ')}${one('defined', 'none', 'string', 'number', 'mapping', 'sequence', 'iterable', 'boolean', 'integer', 'float', 'truthy', 'sameas true')})`,
      f`(${t('gone')} is ${one('defined', 'undefined', 'not defined')})`,
      f`(${t('int')} is ${one('odd', 'even', 'divisibleby(3)', 'divisibleby 2')})`,
      f`(${t('text')} is ${one('match', 'search')}('${pattern}'))`,
      f`('${one('1.10', '2.0', '1.9.3', '1.10')}' is version('${one('1.9', '1.10', '2')}', '${one('<', '>=', '==', 'ne')}'))`,
      f`(${one("'yes'", "'No'", "'1'", '1', '0', "'on'", 'nothing', "'True'")} | bool)`,
    ),
    list: pick(
      one(
        'numbers',
        'names',
        'mixed',
        'none_',
        'app.tags',
        'range(4) | list',
        '[1, 2, 3]',
        "['a', 'b']",
        '[]',
      ),
      f`[${t('any')}, ${t('any')}]`,
      f`(${t('list')} + ${t('list')})`,
      f`(${one('numbers', 'names', 'app.tags')} | ${one('sort', 'unique', 'reverse | list', 'sort(reverse=true)', 'sort(case_sensitive=true)', 'unique(case_sensitive=true)')})`,
      f`(names | map('${one('upper', 'lower', 'length', 'capitalize')}') | list)`,
      f`(${t('users')} | map(attribute='${one('name', 'age', 'keys')}'${one('', ", default='d'")}) | list)`,
      f`(numbers | ${one('select', 'reject')}('${one('odd', 'even', 'gt', 'in', 'equalto')}'${one('', ', 1', ', [1, 2]')}) | list)`,
      f`(${one('names', 'app.tags', 'numbers')} | ${one('union', 'difference', 'intersect', 'symmetric_difference')}(${one('names', 'app.tags', "['bob', 3, 'x']")}))`,
      f`(${t('list')} | flatten${one('', '(levels=1)', '(1)')})`,
      f`(${t('dict')} | dict2items)`,
      f`${t('dict')}.${one('keys', 'values', 'items')}() | list`,
      f`(${t('text')}.split(${one('', "'.'", "'e'", 'none, 1', "'e', 1").map(String)}))`,
      f`${t('list')}[${small}:${small}]`,
      f`${t('list')}[::-1]`,
      f`(${t('list')} * 2)`,
      f`(${t('dict')} | dictsort)`,
      f`(${one('names', 'numbers')} | zip(${one('names', 'numbers')}) | list)`,
      f`(${t('text')} | regex_findall('${pattern}'))`,
      f`(users | subelements('keys'))`,
      f`(${t('list')} | batch(2) | list)`,
    ),
    users: pick(
      one('users', 'users'),
      f`(${t('users')} | ${one('selectattr', 'rejectattr')}('${one('admin', 'name', 'age', 'keys')}'${one('', ", 'defined'", ", 'equalto', 30", ", 'in', ['bob', 'eve']", ", '==', 'bob'")}) | list)`,
      f`(${t('users')} | sort(attribute='${one('name', 'age', 'age,name')}'))`,
      f`(${t('users')} | unique(attribute='age'))`,
    ),
    dict: pick(
      one(
        'app',
        'limits',
        'void',
        "{'a': 1}",
        "{'b': [1, 'x'], 'c': {}}",
        'users[0]',
        'app.nested',
      ),
      f`{'k': ${t('any')}, ${letters.map(quote)}: ${t('any')}}`,
      f`(${t('dict')} | combine(${t('dict')}${one('', ', recursive=true', ", list_merge='append'")}))`,
      f`(${t('dict')} | dict2items | items2dict)`,
      f`dict(a=${t('any')}, b=${t('int')})`,
    ),
    any: pick(
      t('text'),
      t('int'),
      t('number'),
      t('bool'),
      t('list'),
      t('dict'),
      one('nothing', 'none', 'None'),
      f`(${t('list')} | ${one('first', 'last')})`,
    ),
    gone: one('gone', 'app.gone', 'app.gone.er', 'users[9]', "void['x']", 'word.gone'),
  }
})

const block = (text: Arbitrary<string>) =>
  fc.tuple(one('', '-', '+'), text, one('', '-')).map(([a, inner, b]) => `{%${a} ${inner} ${b}%}`)
const print = (text: Arbitrary<string>) =>
  fc.tuple(one('', '-'), text, one('', '-')).map(([a, inner, b]) => `{{${a} ${inner} ${b}}}`)
const space = one('', ' ', '\n', '  \n ', '\n\n', 'x', 'x\n', ' y ', '\t')

const statements = fc.letrec<{ body: string; item: string }>(tie => {
  const body = tie('body') as Arbitrary<string>
  const f = (...parts: (Arbitrary<string> | string)[]) =>
    fc
      .tuple(...parts.map(part => (typeof part === 'string' ? fc.constant(part) : part)))
      .map(found => found.join(''))
  const loopValue = print(
    one(
      'i',
      'loop.index',
      'loop.index0',
      'loop.first',
      'loop.last',
      'loop.length',
      'loop.revindex',
      "loop.cycle('a', 'b')",
      'loop.previtem | default("-")',
      'loop.nextitem | default("-")',
      'i ~ port',
      'loop.changed(i)',
      'loop.depth',
    ),
  )
  return {
    body: fc.array(tie('item') as Arbitrary<string>, { maxLength: 4 }).map(items => items.join('')),
    item: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      space,
      print(made.any),
      fc.constant('{# a {{ comment }} #}'),
      one(
        '{#- c -#}',
        '{# c #}\n',
        '{% raw %}{{ raw }}{% endraw %}',
        '{%- raw -%} {% x {%- endraw %}\n',
        '{{ "{{" }}',
      ),
      f(
        space,
        block(made.bool.map(of => `if ${of}`)),
        body,
        block(one('else')),
        body,
        block(one('endif')),
        space,
      ),
      f(
        space,
        block(made.bool.map(of => `if ${of}`)),
        body,
        block(made.bool.map(of => `elif ${of}`)),
        body,
        block(one('endif')),
        space,
      ),
      f(
        block(made.list.map(of => `for i in ${of}`)),
        space,
        loopValue,
        space,
        body,
        block(one('endfor')),
      ),
      f(
        block(one('for i in none_', 'for i in numbers if i > 1', 'for i in numbers if i > 99')),
        loopValue,
        block(one('else')),
        body,
        block(one('endfor')),
      ),
      f(
        block(
          one(
            'for k, v in app.items()',
            'for k, v in limits | dictsort',
            'for k, v in {"a": 1}.items()',
          ),
        ),
        '{{ k }}={{ v }}',
        space,
        block(one('endfor')),
      ),
      f(block(made.any.map(of => `set x = ${of}`)), space, '{{ x }}', space),
      f(block(one('set x')), body, block(one('endset')), '[{{ x }}]'),
      f(
        '{% set ns = namespace(n=0) %}{% for i in numbers %}',
        block(one('set ns.n = ns.n + i')),
        '{% endfor %}{{ ns.n }}',
      ),
      f(
        '{% macro m(a, b=2, c="x") ',
        one('%}', '-%}'),
        space,
        '{{ a }}/{{ b }}/{{ c }}',
        space,
        '{% endmacro %}',
        one(
          '{{ m(1) }}',
          '{{ m(1, 3) }}',
          '{{ m(1, c="y") }}',
          '{{ m(a=[1], b=none) }}',
          '{{ m() }}',
        ),
      ),
      f(
        '{% macro w() %}<{{ caller(7) }}>{% endmacro %}{% call(q) w() %}{{ q }}',
        body,
        '{% endcall %}',
      ),
      f('{% filter upper %}', body, '{% endfilter %}'),
      f(block(made.int.map(of => `with y = ${of}`)), '{{ y }}', body, block(one('endwith'))),
    ),
  }
})

/** What stands in a template’s file. */
export const templateOf = statements.body

/** What stands in a variable: one expression, or text around some. */
export const settingOf = fc.oneof(
  { weight: 4, arbitrary: made.any.map(text => `{{ ${text} }}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(letters, made.any, letters, made.any)
      .map(([a, x, b, y]) => `${a}{{ ${x} }}${b}{{ ${y} }}`),
  },
  { weight: 1, arbitrary: statements.body },
)
