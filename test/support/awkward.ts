/** Texts that readers of configuration files take for something else, for tests against those readers. */
import fc from 'fast-check'

/** Words that mean something in one format or another. */
const words = [
  ...['yes', 'no', 'on', 'off', 'y', 'N', 'true', 'False', 'null', '~', 'none', '.inf', '.NaN'],
  ...[
    '0',
    '-1',
    '0644',
    '0o17',
    '0x1F',
    '1_000',
    '1:30',
    '1e3',
    '1e+21',
    '.5',
    '5.',
    '+3',
    '12e03',
  ],
  ...['2001-01-01', '2001-12-14t21:59:43.10-05:00', '1979-05-27T07:32:00Z', '07:32:00', '1.2.3'],
  ...[
    '=',
    '<<',
    '*a',
    '&b',
    '!c',
    '!!str',
    '%d',
    '@e',
    '`f`',
    '|',
    '>',
    '? g',
    '- h',
    '---',
    '...',
  ],
  ...['a: b', 'a:b', ': b', 'a #b', '#c', ';d', '//e', '[f]', '{g}', 'h]', 'i,j', '/k', '~/l'],
  ...[
    '$HOME',
    '$' + '{X}',
    '$$',
    '`id`',
    '$(id)',
    '%h',
    '%%',
    '%(x)s',
    '!',
    '&',
    '<',
    '(',
    '*',
    '?',
  ],
  ...[
    '\\',
    'a\\',
    '\\n',
    '\\"',
    '\\\\',
    '\\$',
    "'",
    '"',
    "it's",
    '"q"',
    "''",
    '"',
    'é',
    '✓',
    '日本',
    '😀',
  ],
]

/** A line of text, without control characters: some words, and what stands between them. */
export const awkwardLine: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...words) },
      { weight: 2, arbitrary: fc.constantFrom(' ', '  ', '\t', '=', ':', ',', ' # ', ' ; ', '-') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 4 }) },
    ),
    { minLength: 0, maxLength: 4 },
  )
  .map(parts => parts.join(''))

/** So many values of a kind. What fails is reported with the seed that makes it again. */
export const many = <T>(one: fc.Arbitrary<T>, count = 200): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: count, maxLength: count, size: 'max' })

/**
 * Checks one such array: readers are asked once about all. A failure is not made smaller, as it names the
 * values that it is about.
 */
export const once = { numRuns: 1, endOnFailure: true } as const
