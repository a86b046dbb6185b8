/** What the INI editor must do: the file before, what is wanted, and the file after, byte for byte. */
import type { IniOptions } from '../../lib/resources/ini.ts'
import { haproxyConfig } from './haproxy-config.ts'

export interface IniCase {
  name: string
  before: string | Buffer
  want: IniOptions
  /** Left out: the file is as wanted. */
  after?: string | Buffer
  /** What the step says of it; the key that is set, if left out. */
  note?: string
}

const app = (set: IniOptions['set'], unset?: string[]): IniOptions => ({
  section: 'app',
  set,
  unset,
})

const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** Values that a shell, an awk or a replacement text could take for something of its own. */
export const hardValues = [
  '&',
  '\\&\\\\',
  '\\n\\t\\0',
  '/a/b/',
  '$HOME "$x" $(id) `id`',
  `"double" 'single'`,
  '%s%d%%',
  'ünïcödé ☃ 🦊',
  'a = b : c ; d # e',
  '[not a section]',
  '-n',
  '*?[x]',
  '!history ~ {a,b}',
  'tab\there',
  '0x10',
  '1e3',
]

export const iniCases: readonly IniCase[] = [
  { name: 'as wanted', before: '[app]\nport = 80\n', want: app({ port: 80 }) },
  {
    name: 'as wanted in another spelling',
    before: '[app]\n  port=80   \n',
    want: app({ port: 80 }),
  },
  {
    name: 'a number is compared as text',
    before: '[app]\nport = 080\n',
    want: app({ port: 80 }),
    after: '[app]\nport = 80\n',
    note: 'port',
  },
  {
    name: 'changes a value and nothing else',
    before: '; top\n\n[app]\n# about ports\nport\t=  80\nname = x\n\n[other]\nport = 80\n',
    want: app({ port: 8080 }),
    after: '; top\n\n[app]\n# about ports\nport\t=  8080\nname = x\n\n[other]\nport = 80\n',
    note: 'port',
  },
  {
    name: 'adds a key at its section’s end, before blanks and comments of the next',
    before: '[app]\nname=x\n\n# about other\n[other]\ny=1\n',
    want: app({ port: 80 }),
    after: '[app]\nname=x\nport=80\n\n# about other\n[other]\ny=1\n',
    note: 'port',
  },
  {
    name: 'adds several keys in their order, indented like their neighbours',
    before: '[app]\n\tname = x\n[other]\n',
    want: app({ b: 1, a: 2 }),
    after: '[app]\n\tname = x\n\tb = 1\n\ta = 2\n[other]\n',
    note: 'b, a',
  },
  {
    name: 'does not make a new key the continuation of a value',
    before: '[app]\nlist =\n    a=1\n    b=2\n',
    want: app({ port: 80 }),
    after: '[app]\nlist =\n    a=1\n    b=2\nport =80\n',
    note: 'port',
  },
  {
    name: 'adds a section',
    before: '[other]\nx=1\n',
    want: app({ port: 80 }),
    after: '[other]\nx=1\n\n[app]\nport=80\n',
    note: 'port',
  },
  {
    name: 'adds a section after a blank line that is there',
    before: '[other]\nx : 1\n\n',
    want: app({ port: 80 }),
    after: '[other]\nx : 1\n\n[app]\nport : 80\n',
    note: 'port',
  },
  {
    name: 'an empty section gets its key',
    before: '[app]\n\n[other]\n',
    want: app({ port: 80 }),
    after: '[app]\nport = 80\n\n[other]\n',
    note: 'port',
  },
  {
    name: 'an empty file',
    before: '',
    want: app({ port: 80 }),
    after: '[app]\nport = 80\n',
    note: 'port',
  },
  {
    name: 'removes a key, wherever it stands in its section',
    before: '[app]\na=1\nb=2\na=3\n[other]\na=4\n',
    want: app({}, ['a']),
    after: '[app]\nb=2\n[other]\na=4\n',
    note: 'a',
  },
  { name: 'a key to remove is not there', before: '[app]\nb=2\n', want: app({}, ['a']) },
  {
    name: 'removes the only line',
    before: 'a=1\n',
    want: { unset: ['a'] },
    after: '',
    note: 'a',
  },
  {
    name: 'sets, adds and removes at once',
    before: '[app]\na=1\nb=2\n',
    want: app({ b: 3, c: 4 }, ['a']),
    after: '[app]\nb=3\nc=4\n',
    note: 'b, c, a',
  },
  {
    name: 'keys before the first section',
    before: 'a = 1\n\n[s]\na = 2\n',
    want: { set: { a: 3, b: 4 } },
    after: 'a = 3\nb = 4\n\n[s]\na = 2\n',
    note: 'a, b',
  },
  {
    name: 'keys before the first section, where there are none yet',
    before: '[s]\na = 2\n',
    want: { set: { b: 4 } },
    after: 'b = 4\n[s]\na = 2\n',
    note: 'b',
  },
  {
    name: 'CRLF line endings',
    before: '[app]\r\na = 1\r\nb = 2\r\n',
    want: app({ a: 3, c: 4 }),
    after: '[app]\r\na = 3\r\nb = 2\r\nc = 4\r\n',
    note: 'a, c',
  },
  {
    name: 'CRLF and a new section',
    before: '[s]\r\na = 1\r\n',
    want: app({ c: 4 }),
    after: '[s]\r\na = 1\r\n\r\n[app]\r\nc = 4\r\n',
    note: 'c',
  },
  {
    name: 'CRLF and no final newline',
    before: '[app]\r\na = 1',
    want: app({ c: 4 }),
    after: '[app]\r\na = 1\r\nc = 4',
    note: 'c',
  },
  { name: 'CRLF, as wanted', before: '[app]\r\na = 1\r\n', want: app({ a: 1 }) },
  {
    name: 'a byte order mark before a key',
    before: '\ufeffa = 1\n',
    want: { set: { a: 2, b: 3 } },
    after: '\ufeffa = 2\nb = 3\n',
    note: 'a, b',
  },
  {
    name: 'a byte order mark before a section',
    before: '\ufeff[app]\na = 1\n',
    want: app({ a: 2 }),
    after: '\ufeff[app]\na = 2\n',
    note: 'a',
  },
  {
    name: 'a byte order mark and nothing else',
    before: '\ufeff',
    want: app({ a: 2 }),
    after: '\ufeff\n[app]\na = 2',
    note: 'a',
  },
  {
    name: 'no final newline, value changed',
    before: '[app]\na = 1',
    want: app({ a: 2 }),
    after: '[app]\na = 2',
    note: 'a',
  },
  {
    name: 'no final newline, key and section added',
    before: '[app]\na = 1',
    want: { set: { b: 2 } },
    after: 'b = 2\n[app]\na = 1',
    note: 'b',
  },
  {
    name: 'sections that stand twice: the last occurrence counts',
    before: '[app]\na=1\n[x]\n[app]\na=2\n[y]\n',
    want: app({ a: 3, b: 4 }),
    after: '[app]\na=1\n[x]\n[app]\na=3\nb=4\n[y]\n',
    note: 'a, b',
  },
  {
    name: 'keys that stand twice: the last one counts',
    before: '[app]\na=2\na=1\n',
    want: app({ a: 2 }),
    after: '[app]\na=2\na=2\n',
    note: 'a',
  },
  {
    name: 'colons as separators',
    before: '[app]\na: 1\nurl: http://x/?q=1\n',
    want: app({ a: 2, url: 'http://x/?q=1', b: 3 }),
    after: '[app]\na: 2\nurl: http://x/?q=1\nb: 3\n',
    note: 'a, b',
  },
  {
    name: 'a key that holds a colon',
    before: '[app]\nx: 1\n',
    want: app({ 'a:b': 2 }),
    after: '[app]\nx: 1\na:b = 2\n',
    note: 'a:b',
  },
  { name: 'a bare key', before: '[app]\nflag\n', want: app({ flag: '' }) },
  {
    name: 'a bare key gets a value',
    before: '[app]\n  flag\n',
    want: app({ flag: 'on' }),
    after: '[app]\n  flag = on\n',
    note: 'flag',
  },
  {
    name: 'a bare key goes',
    before: '[app]\nflag\nflags\n',
    want: app({}, ['flag']),
    after: '[app]\nflags\n',
    note: 'flag',
  },
  {
    name: 'an empty value',
    before: '[app]\na = 1\n',
    want: app({ a: '' }),
    after: '[app]\na = \n',
    note: 'a',
  },
  {
    name: 'a key in a comment is none',
    before: '[app]\n#a = 1\n;a = 1\n  # a = 1\n',
    want: app({ a: 1 }),
    after: '[app]\na = 1\n#a = 1\n;a = 1\n  # a = 1\n',
    note: 'a',
  },
  {
    name: 'keys that begin or end like the wanted one',
    before: '[app]\nab=1\nba=1\na b=1\nA=1\na.=1\n',
    want: app({ a: 2 }),
    after: '[app]\nab=1\nba=1\na b=1\nA=1\na.=1\na=2\n',
    note: 'a',
  },
  {
    name: 'keys that are regular expressions',
    before: '[a.*]\naxb=1\na.*b=1\n[axx]\na.*b=1\n',
    want: { section: 'a.*', set: { 'a.*b': 2, '(': 3, 'b+\\': 4 } },
    after: '[a.*]\naxb=1\na.*b=2\n(=3\nb+\\=4\n[axx]\na.*b=1\n',
    note: 'a.*b, (, b+\\',
  },
  {
    name: 'sections with spaces, quotes and numbers for names',
    before: '[remote "origin"]\n\turl = a\n[1.0]\nx = 1\n[1]\nx = 1\n',
    want: { section: '1', set: { x: 2 } },
    after: '[remote "origin"]\n\turl = a\n[1.0]\nx = 1\n[1]\nx = 2\n',
    note: 'x',
  },
  {
    name: 'a section with a comment behind it',
    before: '[app] ; mine\na = 1\n',
    want: app({ a: 2 }),
    after: '[app] ; mine\na = 2\n',
    note: 'a',
  },
  {
    name: 'Latin-1 stays Latin-1',
    before: latin1('[app]\nn\xe4me = M\xfcller\nport = 1\n'),
    want: app({ port: 2 }),
    after: latin1('[app]\nn\xe4me = M\xfcller\nport = 2\n'),
    note: 'port',
  },
  {
    name: 'every byte but NUL and newline in lines that are not wanted',
    before: Buffer.concat([
      Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter(byte => byte !== 10)),
      Buffer.from('\n[app]\nport = 1\n'),
    ]),
    want: app({ port: 2 }),
    after: Buffer.concat([
      Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter(byte => byte !== 10)),
      Buffer.from('\n[app]\nport = 2\n'),
    ]),
    note: 'port',
  },
  {
    name: 'a long line',
    before: `[app]\nlong = ${'x'.repeat(100_000)}\nport = 1\n`,
    want: app({ port: 2 }),
    after: `[app]\nlong = ${'x'.repeat(100_000)}\nport = 2\n`,
    note: 'port',
  },
  ...hardValues.map(value => ({
    name: `the value ${value}`,
    before: '[app]\na = 1\nb = 2\n',
    want: app({ a: value, c: value }),
    after: `[app]\na = ${value}\nb = 2\nc = ${value}\n`,
    note: 'a, c',
  })),
  {
    name: 'words: haproxy’s own, a value and its comment',
    before: haproxyConfig('2000', '50000'),
    want: { format: 'words', section: 'global', set: { maxconn: 4000 } },
    after: haproxyConfig('4000', '50000'),
    note: 'maxconn',
  },
  {
    name: 'words: a key of two words, however they are spaced',
    before: haproxyConfig('2000', '50000'),
    want: {
      format: 'words',
      section: 'defaults',
      set: { 'timeout server': '30s', 'timeout client': 50000, 'option httplog': '' },
    },
    after: haproxyConfig('2000', '30s'),
    note: 'timeout server',
  },
  {
    name: 'words: as wanted, with a comment behind it',
    before: haproxyConfig('2000', '50000'),
    want: { format: 'words', section: 'global', set: { maxconn: 2000, user: 'haproxy' } },
  },
  {
    name: 'words: a section with a comment behind it, and a quoted #',
    before: haproxyConfig('2000', '50000'),
    want: {
      format: 'words',
      section: 'frontend web',
      set: { 'bind :::443': 'ssl crt "/etc/haproxy/site #1.pem"' },
    },
  },
  {
    name: 'words: adds and removes',
    before: 'backend app\n    balance roundrobin\n    server a 10.0.0.1:80 check\n\nbackend b\n',
    want: {
      format: 'words',
      section: 'backend app',
      set: { 'server b': '10.0.0.2:80 check', balance: 'leastconn' },
      unset: ['server a'],
    },
    after: 'backend app\n    balance leastconn\n    server b 10.0.0.2:80 check\n\nbackend b\n',
    note: 'server b, balance, server a',
  },
  {
    name: 'words: adds a section',
    before: 'global\n\tdaemon\n',
    want: { format: 'words', section: 'listen stats', set: { mode: 'http' } },
    after: 'global\n\tdaemon\n\nlisten stats\n\tmode http\n',
    note: 'mode',
  },
]
