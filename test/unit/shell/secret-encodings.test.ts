import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createRedactor } from '../../../lib/shell/redact.ts'

const secret = `it's "a<b&c>d" \\ end`

/** What Python makes of the secret, which is its argument. */
const python = (expression: string) =>
  execFileSync(
    'python3',
    ['-c', `import sys,json,html,base64,binascii; s=sys.argv[1]; print(${expression})`, secret],
    { encoding: 'utf8' },
  )

test.each([
  'json.dumps(json.dumps(s))',
  `"'" + s.replace("'", "''") + "'"`,
  `'"' + s.replace('"', '""') + '"'`,
  'html.escape(s)',
  'html.escape(s, quote=False)',
  's.encode().hex()',
  's.encode().hex().upper()',
  'base64.b32encode(s.encode()).decode()',
  'base64.b32encode((s + chr(10)).encode()).decode()',
])('a secret is hidden as Python writes it by %s', { tags: ['python3'] }, expression => {
  const redactor = createRedactor()
  redactor.hide([secret])
  expect(redactor.redact(python(expression))).toMatch(/^["'\\]*\*{8}["'\\=]*\n$/)
})
