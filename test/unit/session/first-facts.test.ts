import { expect, test } from 'vitest'
import { parseFacts } from '../../../lib/session/first-facts.ts'

const lines = (...text: string[]) => `${text.join('\n')}\n`

test('parseFacts reads the facts of a host', () => {
  const text = lines(
    'os=Linux',
    'hostname=web1.example.com',
    'architecture=x86_64',
    'packageManager=apt-get',
    'init=systemd',
    'pid=4711',
    'cpus=8',
    'memoryKib=16384000',
    'ID=debian',
    'VERSION_ID="12"',
    'VERSION_CODENAME=bookworm',
  )
  expect(parseFacts(text)).toEqual({
    pid: 4711,
    facts: {
      os: 'Linux',
      distribution: 'debian',
      version: '12',
      codename: 'bookworm',
      architecture: 'x86_64',
      packageManager: 'apt',
      init: 'systemd',
      hostname: 'web1.example.com',
      cpus: 8,
      memoryMib: 16000,
    },
  })
})

test.each([
  ['ID="rocky"', 'rocky'],
  ["ID='rocky'", 'rocky'],
  ['ID=rocky', 'rocky'],
  ['ID=', ''],
  [`ID="it's"`, "it's"],
  ['ID="half', '"half'],
  ['ID=a=b', 'a=b'],
])('parseFacts removes the quotes of os-release: %s', (line, expected) => {
  expect(parseFacts(lines(line)).facts.distribution).toBe(expected)
})

test('parseFacts leaves unknown facts empty, and assumes one processor', () => {
  expect(parseFacts('')).toEqual({
    pid: 0,
    facts: {
      os: '',
      distribution: '',
      version: '',
      codename: '',
      architecture: '',
      packageManager: '',
      init: '',
      hostname: '',
      cpus: 1,
      memoryMib: 0,
    },
  })
  expect(parseFacts(lines('cpus=many', 'memoryKib=', '=x', 'noise')).facts).toMatchObject({
    cpus: 1,
    memoryMib: 0,
  })
})
