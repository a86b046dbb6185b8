/**
 * Secrets over real SSH: a recipe that does everything to leak them, all bytes of its output, and the process
 * lists of the controller and the hosts while it runs.
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { startHostwright } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'
import { receiveCallbacks } from '../support/receiver.ts'

const lab = labFor({ hosts: 2 })
let project: Project

/** Everything that is hard to quote and encode, in two lines; a word in each makes it recognisable. */
const nasty = (word: string) =>
  `it's "${word}1" 50% + $HOME \`id\` a/b\\c <ü日> ~x!\n${word}2: $(date); 'end' & done`
/** By where it comes from. */
const secrets = {
  env: nasty('Zq7env'),
  file: nasty('Zq7file'),
  prog: nasty('Zq7prog').split('\n')[0]!,
}
const words = ['Zq7env', 'Zq7file', 'Zq7prog', 'Zq7code']

const recipeText = String.raw`
import {
  block, command, envFile, file, fromCommand, fromEnv, fromFile, ini, json, line, optional, recipe,
  script, secret, string, yaml,
} from 'hostwright'

/** Prints A in all forms, then fails on request. */
const leak = ${'`'}
printf '%s\n' "$A"
printf %s "$A" | base64
printf 'user:%s' "$A" | base64 -w0; echo
printf 'us:%s@x' "$A" | base64 -w0 | tr '+/' '-_' | tr -d =; echo
printf %s "$A" | perl -0777 -pe 's/([^A-Za-z0-9_.~-])/sprintf("%%%02X", ord $1)/ge'; echo
printf %s "$A" | perl -0777 -pe 's/([^A-Za-z0-9_.~-])/sprintf("%%%02x", ord $1)/ge; s/%20/+/g'; echo
printf %s "$A" | perl -0777 -pe 's/(["\\\\])/\\\\$1/g; s/\\n/\\\\n/g'; echo
bash -c 'printf "%q\n" "$A"; set -x; : "$A"'
sleep 0.37
${'`'}

export default recipe({
  description: 'Shows all it can',
  args: { how: optional(string()) },
  secrets: {
    env: fromEnv('LEAK'),
    file: fromFile(new URL('../key.txt', import.meta.url)),
    prog: fromCommand(new URL('../print', import.meta.url).pathname, 'prog.txt'),
  },
  async run({ secrets, args, converge, host, $, read, warn, output }) {
    const at = name => host.root + '/etc/' + name
    await converge(
      file(at('leak'), { content: secrets.env, mode: 0o600 }),
      file(at('leak.url'), { content: secret${'`'}http://app:${'$'}{secrets.prog}@db/${'`'} }),
      ini(at('leak.ini'), { section: 's', set: { key: secrets.prog, other: args.how ?? 'none' } }),
      envFile(at('leak.env'), { set: { KEY: secrets.prog } }),
      line(at('leak.txt'), { line: secret${'`'}key ${'$'}{secrets.prog}${'`'} }),
      block(at('leak.txt'), { content: secrets.file }),
      json(at('leak.json'), { set: { 'a.b': secrets.env } }),
      yaml(at('leak.yaml'), { set: { 'a.b': secrets.env } }),
      script({ text: secret${'`'}# ${'$'}{secrets.prog}\ncat; sleep 0.37${'`'} }, { input: secrets.file }),
      // It has no secret of its own, but stands beside one.
      ini(at('leak.ini'), { section: 's', set: { third: args.how ?? 'none' } }),
      command(leak, { title: 'command with env ' + secrets.prog.reveal(), env: { A: secrets.env } }),
      command('cat; sleep 0.37', { title: 'command with input', input: secrets.file }),
    )
    await $({ env: { A: secrets.env } })([leak])
    await $({ input: secrets.file })${'`'}cat${'`'}
    const again = await read${'`'}cat ${'$'}{at('leak')} ${'$'}{at('leak.url')} ${'$'}{at('leak.ini')}${'`'}
    warn('read ' + again.stdout)
    output({ [secrets.prog.reveal()]: [again.stdout, secrets.file, secrets.file.reveal()] })
    if (args.how === 'throw') throw new Error('thrown: ' + secrets.env.reveal())
    if (args.how === 'fail') await $({ env: { A: secrets.env } })([leak + 'exec >&2\n' + leak + 'exit 3'])
    if (args.how === 'step') await converge(command(leak + 'exit 3', { env: { A: secrets.env } }))
    if (args.how === 'reject') void Promise.reject(new Error('stray ' + secrets.env.reveal()))
  },
})
`

const catalogue = `[server]
modes = provisioning, active, upgrading
[role:vault]
products = safe
[product:safe]
config = {root}/etc/safe.ini
[setting:safe:code]
type = secret
`

beforeAll(async () => {
  project = await projectFor(lab, {
    'recipes/leak.js': recipeText,
    'key.txt': `${secrets.file}\n`,
    'prog.txt': `${secrets.prog}\n`,
    'recipes/ask.js': `import { fromPrompt, recipe } from 'hostwright'
      export default recipe({
        description: 'Asks',
        secrets: { pin: fromPrompt('PIN of the HSM') },
        async run({ secrets: { pin }, output }) {
          output({ length: pin.reveal().length, pin: pin.reveal() })
        },
      })`,
    print: '#!/bin/sh\ncat "$(dirname "$0")/$1"\n',
  })
  await chmod(project.path('print'), 0o755)
})

const start = (line: string, env: Record<string, string> = {}) =>
  startHostwright(
    [...line.split(' '), ...(line.startsWith('apply') ? [] : ['-i', 'x', '--on', 'lab'])],
    {
      cwd: project.directory,
      env: { HOSTWRIGHT_LAB: lab.directory, LEAK: secrets.env, ...env },
    },
  )

/** Runs words in a session of their own, which has no terminal, with this on standard input. */
async function runApart(words: readonly string[], input: (said: string) => string | undefined) {
  const child = spawn(words[0]!, words.slice(1), {
    cwd: project.directory,
    env: { ...process.env, HOSTWRIGHT_LAB: lab.directory, LEAK: secrets.env },
    detached: true,
  })
  let said = ''
  let given = false
  const report = () => {
    const answer = given ? undefined : input(said)
    if (answer === undefined) return
    given = true
    child.stdin.end(answer)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      report()
    })
  }
  report()
  const [status] = await once(child, 'close')
  return { status: status as number | null, said }
}

const program = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url))
const ask = [process.execPath, program, 'ask', '-i', 'x', '--on', 'lab1', '--output', 'json']

/** Which of the secrets a text holds, in base64 too: whatever our own list of forms is. */
function found(text: string): string[] {
  const runs = text.match(/[A-Za-z0-9+/_-]{12,}/g) ?? []
  const decoded = runs.flatMap(run =>
    [0, 1, 2, 3].map(from => Buffer.from(run.slice(from), 'base64').toString('latin1')),
  )
  const all = [text, ...decoded]
  return words.filter(word => all.some(each => each.includes(word)))
}

/** Looks at all processes of this machine, where the hosts are too, until it is stopped. */
function watchProcesses() {
  const leaks = new Set<string>()
  const seen = new Set<string>()
  const look = () => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
      for (const name of ['cmdline', 'environ']) {
        let text = ''
        try {
          text = readFileSync(`/proc/${pid}/${name}`, 'latin1')
        } catch {
          continue
        }
        if (name === 'cmdline') seen.add(text)
        // What a command is given by its environment is there, and where it came from.
        const there = found(text).filter(word => name === 'cmdline' || word !== 'Zq7env')
        for (const word of there) leaks.add(`${word} in ${name}: ${text}`)
      }
    }
  }
  const timer = setInterval(look, 20)
  return {
    stop: () => {
      clearInterval(timer)
      return { leaks: [...leaks], seen: [...seen] }
    },
  }
}

describe('secrets appear in no output of a run', () => {
  test.each([
    ['leak fail --diff --verbose --output plain', 4],
    ['leak step --diff --verbose --output json', 4],
    ['leak throw --diff --verbose --output pretty', 1],
    ['leak reject --verbose --output json', 1],
    ['leak fine --check --diff --verbose --output plain', 6],
  ])('%s', async (line, status) => {
    const { url, received } = await receiveCallbacks()
    const watch = watchProcesses()
    await rm(project.path('log'), { force: true })
    const log = `--log ${project.path('log')}`
    const ended = await start(`${line} ${log} --callback-url ${url}`).ended
    const { leaks, seen } = watch.stop()

    expect(ended.status, ended.stderr).toBe(status)
    expect(found(ended.stdout), ended.stdout).toEqual([])
    expect(found(ended.stderr), ended.stderr).toEqual([])
    expect(received).toHaveLength(1)
    expect(found(received[0]!.body)).toEqual([])
    const logged = await readFile(project.path('log'), 'utf8')
    expect(found(logged)).toEqual([])
    expect(logged).toContain('********')
    // There was something to see.
    expect(`${ended.stdout}${ended.stderr}`).toContain('********')

    expect(leaks).toEqual([])
    if (!line.includes('--check')) expect(seen.join('\n')).toContain('sleep\x000.37')
  })

  test('they arrive on the host unchanged', async () => {
    const { status, stderr } = await start('leak fine').ended
    expect({ status, stderr }).toMatchObject({ status: 0 })
    for (const host of ['lab1', 'lab2']) {
      const root = (await lab.variables(host)).root ?? ''
      expect(await lab.read(host, `cat '${root}/etc/leak'`)).toBe(secrets.env)
      expect(await lab.read(host, `cat '${root}/etc/leak.url'`)).toBe(
        `http://app:${secrets.prog}@db/`,
      )
      expect(await lab.read(host, `cat '${root}/etc/leak.ini'`)).toContain(secrets.prog)
    }
  })

  test('they appear neither in a plan nor in the output of apply or list', async () => {
    const plan = await start('plan leak other -o plan.json').ended
    expect({ status: plan.status, stderr: plan.stderr }).toMatchObject({ status: 0 })
    expect(found(await readFile(project.path('plan.json'), 'utf8'))).toEqual([])
    expect(found(plan.stderr)).toEqual([])
    const apply = await start('apply plan.json --diff --verbose').ended
    expect({ status: apply.status, stderr: apply.stderr }).toMatchObject({ status: 0 })
    expect(found(apply.stdout + apply.stderr)).toEqual([])
    const list = await start('list tasks leak').ended
    expect({ status: list.status, stderr: list.stderr }).toMatchObject({ status: 0 })
    expect(list.stdout).toContain('command with env')
    expect(found(list.stdout + list.stderr)).toEqual([])
  })
})

describe('a missing secret ends the run before any host is touched', () => {
  test('and is reported by name', async () => {
    const { status, stderr, stdout } = await start('leak --output json', { LEAK: '' }).ended
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('secret_missing')
    expect(stderr).toContain('the secret env: the environment variable LEAK is empty')
  })

  test('and is reported if there is no terminal to ask at', async () => {
    const { status, said } = await runApart(ask, () => '')
    expect(status, said).toBe(2)
    expect(said).toContain('the secret pin: no terminal to ask for “PIN of the HSM”')
    expect(said).toContain('fromEnv, fromFile, fromCommand')
  })
})

describe('a terminal', () => {
  const quoted = ask.map(word => `'${word}'`).join(' ')
  const onTerminal = ['script', '-qec', quoted, '/dev/null']

  test('prompts without echoing the answer', async () => {
    const { status, said } = await runApart(onTerminal, said =>
      said.includes('PIN of the HSM: ') ? 'abX\u007fc ü1234\r' : undefined,
    )
    expect(status, said).toBe(0)
    // The letter that was taken back is no part of it.
    expect(said).toContain('"length":9')
    expect(said).not.toMatch(/1234|abc|abX/)
    expect(said.match(/PIN of the HSM/g)).toHaveLength(1)
  })

  test('with Ctrl-C ends the run before any host is touched', async () => {
    const { status, said } = await runApart(onTerminal, said =>
      said.includes('PIN of the HSM: ') ? 'ab\u0003' : undefined,
    )
    expect(status, said).toBe(130)
    expect(said).not.toContain('run.start')
  })
})

describe('values of product.set', () => {
  const code = 'Zq7code "x" 50% $HOME'
  const set = (value: string, input = '') =>
    runApart(
      [process.execPath, program, 'product.set', 'safe', value, '-i', 'x', '--on', 'lab1'],
      () => input,
    )

  test('come from a file, from standard input, or begin with a literal @', async () => {
    await project.write('inventories/x/bootstrap.ini', catalogue)
    await project.write('code.txt', `${code}\n`)
    const provisioned = await start('server.provision vault').ended
    expect({ status: provisioned.status, stderr: provisioned.stderr }).toMatchObject({ status: 0 })
    const root = (await lab.variables('lab1')).root ?? ''
    const recorded = () => lab.read('lab1', `cat '${root}/etc/safe.ini'`)

    const watch = watchProcesses()
    const byFile = await set('code=@code.txt')
    expect(byFile.status, byFile.said).toBe(0)
    expect(await recorded()).toContain(code)
    const byInput = await set('code=-', `${code} again\n`)
    expect(byInput.status, byInput.said).toBe(0)
    expect(await recorded()).toContain(`${code} again`)
    expect(watch.stop().leaks).toEqual([])
    expect(byFile.said + byInput.said).not.toContain('Zq7')

    expect((await set('code=@@literal')).status).toBe(0)
    expect(await recorded()).toContain('@literal')
  })

  test('that can’t be read are reported before any host is touched', async () => {
    const { status, said } = await set('code=@nowhere.txt')
    expect(status, said).toBe(2)
    expect(said).toContain('code: can’t read the file nowhere.txt: it does not exist')
  })
})
