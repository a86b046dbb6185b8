/** Connections that are lost in the middle of a run: they are made again, and the run goes on where it was. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RunEvent } from '../../lib/events.ts'
import { lockCall } from '../../lib/host/lock.ts'
import { changed, command, directory, file, handler, sh } from '../../lib/index.ts'
import { openSession } from '../../lib/session/session.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import type { Cut } from '../support/cutting-proxy.ts'
import { descendantsOf, kill } from '../support/descendants.ts'
import type { Run } from '../support/local-run.ts'
import { type There, there, type Way, warningsOf } from '../support/lossy-host.ts'
import { ofType } from '../support/run-events.ts'
import { startSshd } from '../support/sshd.ts'

const cuts: readonly Cut[] = ['close', 'reset', 'half-close']

/** Also by the other ways to reach a host. */
const ways: readonly (readonly [Cut, Way])[] = [
  ...cuts.map(how => [how, 'ssh'] as const),
  ['half-close', 'openssh'],
  ['reset', 'jump'],
]

/** Cuts the connection when that was printed, and lets the next one in after one was refused. */
const cutAt =
  ({ proxy }: There, how: Cut, text: string, then = async () => {}) =>
  (event: RunEvent) => {
    if (event.type !== 'step.output' || !event.text.includes(text) || proxy.refused > 0) return
    proxy.down(how)
    void proxy.nextRefused().then(async () => {
      proxy.up()
      await then()
    })
  }

const outputOf = (seen: readonly RunEvent[]) =>
  ofType(seen, 'step.output')
    .map(({ text }) => text)
    .join('')

const endsOf = (seen: readonly RunEvent[]) =>
  ofType(seen, 'step.end').map(({ title, status }) => `${title} ${status}`)

describe('a connection that is lost', { tags: ['sshd'] }, () => {
  test.each(ways)(
    'in the middle of a command is made again: it runs once, its output is whole (%s, %s)',
    {
      timeout: 60_000,
    },
    async (how, way) => {
      const it = await there(way)
      const numbers = (from: number, to: number) =>
        Array.from({ length: to - from + 1 }, (_, at) => `${from + at}\n`).join('')
      const line = sh`cd ${it.place.directory}; echo x >>ran; seq 1 20000; until [ -e go ]; do sleep 0.05; done; seq 20001 40000; echo on stderr >&2`
      const { outcomes, seen, exitCode } = await it.run(
        async ({ converge }) => {
          await converge(
            file(it.at('before'), { content: 'a\n' }),
            command(line, { title: 'count' }),
            file(it.at('after'), { content: 'b\n' }),
          )
        },
        { watch: cutAt(it, how, '20000\n', () => writeFile(it.at('go'), '')) },
      )
      // One attempt knocks more than once.
      const warnings = warningsOf(seen)
      expect(warnings[0]).toBe('connection lost, reconnecting (attempt 1)…')
      expect(warnings.at(-1)).toMatch(/^connected again after \d+ s$/)
      expect(exitCode).toBe(0)
      expect(await it.read('ran')).toBe('x\n')
      const text = ofType(seen, 'step.output')
      const of = (stream: string) =>
        text
          .filter(event => event.stream === stream)
          .map(event => event.text)
          .join('')
      expect(of('stdout')).toBe(numbers(1, 40_000))
      expect(of('stderr')).toBe('on stderr\n')
      expect(endsOf(seen)).toEqual([
        `file ${it.at('before')} changed`,
        'count changed',
        `file ${it.at('after')} changed`,
      ])
      expect(outcomes[0]).toMatchObject({ status: 'changed', counts: { changed: 3, unknown: 0 } })
      expect(await it.read('after')).toBe('b\n')
    },
  )

  test.each(cuts)(
    'before the first step, and between two, makes no difference (%s)',
    {
      timeout: 60_000,
    },
    async how => {
      const it = await there()
      const { seen, exitCode, outcomes } = await it.run(async ({ converge, $, read, facts: _ }) => {
        it.proxy.cut(how)
        await converge(file(it.at('one'), { content: '1\n' }))
        it.proxy.cut(how)
        const { stdout } = await $`echo x >>${it.at('ran')}; echo done`
        expect(stdout).toBe('done\n')
        it.proxy.cut(how)
        expect((await read`cat ${it.at('ran')}`).stdout).toBe('x\n')
      })
      expect(exitCode).toBe(0)
      expect(await it.read('ran')).toBe('x\n')
      expect(outcomes[0]!.status).toBe('changed')
      expect(warningsOf(seen).filter(text => text.includes('attempt 1'))).toHaveLength(3)
    },
  )

  test.each(['close', 'half-close'] as const)(
    'with the answers of steps loses nothing of them: changes, conditions, handlers (%s)',
    {
      timeout: 60_000,
    },
    async how => {
      const it = await there()
      const line = sh`echo x >>${it.at('reloaded')}; echo reloading`
      const reload = handler(command(line, { title: 'reload' }))
      const config = directory(it.at('config'), { notify: reload })
      const { seen, exitCode } = await it.run(async ({ converge, $ }) => {
        await $`true`
        // The host does one step or all, and none of its answers arrive.
        it.proxy.rule = ({ from, connection }) =>
          from === 'server' && connection === 1 ? { cut: how } : undefined
        await converge(
          config,
          command(sh`echo x >>${it.at('depends')}`, { title: 'depends', when: changed(config) }),
        )
      })
      expect(exitCode).toBe(0)
      expect(endsOf(seen)).toEqual([
        '$ true ok',
        `directory ${it.at('config')} changed`,
        'depends changed',
        'reload changed',
      ])
      expect(await it.read('depends')).toBe('x\n')
      expect(await it.read('reloaded')).toBe('x\n')
      expect(outputOf(seen)).toBe('reloading\n')
    },
  )

  test.each(cuts)(
    'in the middle of a large file is made again, and the file is whole (%s)',
    {
      timeout: 60_000,
    },
    async how => {
      const it = await there()
      const content = Buffer.alloc(4 * 1_048_576, 'large ')
      let fell = false
      it.proxy.rule = ({ from, before, chunk }) => {
        if (fell || from === 'server' || before + chunk.length < 2 * 1_048_576) return undefined
        fell = true
        return { cut: how, after: 100 }
      }
      const { exitCode, seen } = await it.run(async ({ converge }) => {
        await converge(file(it.at('large'), { content }))
      })
      expect(fell).toBe(true)
      expect(exitCode).toBe(0)
      expect(endsOf(seen)).toEqual([`file ${it.at('large')} changed`])
      expect((await readFile(it.at('large'))).equals(content)).toBe(true)
    },
  )

  test('in the middle of a handler is made again: it runs once', { timeout: 60_000 }, async () => {
    const it = await there()
    const line = sh`cd ${it.place.directory}; echo x >>ran; echo begun; until [ -e go ]; do sleep 0.05; done`
    const { exitCode, seen } = await it.run(
      async ({ converge }) => {
        const reload = handler(command(line, { title: 'reload' }))
        await converge(
          file(it.at('config'), { content: 'new\n', notify: reload }),
          file(it.at('other'), { content: 'new\n' }),
        )
      },
      { watch: cutAt(it, 'half-close', 'begun', () => writeFile(it.at('go'), '')) },
    )
    expect(exitCode).toBe(0)
    expect(await it.read('ran')).toBe('x\n')
    expect(outputOf(seen)).toBe('begun\n')
    expect(endsOf(seen).at(-1)).toBe('reload changed')
    await expect(it.read('state/handlers')).rejects.toThrow('ENOENT')
  })

  test('while a step runs that can be asked is made again after that step has ended', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const line = sh`cd ${it.place.directory}; echo begin >>log; echo begun; until [ -e go ]; do sleep 0.05; done; echo end >>log; touch made`
    const { exitCode } = await it.run(
      async ({ converge }) => {
        await converge(command(line, { title: 'make', creates: it.at('made') }))
      },
      {
        watch: event => {
          cutAt(it, 'half-close', 'begun')(event)
          if (event.type === 'warning' && event.message.startsWith('waiting for the step'))
            void writeFile(it.at('go'), '')
        },
      },
    )
    expect(exitCode).toBe(0)
    expect(await it.read('log')).toBe('begin\nend\n')
  })

  test.each(['half-close', 'reset'] as const)(
    'while another user’s step runs that can be asked is made again after that step has ended (%s)',
    {
      timeout: 60_000,
      tags: ['root'],
    },
    async how => {
      const it = await there()
      await chmod(it.place.directory, 0o755)
      await mkdir(it.at('theirs'))
      await chmod(it.at('theirs'), 0o777)
      const line = sh`cd ${it.at('theirs')}; echo "begin $(id -un)" >>log; echo begun; until [ -e go ]; do sleep 0.05; done; echo end >>log; touch made`
      const reload = handler(command(sh`echo x >>${it.at('reloaded')}`, { title: 'reload' }))
      const own = file(it.at('theirs/own'), { content: 'own\n', as: 'nobody', notify: reload })
      const { exitCode, seen, outcomes } = await it.run(
        async ({ converge }) => {
          await converge(
            command(line, { title: 'make', creates: it.at('theirs/made'), as: 'nobody' }),
            own,
            command(sh`echo x >>${it.at('depends')}`, { title: 'depends', when: changed(own) }),
          )
        },
        {
          watch: event => {
            cutAt(it, how, 'begun')(event)
            if (event.type !== 'warning' || !event.message.startsWith('connected again')) return
            // The old shell goes on, and the new one must not begin beside it.
            setTimeout(() => void writeFile(it.at('theirs/go'), ''), 1000)
          },
        },
      )
      expect({ exitCode, error: outcomes[0]!.error }).toEqual({ exitCode: 0, error: undefined })
      expect(await it.read('theirs/log')).toBe('begin nobody\nend\n')
      expect(endsOf(seen)).toEqual([
        'make changed',
        `file ${it.at('theirs/own')} changed`,
        'depends changed',
        'reload changed',
      ])
      expect([await it.read('depends'), await it.read('reloaded')]).toEqual(['x\n', 'x\n'])
    },
  )

  test('while another run has the lock is made again, and waits for it', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const who = { run: 'r0', attempt: 1, recipe: 'other', owner: 'o', controller: 'c', time: 't' }
    const direct = createConnector({ acceptNew: false })
    onTestFinished(() => direct.close())
    const bootstrapDir = it.host.bootstrapDir
    const transport = await direct.connect(it.sshd.host({ bootstrapDir }), { timeoutMs: 20_000 })
    const holder = await openSession({ transport, bootstrapDir, first: [lockCall(who)] })
    const { exitCode, seen } = await it.run(
      async ({ converge }) => {
        await converge(file(it.at('one'), { content: '1\n' }))
      },
      {
        waitLockMs: 60_000,
        watch: event => {
          if (event.type !== 'warning') return
          if (event.message.includes('waiting')) it.proxy.cut('close')
          if (event.message.startsWith('connected again')) void holder.close()
        },
      },
    )
    expect(exitCode).toBe(0)
    expect(warningsOf(seen).at(-1)).toMatch(/^connected again/)
  })

  test('leaves no lock, and no shell that waits', { timeout: 60_000 }, async () => {
    const it = await there()
    let shell = ''
    const { exitCode } = await it.run(async ({ converge }) => {
      shell = (await it.read('state/bootstrap.pid')).split('\n')[0]!
      it.proxy.cut('half-close')
      await converge(file(it.at('one'), { content: '1\n' }))
    })
    expect(exitCode).toBe(0)
    await expect(it.read('state/bootstrap.pid')).rejects.toThrow('ENOENT')
    await expect(it.read('state/bootstrap.lost')).rejects.toThrow('ENOENT')
    await expect(readFile(`/proc/${shell}/stat`)).rejects.toThrow('ENOENT')
  })
})

/** Kills the runner of the only command that has begun, and the command. */
async function endRunner(it: There) {
  const [run] = await readdir(it.at('state/runs'))
  const [key] = (await readdir(it.at(`state/runs/${run}`))).filter(name => name !== 'runner')
  const pid = Number.parseInt(await it.read(`state/runs/${run}/${key}/started`), 10)
  for (const each of [pid, ...descendantsOf(pid)]) kill(each)
}

describe('a connection that can’t be made again', { tags: ['sshd'] }, () => {
  const halting =
    (it: There) =>
    async ({ converge }: Parameters<Run>[0]) => {
      const line = sh`cd ${it.place.directory}; echo x >>ran; echo begun; until [ -e go ]; do sleep 0.05; done; echo over`
      await converge(command(line, { title: 'halting' }), file(it.at('after'), { content: 'b\n' }))
    }
  const fall = (it: There, how: Cut) => (event: RunEvent) => {
    if (event.type === 'step.output' && event.text.includes('begun')) it.proxy.down(how)
  }

  test('in time ends the host as unreachable and its step as unknown, and the run can go on later', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const first = await it.run(halting(it), {
      runId: 'r9',
      reconnectMs: 1500,
      watch: fall(it, 'reset'),
    })
    expect(endsOf(first.seen)).toEqual(['halting unknown'])
    expect(first.outcomes[0]).toMatchObject({
      status: 'unreachable',
      error: { code: 'connection_lost', message: expect.stringContaining('within 1.5 s') },
    })
    expect(it.proxy.refused).toBeGreaterThan(1)
    it.proxy.up()
    await writeFile(it.at('go'), '')
    const second = await it.run(halting(it), { runId: 'r9', attempt: 2 })
    expect(second.exitCode).toBe(0)
    expect(outputOf(second.seen)).toBe('begun\nover\n')
    expect(await it.read('ran')).toBe('x\n')
  })

  test('before the process of a command was ended leaves the step unknown', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const { outcomes, seen } = await it.run(halting(it), {
      watch: event => {
        if (event.type !== 'step.output' || !event.text.includes('begun')) return
        it.proxy.down('half-close')
        void endRunner(it).then(it.proxy.up)
      },
    })
    expect(endsOf(seen)).toEqual(['halting unknown', `file ${it.at('after')} skipped`])
    expect(outcomes[0]).toMatchObject({
      status: 'uncertain',
      error: {
        code: 'uncertain',
        message: 'it began before the connection was lost, and how it ended is not known',
      },
    })
    expect(await it.read('ran')).toBe('x\n')
  })

  test('with a reconnect of 0 is not tried again', async () => {
    const it = await there()
    const { seen, outcomes } = await it.run(halting(it), {
      reconnectMs: 0,
      watch: fall(it, 'reset'),
    })
    await writeFile(it.at('go'), '')
    expect(outcomes[0]).toMatchObject({ status: 'unreachable', error: { code: 'connection_lost' } })
    expect(warningsOf(seen)).toEqual([])
    expect(it.proxy.connections).toBe(1)
  })

  test('as another machine answers, is refused at once', { timeout: 60_000 }, async () => {
    const it = await there()
    const other = await startSshd()
    const { outcomes, seen } = await it.run(halting(it), {
      watch: event => {
        if (event.type !== 'step.output') return
        it.proxy.target = other
        it.proxy.cut('reset')
      },
    })
    await writeFile(it.at('go'), '')
    expect(outcomes[0]).toMatchObject({
      status: 'unreachable',
      error: { code: 'host_key_changed' },
      counts: { unknown: 1 },
    })
    expect(warningsOf(seen)).toEqual(['connection lost, reconnecting (attempt 1)…'])
    expect(other.count(/^Accepted/)).toBe(0)
  })

  test('before Ctrl-C ends at once with it', { timeout: 60_000 }, async () => {
    const it = await there()
    void it.proxy.nextRefused().then(() => it.place.stop.abort())
    const { outcomes, seen } = await it.run(halting(it), { watch: fall(it, 'reset') })
    await writeFile(it.at('go'), '')
    expect(outcomes[0]).toMatchObject({ status: 'interrupted', counts: { unknown: 1 } })
    expect(warningsOf(seen)).toEqual(['connection lost, reconnecting (attempt 1)…'])
  })

  test('before another run has worked there ends the host: what it knows may be out of date', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const { outcomes } = await it.run(async ({ converge }) => {
      it.proxy.down('close')
      const direct = { ...it.host, name: 'direct', address: it.sshd.address, port: it.sshd.port }
      const known = { knownHostsFile: it.sshd.knownHosts }
      const between = await it.place.run(
        async ({ converge: also }) => {
          await also(file(it.at('between'), { content: '0\n' }))
        },
        { hosts: [{ ...direct, ...known }], timeoutMs: 20_000, waitLockMs: 20_000 },
      )
      expect(between.exitCode).toBe(0)
      it.proxy.up()
      await converge(file(it.at('after'), { content: '1\n' }))
    }, {})
    expect(outcomes[0]).toMatchObject({
      status: 'unreachable',
      error: {
        code: 'connection_lost',
        message: expect.stringContaining('another run has had the lock since'),
      },
    })
    await expect(it.read('after')).rejects.toThrow('ENOENT')
  })
})
