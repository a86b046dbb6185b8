import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createProgress } from '../../lib/report/progress.ts'
import { createRedactor } from '../../lib/shell/redact.ts'
import { python as interpreter } from '../support/requires.ts'
import { ofType, recordEvents } from '../support/run-events.ts'
import { testEach } from '../support/shells.ts'

const secret = `it's "a<b&c>d" \\ énd`

function redact(text: string, ...values: string[]): string {
  const redactor = createRedactor()
  redactor.hide(values)
  return redactor.redact(text)
}

/** What Python makes of the secret. */
const python = (expression: string) =>
  execFileSync(
    'python3',
    [
      '-c',
      `import sys,json,html,base64,binascii,textwrap,urllib.parse; s=sys.argv[1]; b=s.encode(); j=json.dumps
sys.stdout.reconfigure(encoding="utf-8")
print(${expression})`,
      secret,
    ],
    { encoding: 'utf8' },
  )

// These hold text alone: each is hidden whole, but for quotes, padding and what else is around it.
const alone = [
  's',
  's.upper()',
  's.lower()',
  's.swapcase()',
  'j(s)',
  'j(s, ensure_ascii=False)',
  'j(s).replace("\\\\u00e9", "\\\\u00E9")',
  'j(j(s))',
  'j(j(s, ensure_ascii=False), ensure_ascii=False)',
  'j({"a": j([s])})[9:-3]',
  `"'" + s.replace("'", "''") + "'"`,
  `'"' + s.replace('"', '""') + '"'`,
  'html.escape(s)',
  'html.escape(s, quote=False)',
  'html.escape(html.escape(s))',
  'html.escape(s).encode("ascii", "xmlcharrefreplace").decode()',
  '"".join(f"&#{ord(c)};" for c in s)',
  '"".join(f"&#x{ord(c):X};" for c in s)',
  'b.hex()',
  'b.hex().upper()',
  'b.hex(":")',
  'b.hex(" ", 2)',
  '"".join(f"\\\\x{c:02x}" for c in b)',
  'base64.b32encode(b).decode()',
  'base64.b32encode(b).decode().lower()',
  'base64.b32encode((s + chr(10)).encode()).decode()',
  'urllib.parse.quote(s).lower()',
]
test.each(alone)(
  'a secret is hidden as Python writes it by %s',
  { tags: ['python3'] },
  expression => {
    expect(redact(python(expression), secret)).toMatch(/^["'\\]*\*{8}["'\\=]*\n$/)
  },
)

// Around the secret is other text, which shares bits with its first and last character.
test.each(
  [0, 1, 2, 3, 4].flatMap(more =>
    ['base64.b32encode', 'base64.b64encode'].map(by => ({ more, by })),
  ),
)(
  'a secret is hidden behind $more other bytes in the output of $by',
  { tags: ['python3'] },
  ({ more, by }) => {
    const text = python(`${by}(b"u" * ${more} + b + b"vwxyz").decode()`)
    expect(redact(text, secret)).toMatch(/^[A-Z\d]{0,7}[\w+/]?\*{8}[\w+/]{6,9}=*\n$/i)
  },
)

const lines = [
  ...[3, 5, 8, 16].map(
    width => `chr(10).join(s[i:i+${width}] for i in range(0, len(s), ${width}))`,
  ),
  ...[4, 7, 20].map(
    width => `textwrap.fill(base64.b64encode(b"user:" + b + b"/").decode(), ${width})`,
  ),
  'textwrap.fill(base64.b32encode(b).decode(), 10)',
  'textwrap.fill(b.hex(), 9)',
  'textwrap.fill(s, 8, initial_indent="  ", subsequent_indent="  ")',
  'chr(13) + chr(10).join(textwrap.wrap(b.hex(), 6))',
]
test.each(lines)(
  'a secret is hidden over several lines, as by %s',
  { tags: ['python3'] },
  expression => {
    // Of base64 within a longer text, characters that share bits with others stay.
    expect(redact(python(expression), secret)).toMatch(
      /^\s*([\w\n]{0,9})\*{8}\s*([\w\n]{0,3})=*\n$/,
    )
  },
)

testEach(
  [
    { name: 'od', tags: [], script: `printf %s "$0" | od -An -v -tx1` },
    { name: 'base64', tags: [], script: `printf %s "$0" | base64 -w 11` },
    { name: 'fold', tags: [], script: `printf '%s\\n' "$0" | fold -w 7` },
    { name: 'openssl', tags: ['openssl'] as const, script: `printf %s "$0" | openssl base64` },
  ],
  'a secret of one line is hidden where $name makes several of it',
  ({ script }) => {
    const long = `${secret} and ${secret} and more of it`
    const text = execFileSync('sh', ['-c', script, long], { encoding: 'utf8' })
    expect(text.trim().split('\n').length).toBeGreaterThan(1)
    expect(redact(text, long)).toMatch(/^\s*\*{8}=*\n$/)
  },
)

test('a folded YAML value is hidden as PyYAML writes it', { tags: ['pyyaml'] }, () => {
  const long = 'correct horse battery staple '.repeat(5).trim()
  const text = execFileSync(
    interpreter,
    ['-c', 'import sys,yaml; print(yaml.dump({"a": sys.argv[1]}))', long],
    {
      encoding: 'utf8',
    },
  )
  expect(text.split('\n').length).toBeGreaterThan(3)
  expect(redact(text, long)).toBe('a: ********\n\n')
})

/** What is shown of output that comes in these pieces. */
function shown(pieces: readonly Buffer[], value: string): string {
  const { events, seen } = recordEvents()
  const progress = createProgress('web1', 'recipe', events)
  progress.hide([value])
  const step = progress.own().step('step')
  for (const piece of pieces) step.output('stdout', piece)
  step.end('ok')
  return ofType(seen, 'step.output')
    .map(({ text }) => text)
    .join('')
}

describe('output', () => {
  const value = `Pass'w<ö>rd "5"`
  const inXml = value.replace(/[<>"']/g, char => `&#${char.charCodeAt(0)};`)
  const written: Record<string, string> = {
    'as it is': value,
    'in upper case': value.toUpperCase(),
    'in JSON within JSON': JSON.stringify(JSON.stringify({ value })).slice(14, -4),
    'with doubled quotes': value.replaceAll('"', '""'),
    'in XML': inXml,
    'in hexadecimal': Buffer.from(value).toString('hex'),
    'in base64': Buffer.from(value).toString('base64').replace(/=+$/, ''),
  }
  test.each(Object.entries(written))(
    'hides a secret %s, cut at any byte by a packet',
    (_name, text) => {
      const bytes = Buffer.from(`one ${text} two\nthree\n`)
      for (let at = 0; at <= bytes.length; at++)
        expect(shown([bytes.subarray(0, at), bytes.subarray(at)], value)).toBe(
          'one ******** two\nthree\n',
        )
    },
  )

  test.each(Object.entries(written))(
    'hides a secret %s, cut at any character by a line end',
    (_name, text) => {
      for (let at = 1; at < text.length; at++) {
        const [head, tail] = [text.slice(0, at), text.slice(at)]
        // A character written in several can't be cut in two lines.
        if (/[&\\][^;]*$/.test(head) && /^[#\w;"\\]/.test(tail)) continue
        const lines = [`zero\none ${head}\n`, `  ${tail} two\nthree\n`].map(line =>
          Buffer.from(line),
        )
        expect(shown([Buffer.concat(lines)], value)).toBe('zero\none ******** two\nthree\n')
        // If the second line comes later, up to three characters were shown already.
        const { length } = head.replaceAll(' ', '')
        const few = length < 4 || (/^&/.test(text) && at < 4)
        expect(shown(lines, value)).toBe(
          few ? `zero\none ${head}\n******** two\nthree\n` : 'zero\none ******** two\nthree\n',
        )
      }
    },
  )

  test('that is not UTF-8 hides a secret over two lines, and keeps its other bytes', () => {
    const [first, last] = [Buffer.from([0x61, 0xff, 0x0a]), Buffer.from('open-\nsesame\n')]
    expect(shown([first, last.subarray(0, 6), last.subarray(6)], 'open-sesame')).toBe(
      'a\ufffd\n********\n',
    )
    const line = Buffer.concat([
      Buffer.alloc(65_530, 0xff),
      Buffer.from('open-sesame'),
      Buffer.alloc(900, 0xfe),
    ])
    for (let shift = 0; shift < 80; shift++) {
      const cut = 65_500 + shift
      expect(shown([line.subarray(0, cut), line.subarray(cut)], 'open-sesame')).toBe(
        `${'\ufffd'.repeat(65_530)}********${'\ufffd'.repeat(900)}`,
      )
    }
  })

  test('waits for the next line only where a secret may have begun', () => {
    const progress = [
      Buffer.from('step 1\n'),
      Buffer.from('ends with open\n'),
      Buffer.from('next\n'),
    ]
    expect(shown(progress, 'open-sesame')).toBe('step 1\nends with open\nnext\n')
  })
})
