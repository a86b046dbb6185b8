import { expect, test } from 'vitest'
import { parseFacts } from '../../../lib/session/facts.ts'

const lines = (...text: string[]) => `${text.join('\n')}\n`

test('reads what the host says of itself', () => {
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
  )
  expect(parseFacts(text)).toEqual({
    pid: 4711,
    facts: {
      os: 'Linux',
      distribution: 'debian',
      version: '12',
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
])('takes quotes of os-release away: %s', (line, expected) => {
  expect(parseFacts(lines(line)).facts.distribution).toBe(expected)
})

test('what a host can’t tell is empty, with one processor at least', () => {
  expect(parseFacts('')).toEqual({
    pid: 0,
    facts: {
      os: '',
      distribution: '',
      version: '',
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
