import { describe, expect, it } from 'vitest'
import {
  fileNames,
  isOn,
  parseAnswer,
  parseRemarks,
  valueIn,
} from '../../../../lib/transport/config/answer.ts'

describe('what ssh -G prints', () => {
  const answer = parseAnswer(
    'host web1\nidentityfile ~/my key\nidentityfile ~/.ssh/%h\ncanonicalizePermittedcnames none\nproxyusefdpass no\npubkeyauthentication true\nempty \n',
  )

  it('is read by keyword, with complete values', () => {
    expect(valueIn(answer, 'host')).toBe('web1')
    expect(answer.get('identityfile')).toEqual(['~/my key', '~/.ssh/%h'])
    expect(valueIn(answer, 'canonicalizepermittedcnames')).toBe('none')
    expect(valueIn(answer, 'empty')).toBe('')
    expect(valueIn(answer, 'user')).toBeUndefined()
  })

  it('accepts both yes and true for switches', () => {
    expect(isOn(answer, 'pubkeyauthentication')).toBe(true)
    expect(isOn(answer, 'proxyusefdpass')).toBe(false)
    expect(isOn(answer, 'unsaid')).toBe(false)
  })

  it('is not expanded again where ssh has expanded tokens', () => {
    const said = parseAnswer('identityagent /run/%d\nuserknownhostsfile ~/%h\n')
    expect(valueIn(said, 'identityagent')).toBe('/run/%%d')
    expect(valueIn(said, 'userknownhostsfile')).toBe('~/%h')
  })
})

describe('file names in one value', () => {
  const there =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path)

  it('are words if each is an absolute path', () => {
    expect(fileNames('/a/known ~/known2', there())).toEqual(['/a/known', '~/known2'])
  })

  it('may contain spaces', () => {
    expect(fileNames('/a/my known hosts /b', there('/a/my known hosts'))).toEqual([
      '/a/my known hosts',
      '/b',
    ])
    expect(fileNames('/a/my known', there())).toEqual(['/a/my known'])
  })

  it('are split where only the second part is a file', () => {
    expect(fileNames('/a/known here', there('here'))).toEqual(['/a/known', 'here'])
  })
})

describe('the output of ssh -v', () => {
  it('names the files that ssh reads, in whatever words', () => {
    const text =
      'debug1: Reading configuration data /a b/config\r\ndebug1: /a b/config line 1: Applying options for *\r\nnow in /c\n'
    expect(parseRemarks(text).paths).toEqual([
      '/a b/config',
      '/a b/config line 1: Applying options for *',
      '/c',
    ])
  })

  it.each(['OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.22', 'debug1: OpenSSH_10.0p2, OpenSSL 3.5.4'])(
    'is reduced to the complaints, after %s',
    version => {
      const text = `${version}\r\ndebug1: Reading configuration data c\r\nc: line 2: Bad configuration option: nonsense\r\nc line 3: Bad port '0'.\r\nc: terminating, 2 bad configuration options\r\n`
      expect(parseRemarks(text).complaint).toBe(
        "c: line 2: Bad configuration option: nonsense; c line 3: Bad port '0'.",
      )
    },
  )
})
