/** --debug and HOSTWRIGHT_TRACE over whole runs. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { command } from '../../../lib/resources/commands/command.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { createTracer, prepareTraceDirectory } from '../../../lib/session/trace-files.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { local } from '../../support/local-run.ts'
import { ofType } from '../../support/run-events.ts'

const value = `s3s'am "open" \\ $x`

/** All forms in which the programs below print the value. */
const leaks = ['s3s', 'am "open"', Buffer.from(value).toString('base64').slice(0, 12)]

async function traced(...names: string[]) {
  const place = await local(...names)
  const directory = place.at('traces')
  prepareTraceDirectory(directory)
  const warn = (message: string) => {
    throw new Error(message)
  }
  const tracer = createTracer(directory, { run: 'r1', warn })
  const texts = async () => {
    tracer.close()
    const files = (await readdir(directory)).sort()
    return Promise.all(
      files.map(async name => [name, await readFile(join(directory, name), 'utf8')] as const),
    )
  }
  return { ...place, directory, tracer, texts }
}

describe('a trace', () => {
  test('shows each session of each host, with titles for what went over the wire', async () => {
    const { run, tracer, texts, at } = await traced('h1', 'h2')
    await run(
      async ({ host, converge, $ }) => {
        await converge(
          file(at(`${host.name}-motd`), { content: Buffer.from([0, 1, 2]) }),
          command('echo out; echo err >&2', { title: 'say something' }),
        )
        await $({ nothrow: true })`exit 3`
      },
      { tracer },
    )
    const found = await texts()
    expect(found.map(([name]) => name.replace(/^(h\d)-.*-/, '$1-'))).toEqual([
      'h1-1.trace',
      'h2-1.trace',
    ])
    for (const [, text] of found) {
      expect(text).toContain(
        '>  prelude: core, state, process, leftover, confirm-state, silence, holder, records, lock (',
      )
      expect(text).toContain('-  round trip 1: first write, hw_begin, hw_lock\n')
      expect(text).toMatch(/>\s+# step 3: file \S+motd\n.* hw_step 3 hw_logged '[^']+' '' hw_file/)
      expect(text).toMatch(/\(\) prints \(3 bytes not shown, sha256 ae4b3280/)
      expect(text).toMatch(/<\s+end 4 changed 0 -\s+# say something\n/)
      expect(text).toMatch(/<\s+\| out\n/)
      expect(text).toMatch(/!\s+\| err\n/)
      expect(text).toMatch(/<\s+end 5 failed 3 .*# \$ exit 3\n/)
      expect(text).toMatch(/<\s+bye 0\n/)
      // The prelude's parts are named, but not shown.
      expect(text).not.toContain('hw_begin() {')
    }
  })

  test('contains no secret, wherever it is used and however a host encodes it', async () => {
    const { run, tracer, texts, at } = await traced()
    const token = secret(value)
    await run(
      async ({ converge, $ }) => {
        await converge(
          file(at('config'), { content: secret`token = ${token}\n` }),
          command(`cat ${at('config')}; base64 ${at('config')}`, {
            title: 'show it',
          }),
        )
        await $({ env: { TOKEN: token } })`printf '%s\n' "$TOKEN"; printf %s "$TOKEN" | base64`
        await $({ input: token })`cat`
      },
      { tracer },
    )
    const [[, text] = ['', '']] = await texts()
    expect(text.match(/\*{8}/g)!.length).toBeGreaterThanOrEqual(6)
    for (const leak of leaks) expect(text).not.toContain(leak)
  })

  test('contains no secret that became known only after the host had sent it', async () => {
    const { run, tracer, texts, hosts } = await traced()
    // The first write reads the state, before it is known which values are secrets.
    const products = join(hosts[0]!.bootstrapDir, 'products')
    await mkdir(products, { recursive: true, mode: 0o700 })
    await writeFile(join(products, 'app.ini'), '[settings]\ntoken = recorded-before\n')
    await run(
      async ({ $ }) => {
        const { stdout } = await $`echo read-by-a-command`
        await $({ env: { A: secret(stdout.trim()), B: secret('recorded-before') } })`true`
      },
      { tracer },
    )
    const [[, text] = ['', '']] = await texts()
    expect(text).toContain('token = ********')
    expect(text).toMatch(/<\s+\| \*{8}\n/)
    expect(text).not.toContain('recorded-before')
    expect(text).not.toContain('read-by')
  })
})

describe('debug events', () => {
  test('report what is sent, each round trip with its cause, and the lock', async () => {
    const { run, at } = await local()
    const { seen, outcomes } = await run(
      async ({ converge, $ }) => {
        await converge(file(at('a'), { content: 'x' }), command('true', { title: 'nothing much' }))
        await $`uptime`
      },
      { debug: true },
    )
    // The end of the shell may come after the run.
    const lines = ofType(seen, 'debug')
      .map(({ area, message }) => `${area}: ${message}`)
      .filter(line => !line.includes('the shell ended'))
    expect(lines).toEqual([
      'session: opens a shell by local',
      expect.stringMatching(
        /^session: sends parts of the prelude: core, state, process, leftover, confirm-state, silence, holder, records, lock \([\d,]+ bytes\)$/,
      ),
      'session: round trip 1: first write, hw_begin, hw_lock',
      expect.stringMatching(/^lock: taken, \d+ ms after/),
      expect.stringMatching(/^session: sends parts of the prelude: .*\bfile\b/),
      `session: round trip 2: segment of 2: file ${at('a')}, nothing much`,
      `session: round trip 3: answer to file ${at('a')}, 1 in all`,
      'session: round trip 4: $ uptime',
    ])
    expect(outcomes[0]!.roundTrips).toBe(4)
  })

  test('contain no secrets', async () => {
    const { run } = await local()
    const { seen } = await run(
      async ({ converge }) => void (await converge(command('true', { title: `run ${value}` }))),
      { debug: true, hidden: [value] },
    )
    const text = JSON.stringify(ofType(seen, 'debug'))
    expect(text).toContain('segment of 1: run ********')
    expect(text).not.toContain('s3s')
  })

  test('are not emitted without --debug', async () => {
    const { run } = await local()
    const { seen } = await run(async ({ $ }) => void (await $`true`))
    expect(ofType(seen, 'debug')).toEqual([])
  })
})
