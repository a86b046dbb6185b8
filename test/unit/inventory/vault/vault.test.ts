import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decryptVault, isVault } from '../../../../lib/inventory/vault/decrypt.ts'
import { readVaultPasswords, vaultSources } from '../../../../lib/inventory/vault/passwords.ts'
import { secret } from '../../../../lib/shell/secret.ts'

const directory = mkdtempSync(join(tmpdir(), 'hw-vault-'))
afterAll(() => rmSync(directory, { recursive: true }))

const write = (name: string, text: string, mode = 0o600) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const passwords = (...texts: string[]) =>
  texts.map(text => {
    const [id = '', password = ''] = text.split('@')
    return { id, password: secret(password) }
  })
const ask = () => Promise.reject(new Error('asked'))
const none = { passwordFiles: [], ids: [], ask: false, cwd: directory, env: {} }

/** Made by ansible-vault 2.14 from `a: ünï\n`, with the password `pässword 1` and the id prod. */
const recorded = readFileSync(new URL('./recorded.txt', import.meta.url), 'utf8')
const open = (text: string, ...given: string[]) =>
  decryptVault(text, passwords(...given), { file: 'all.yml', line: 7, name: 'password' })

describe('decryptVault', () => {
  it('opens a file that ansible-vault wrote', () => {
    expect(isVault(recorded)).toBe(true)
    expect(open(recorded, 'prod@pässword 1').reveal()).toBe('a: ünï\n')
  })

  it('opens it with the password of another id, and in lines of any length with blanks before them', () => {
    expect(open(recorded, 'prod@no', 'default@pässword 1').reveal()).toBe('a: ünï\n')
    const [head, ...body] = recorded.split('\n')
    const odd = `${head}\r\n${body.join('').replace(/.{33}/g, '  $&\r\n')}\r\n`
    expect(open(odd, 'prod@pässword 1').reveal()).toBe('a: ünï\n')
  })

  it('hides what it has opened', () => {
    expect(String(open(recorded, 'prod@pässword 1'))).toBe('********')
  })

  const [head = '', ...rest] = recorded.trimEnd().split('\n')
  const body = rest.join('')
  const changed = (at: number) =>
    body.slice(0, at) + (body[at] === '3' ? '6' : '3') + body.slice(at + 1)
  it.each([
    ['a wrong password', recorded, /no password fits \(tried those of prod\)/],
    ['a changed ciphertext', `${head}\n${changed(body.length - 1)}`, /no password fits|damaged/],
    ['a missing line', `${head}\n${rest.slice(1).join('\n')}`, /damaged|no password fits/],
    ['an odd number of digits', `${head}\n${body.slice(1)}`, /damaged: it is cut off or changed/],
    ['nothing behind the header', head, /damaged: it is cut off or changed/],
    ['another cipher', recorded.replace('AES256', 'AES'), /the cipher AES is not known/],
    ['another version', recorded.replace('1.2', '1.3'), /version 1.3 of the format is not known/],
  ])('refuses %s and names the file, the line, the variable and the id', (_what, text, why) => {
    expect(() => open(text, 'prod@wrong')).toThrow(why)
    expect(() => open(text, 'prod@wrong')).toThrow(/^all\.yml:7: password \(vault id prod\) /)
  })

  it('refuses to go on without a password, and shows none', () => {
    expect(() => open(recorded)).toThrow(/there is no password for the vault/)
    expect(() => open(recorded, 'prod@geheimnis')).not.toThrow(/geheimnis/)
  })
})

describe('decryptVault, of what ansible-vault writes now', { tags: ['ansible'] }, () => {
  const awkward = [
    'plain',
    '',
    ' blanks \n\n',
    'ünï ☃ 𝄞',
    'x'.repeat(10_000),
    '$ANSIBLE_VAULT;1.1;AES256\n',
    'a\r\nb',
    '15 bytes of it.',
    '16 bytes of this',
  ]
  const vault = (words: string[], input: string) =>
    execFileSync('ansible-vault', words, {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    })

  it('opens each text as it was', () => {
    const file = write('password', ' s3cret "quoted" ü\n')
    const text = write('plain.json', JSON.stringify(awkward))
    const written = vault(['encrypt', '--vault-password-file', file, '--output', '-', text], '')
    const found = decryptVault(written, passwords('default@s3cret "quoted" ü'), { file: 'x' })
    expect(JSON.parse(found.reveal())).toStrictEqual(awkward)
    for (const each of ['15 bytes of it.', '16 bytes of this', 'ü\n']) {
      const path = write('one', each)
      const one = vault(
        [
          'encrypt',
          '--vault-id',
          `dev@${file}`,
          '--encrypt-vault-id',
          'dev',
          '--output',
          '-',
          path,
        ],
        '',
      )
      expect(one).toMatch(/^\$ANSIBLE_VAULT;1\.2;AES256;dev\n/)
      expect(decryptVault(one, passwords('dev@s3cret "quoted" ü'), { file: 'x' }).reveal()).toBe(
        each,
      )
    }
  })
})

describe('readVaultPasswords', () => {
  it('takes files, programs, ids and questions, in Ansible’s order', async () => {
    const file = write('file', '  from-file\n\n')
    const program = write('program.sh', '#!/bin/sh\necho " from-program"\n', 0o700)
    const client = write('get-client.sh', '#!/bin/sh\necho "$1=$2"\n', 0o700)
    const questions: string[] = []
    const sources = vaultSources({
      ...none,
      passwordFiles: ['file', program],
      ids: [`prod@${client}`, 'dev@prompt', file],
      ask: true,
      env: {
        ANSIBLE_VAULT_PASSWORD_FILE: '/gone',
        ANSIBLE_VAULT_IDENTITY_LIST: 'a@./file, b@program.sh',
      },
    })
    const found = await readVaultPasswords(sources, async question => {
      questions.push(question)
      return `to ${question}`
    })
    expect(found.map(({ id, password }) => `${id}:${password.reveal()}`)).toStrictEqual([
      'a:from-file',
      'b:from-program',
      'prod:--vault-id=prod',
      'dev:to Vault password (dev)',
      'default:from-file',
      'default:from-file',
      'default:from-program',
      'default:to Vault password',
    ])
    expect(questions).toStrictEqual(['Vault password (dev)', 'Vault password'])
  })

  it('takes the file of the environment, else that of ansible.cfg, if the command line names none', () => {
    const configured = { directory: '/project', passwordFile: './.vault' }
    const paths = (given: Partial<Parameters<typeof vaultSources>[0]>) =>
      vaultSources({ ...none, configured, ...given }).map(({ from }) =>
        from === 'prompt' ? from : from.path,
      )
    expect(paths({})).toStrictEqual(['/project/.vault'])
    expect(paths({ env: { ANSIBLE_VAULT_PASSWORD_FILE: 'env' } })).toStrictEqual([
      join(directory, 'env'),
    ])
    expect(
      paths({ passwordFiles: ['/given'], env: { ANSIBLE_VAULT_PASSWORD_FILE: 'env' } }),
    ).toStrictEqual(['/given'])
  })

  it.each([
    ['a missing file', () => join(directory, 'gone'), /can’t read the file .*gone: ENOENT/],
    ['an empty file', () => write('empty', '\n'), /is empty/],
    ['a directory', () => directory, /can’t read the file .*: EISDIR/],
    [
      'a program that fails',
      () => write('fails', '#!/bin/sh\necho why >&2\nexit 3\n', 0o700),
      /ended with exit status 3/,
    ],
    [
      'a text with execute bits',
      () => write('text', 'geheim\n', 0o700),
      /can be executed, but is no program$/,
    ],
  ])('refuses %s, and shows no password', async (_what, path, why) => {
    const sources = vaultSources({ ...none, passwordFiles: [path()] })
    const error = await readVaultPasswords(sources, ask).catch(error => error as Error)
    expect(error).toMatchObject({ code: 'secret_missing', message: expect.stringMatching(why) })
  })

  it('refuses an id without a source', () => {
    expect(() => vaultSources({ ...none, ids: ['prod@'] })).toThrow(/nothing behind @/)
  })
})
