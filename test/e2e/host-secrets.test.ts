/**
 * No process of a host has a secret in its arguments or its environment, but a command that the recipe
 * itself gives one to in `env`. What handles secrets stops itself, until it has been looked at.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { kill, readProc } from '../support/descendants.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

/** The prefix of each secret shows where it was used. */
const ways = [
  ...['content', 'template', 'ini', 'json', 'input', 'env', 'dollarinput', 'dollarenv'],
  ...['other', 'header', 'login', 'script', 'line'],
]
const secretOf = (way: string) => `Zs7${way}Zs7-0123456789`
const hash =
  '$6$Zs7passwordZs7$bXnR9BsiPeXsdAkCWq8gvPOaSxuGZT2nqXPgxPBMPCIMnAWm5mUbG0uqeQAkSKZp7m9z0'

/** Programs that get secrets. */
const programs = ['awk', 'cat', 'chpasswd', 'curl', 'git', 'mv', 'useradd']

const recipeText = `
import {
  command, download, file, fromFile, git, ini, json, line, recipe, script, secret, string, user,
} from 'hostwright'

const ways = ${JSON.stringify(ways)}
const from = way => fromFile(new URL('../keys/' + way, import.meta.url))
export default recipe({
  description: 'Uses secrets in every way',
  args: { web: string() },
  secrets: { hash: from('hash'), ...Object.fromEntries(ways.map(way => [way, from(way)])) },
  async run({ secrets, args, converge, $ }) {
    await converge(
      user('zs7user', { password: secrets.hash }),
      file('/etc/zs7/content', { content: secrets.content, mode: 0o600, validate: 'sleep 0.2; test -f %s' }),
      file('/etc/zs7/template', { content: secret\`token = \${secrets.template}\`, mode: 0o600 }),
      ini('/etc/zs7/ini', { section: 'a', set: { key: secrets.ini } }),
      json('/etc/zs7/json', { set: { key: secrets.json } }),
      line('/etc/zs7/line', { line: secrets.line }),
      command('read -r given; kill -STOP $$; echo hold-input', { input: secrets.input }),
      command('kill -STOP $$; echo hold-env', { env: { A: secrets.env } }),
      script('scripts/hold', { env: { A: secrets.script } }),
      file('/home/zs7user/other', { content: secrets.other, as: 'zs7user' }),
      download('/etc/zs7/download', { url: args.web + '/file', headers: { 'X-Token': secrets.header } }),
      git('/srv/zs7', { remote: args.web + '/app.git', login: { user: 'ann', password: secrets.login } }),
    )
    await $({ input: secrets.dollarinput })\`kill -STOP $$; echo hold-dollar-input\`
    await $({ env: { A: secrets.dollarenv } })\`kill -STOP $$; echo hold-dollar-env\`
  },
})
`

/**
 * Lists all processes of this machine, which include the hosts’, again and again until the test ends. Those of the host
 * that have stopped go on then.
 * @param namespace of mounts: the host’s
 * @returns what was seen so far
 */
function watchProcesses(namespace: string) {
  const leaks = new Set<string>()
  const seen = new Set<string>()
  const namespaceOf = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/mnt`)
    } catch {
      return ''
    }
  }
  const look = () => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
      // Asked first: what has stopped is then as it will be.
      const stopped = /^\d+ \(.*\) T /s.test(readProc(`${pid}/stat`))
      const cmdline = readProc(`${pid}/cmdline`)
      seen.add(cmdline)
      // Token of a login: user and password in base64.
      const text = (all: string) =>
        all.replaceAll(/[A-Za-z0-9+/=]{20,}/g, run => `${run} ${Buffer.from(run, 'base64')}`)
      for (const [, way] of text(cmdline).matchAll(/Zs7([a-z]+)Zs7/g))
        leaks.add(`${way} in the arguments ${cmdline}`)
      for (const [, way] of text(readProc(`${pid}/environ`)).matchAll(/Zs7([a-z]+)Zs7/g))
        leaks.add(`${way} in the environment`)
      if (stopped && namespaceOf(pid) === namespace) kill(Number(pid), 'SIGCONT')
    }
  }
  const timer = setInterval(look, 10)
  onTestFinished(() => clearInterval(timer))
  return () => ({ leaks: [...leaks].sort(), seen: [...seen].join('\n') })
}

describe('on a host', { tags: ['overlay'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay' })
  let project: Project
  let server: Server
  const headers: Record<string, unknown>[] = []

  beforeAll(async () => {
    project = await projectFor(lab, {
      'recipes/uses.js': recipeText,
      'keys/hash': hash,
      'scripts/hold': '#!/bin/sh\nkill -STOP $$; echo "hold-script $A" >/dev/null\n',
      ...Object.fromEntries(ways.map(way => [`keys/${way}`, secretOf(way)])),
    })
    const wrappers = programs.map(
      name =>
        `real=$(command -v ${name}) && printf '#!/bin/sh\\nkill -STOP $$\\nexec %s "$@"\\n' "$real" >/usr/local/sbin/${name} && chmod 755 /usr/local/sbin/${name}`,
    )
    await lab.read('lab1', `mkdir -p /usr/local/sbin /etc/zs7; ${wrappers.join('\n')}`)
    const script = `git init -q -b main work && cd work && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
      cd .. && git clone -q --bare work app.git && git --git-dir=app.git update-server-info`
    execFileSync('sh', ['-ec', script], { cwd: lab.scratch })
    // It is slow, so that the prompting program can be observed.
    server = createServer((request, response) => {
      headers.push(request.headers)
      const { pathname } = new URL(request.url!, 'http://x')
      setTimeout(() => {
        try {
          response.end(pathname === '/file' ? 'x' : readFileSync(join(lab.scratch, pathname)))
        } catch {
          response.writeHead(404).end()
        }
      }, 200)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  test('no process shows a secret that the recipe did not give it', async () => {
    const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const namespace = (await lab.read('lab1', 'readlink /proc/self/ns/mnt')).trim()
    const watched = watchProcesses(namespace)
    const words = ['uses', web, '-i', 'x', '--on', 'lab1', '--verbose', '--output', 'plain']
    const { status, stderr } = await lab.run(words, { cwd: project.directory })
    const { leaks, seen } = watched()
    expect(status, stderr).toBe(0)
    expect(leaks).toEqual([
      'dollarenv in the environment',
      'env in the environment',
      'script in the environment',
    ])
    const expected = [
      ...programs.map(name => `/usr/local/sbin/${name}`),
      ...['hold-input', 'hold-env', 'hold-dollar-input', 'hold-dollar-env'],
    ]
    expect(expected.filter(each => !seen.includes(each))).toEqual([])
    expect(headers.some(each => each['x-token'] === secretOf('header'))).toBe(true)
    const login = Buffer.from(`ann:${secretOf('login')}`).toString('base64')
    expect(headers.some(each => each.authorization === `Basic ${login}`)).toBe(true)
    // The secrets did arrive.
    expect(await lab.read('lab1', 'cat /etc/zs7/content')).toBe(secretOf('content'))
    expect(await lab.read('lab1', 'grep ^zs7user: /etc/shadow')).toContain(hash)
  })
})
