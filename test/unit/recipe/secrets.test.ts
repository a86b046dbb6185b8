import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../lib/errors.ts'
import { recipe } from '../../../lib/recipe/recipe.ts'
import {
  fromCommand,
  fromEnv,
  fromFile,
  fromPrompt,
  type SecretSource,
} from '../../../lib/recipe/secret-sources.ts'
import { resolveForHosts, resolveSecrets } from '../../../lib/recipe/secrets.ts'
import { type Secret, secret } from '../../../lib/shell/secret.ts'
import { kill } from '../../support/descendants.ts'
import { local, localHost } from '../../support/local-run.ts'
import { temporaryDirectory } from '../../support/shells.ts'

const noTerminal = () => Promise.reject(new UsageError('secret_missing', 'there is no terminal'))

/** The secrets from these sources, revealed. */
async function resolve(
  sources: Readonly<Record<string, SecretSource>>,
  env: Record<string, string> = {},
  ask: (question: string) => Promise<string> = noTerminal,
) {
  const values = await resolveSecrets(sources, { env: { PATH: process.env.PATH, ...env }, ask })
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.reveal()]))
}

const refused = (sources: Readonly<Record<string, SecretSource>>, env?: Record<string, string>) =>
  resolve(sources, env).then(
    () => expect.fail('it was resolved'),
    (error: UsageError) => ({ code: error.code, message: error.message, ...error.details }),
  )

/** The path of a program that runs this shell script. */
async function program(name: string, script: string) {
  const path = join(await temporaryDirectory(), name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

describe('a secret comes', () => {
  test('from the environment, unchanged', async () => {
    const TOKEN = ' it’s "x"\n'
    expect(await resolve({ token: fromEnv('TOKEN') }, { TOKEN })).toEqual({ token: TOKEN })
  })

  test('from a file, without the newline at its end, or whole', async () => {
    const path = join(await temporaryDirectory(), 'a key')
    await writeFile(path, 'first\nlast\n\n')
    expect(
      await resolve({
        cut: fromFile(path),
        url: fromFile(pathToFileURL(path)),
        whole: fromFile(path, { whole: true }),
      }),
    ).toEqual({ cut: 'first\nlast\n', url: 'first\nlast\n', whole: 'first\nlast\n\n' })
    await writeFile(path, 'dos\r\n')
    expect(await resolve({ dos: fromFile(path) })).toEqual({ dos: 'dos' })
  })

  test('from a program, started without a shell, its arguments unchanged', async () => {
    const path = await program('op', `printf '%s|' "$@"; echo; read x || echo none`)
    expect(await resolve({ db: fromCommand(path, 'a b', '$HOME', '["db"]', '') })).toEqual({
      db: 'a b|$HOME|["db"]||\nnone',
    })
  })

  test('from age, which decrypts a file', { tags: ['age'] }, async () => {
    const directory = await temporaryDirectory()
    const [key, file] = [join(directory, 'key.txt'), join(directory, 'token.age')]
    execFileSync('age-keygen', ['-o', key], { stdio: 'pipe' })
    const recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim()
    execFileSync('age', ['-r', recipient, '-o', file], { input: 'it’s "50%"\n', stdio: 'pipe' })
    expect(await resolve({ token: fromCommand('age', '-d', '-i', key, file) })).toEqual({
      token: 'it’s "50%"',
    })
    await writeFile(file, 'damaged')
    const found = await refused({ token: fromCommand('age', '-d', '-i', key, file) })
    expect(found.message).toBe('the secret token: age: exit status 1')
    expect(found).toMatchObject({ output: expect.stringContaining('age: error') })
  })

  test('from a program that prints a lot, completely', async () => {
    const source = fromCommand('sh', '-c', 'head -c 300000 /dev/zero | tr "\\0" x')
    expect((await resolve({ large: source })).large).toHaveLength(300_000)
  })

  test('from the terminal, after all other sources', async () => {
    const asked: string[] = []
    const ask = async (question: string) => {
      asked.push(question)
      return `answer ${asked.length}`
    }
    const sources = { pin: fromPrompt('PIN'), more: fromPrompt('More') }
    expect(await resolve(sources, {}, ask)).toEqual({ pin: 'answer 1', more: 'answer 2' })
    expect(asked).toEqual(['PIN', 'More'])
    await expect(resolve({ ...sources, token: fromEnv('NONE') }, {}, ask)).rejects.toThrow('NONE')
    expect(asked).toHaveLength(2)
  })
})

describe('a secret that can’t be obtained', () => {
  test('is reported with its name and its source', async () => {
    expect(await refused({ token: fromEnv('NO_TOKEN') })).toMatchObject({
      code: 'secret_missing',
      message: 'the secret token: there is no environment variable NO_TOKEN',
      hint: expect.stringContaining('NO_TOKEN'),
    })
    expect(await refused({ token: fromEnv('EMPTY') }, { EMPTY: '' })).toMatchObject({
      message: 'the secret token: the environment variable EMPTY is empty',
    })
    expect(await refused({ key: fromFile('/nowhere/key') })).toMatchObject({
      message: 'the secret key: can’t read the file /nowhere/key: it does not exist',
    })
    expect(await refused({ pin: fromPrompt('PIN') })).toMatchObject({
      message: 'the secret pin: there is no terminal',
    })
    expect(await refused({ db: fromCommand('no-such-program') })).toMatchObject({
      message: 'the secret db: there is no program no-such-program',
      hint: expect.stringContaining('Install'),
    })
  })

  test('is reported together with the others', async () => {
    const message = 'the secret a: there is no environment variable A\nthe secret b: '
    const found = await refused({ a: fromEnv('A'), b: fromFile('/nowhere/b') })
    expect(found.message).toContain(message)
    expect(found.hint?.split('\n')).toHaveLength(2)
  })

  test('is reported together with those of other sources, also where nobody can be asked', async () => {
    const sources = {
      pin: fromPrompt('PIN'),
      db: fromCommand('no-such-program'),
      token: fromEnv('NO_TOKEN'),
      key: fromFile('/nowhere/key'),
    }
    const checkAsk = () => {
      throw new UsageError('secret_missing', 'there is no terminal')
    }
    const world = { env: {}, ask: () => expect.fail('it asked'), checkAsk }
    await expect(resolveSecrets(sources, world)).rejects.toMatchObject({
      code: 'secret_missing',
      message: [
        'the secret token: there is no environment variable NO_TOKEN',
        'the secret key: can’t read the file /nowhere/key: it does not exist',
        'the secret db: there is no program no-such-program',
        'the secret pin: there is no terminal',
      ].join('\n'),
    })
  })

  test('is reported without a question where something else is wrong', async () => {
    const world = { env: {}, ask: () => expect.fail('it asked'), checkAsk: () => {} }
    expect(await resolveSecrets({ pin: fromPrompt('PIN') }, world, false)).toEqual({})
  })

  test('is reported if its file is a directory or binary', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'd'))
    await writeFile(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0x00]))
    expect(await refused({ d: fromFile(join(directory, 'd')) })).toMatchObject({
      message: expect.stringContaining('it is a directory'),
    })
    expect(await refused({ b: fromFile(join(directory, 'binary')) })).toMatchObject({
      message: expect.stringContaining('is not UTF-8 text'),
    })
  })

  test('is reported with its program’s standard error, but not its output, if that fails', async () => {
    const path = await program('vault', 'echo half-a-secret; echo "no TOKEN-1234" >&2; exit 2')
    const sources = { token: fromEnv('TOKEN'), db: fromCommand(path, 'kv', 'get', 'a b') }
    const found = await refused(sources, { TOKEN: 'TOKEN-1234' })
    expect(found).toMatchObject({
      message: `the secret db: ${path}: exit status 2`,
      output: 'no ********',
      exitStatus: 2,
      hint: `Try it by itself: ${path} kv get 'a b'`,
    })
    expect(JSON.stringify(found)).not.toContain('half-a-secret')
  })

  test('is reported if its program prints nothing or times out, even if child processes go on', async () => {
    expect(await refused({ db: fromCommand('true') })).toMatchObject({
      message: 'the secret db: what true printed is empty',
    })
    const slow = await program('slow', 'sleep 600 & echo $! >"$0.pid"; wait')
    // On a busy machine it may not get as far in a third of a second. It would go on for ten minutes.
    for (const timeoutMs of [300, 3000, 30_000]) {
      const found = await refused({ db: fromCommand(slow, { timeoutMs }) })
      expect(found.message).toBe(`the secret db: ${slow}: timed out after ${timeoutMs / 1000} s`)
      if (existsSync(`${slow}.pid`)) break
    }
    expect(kill(Number(readFileSync(`${slow}.pid`, 'utf8')))).toBe(true)
  })
})

test('secrets are typed by their names', () => {
  const made = recipe({
    description: '',
    secrets: { token: fromEnv('TOKEN') },
    async run({ secrets: found }) {
      found.token.reveal()
      // @ts-expect-error: there is no secret of that name
      found.tokn.reveal()
    },
  })
  expect(made.secrets.token).toEqual({ kind: 'env', variable: 'TOKEN' })
})

test('fromCommand refuses a secret as an argument', () => {
  const word = secret('s3cret-value') as unknown as string
  expect(() => fromCommand('op', word)).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({ at: expect.stringContaining('secrets.test.ts:') }),
    }),
  )
})

describe('secrets in a run', () => {
  const secrets = { token: secret('run-wide-s3cret') }

  test('reach every host, and are hidden from its start, also in data and numbers', async () => {
    const place = await local('h1', 'h2')
    const { outcomes, seen, redact } = await place.run(
      async ({ secrets: declared, $, output, warn, host }) => {
        const given = declared as Record<string, Secret>
        // Passed as plain text, so that only the run itself can hide it.
        await $({ env: { PLAIN: given.token!.reveal() } })`echo $PLAIN; echo $PLAIN | base64`
        warn(`warning ${given.token!.reveal()}`)
        output({ 'run-wide-s3cret': ['run-wide-s3cret'], pin: 48151623 })
        if (host.name === 'h2') throw new Error(`thrown ${given.token!.reveal()}`)
      },
      {
        secrets: { ...secrets, pin: secret('48151623') },
        args: { text: 'run-wide-s3cret' },
        verbose: true,
      },
    )
    const shown = JSON.stringify([outcomes, seen])
    expect(shown).not.toContain('run-wide')
    expect(shown).not.toContain('48151623')
    expect(shown).not.toContain(Buffer.from('run-wide-s3cre').toString('base64').slice(0, 8))
    expect(outcomes[0]!.data).toEqual({ '********': ['********'], pin: '********' })
    expect(redact('run-wide-s3cret')).toBe('********')
  })
})

test.each(['/dev/zero', '/dev/urandom'])(
  '%s, which never ends, is no file of a secret',
  async path => {
    await expect(resolve({ key: fromFile(path) })).rejects.toMatchObject({
      code: 'secret_missing',
      message: expect.stringContaining('it is not a file'),
    })
  },
)

test('a huge file is no file of a secret', async () => {
  const path = join(await temporaryDirectory(), 'huge')
  await writeFile(path, '')
  await truncate(path, 2 ** 33)
  await expect(resolve({ key: fromFile(path) })).rejects.toMatchObject({ code: 'secret_missing' })
})

describe('a source that is a function', () => {
  const hosts = [
    localHost('web1', '/state', { zone: 'north' }),
    localHost('web2', '/state', { zone: 'south' }),
    localHost('web3', '/state', { zone: 'south' }),
  ]
  const place = { environment: 'production', hosts }
  const never = { ask: noTerminal }

  test('depends on the environment and on the host', async () => {
    const { all, of } = await resolveForHosts(
      {
        shared: fromEnv('SHARED'),
        db: ({ environment, vars }) => fromEnv(`DB_${environment}_${vars.zone}`),
      },
      place,
      {
        env: { SHARED: 'for all', DB_production_north: 'cold', DB_production_south: 'warm' },
        ...never,
      },
    )
    const shown = [...of].map(([host, { shared, db }]) => [host, shared!.reveal(), db!.reveal()])
    expect(shown).toEqual([
      ['web1', 'for all', 'cold'],
      ['web2', 'for all', 'warm'],
      ['web3', 'for all', 'warm'],
    ])
    expect(Object.values(all).map(each => each.reveal())).toEqual(['for all', 'cold', 'warm'])
  })

  test('is asked once for all hosts for which it is the same', async () => {
    const asked: string[] = []
    await resolveForHosts({ pin: ({ vars }) => fromPrompt(`PIN of ${vars.zone}`) }, place, {
      env: {},
      ask: async question => {
        asked.push(question)
        return 'four digits'
      },
    })
    expect(asked).toEqual(['PIN of north', 'PIN of south'])
  })

  test('names the host whose secret is missing', async () => {
    const missing = resolveForHosts({ db: ({ host }) => fromEnv(`DB_${host.name}`) }, place, {
      env: { DB_web1: 'x', DB_web3: 'y' },
      ...never,
    })
    await expect(missing).rejects.toMatchObject({
      code: 'secret_missing',
      message: 'the secret db of web2: there is no environment variable DB_web2',
    })
  })
})
