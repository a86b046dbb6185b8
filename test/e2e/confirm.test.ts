/**
 * Changes that can cut a host off, on hosts with a network and an sshd of their own, which the changes take away.
 * With HOSTWRIGHT_CONFIRMS=50 each is done as often.
 * @module-tag netns
 * @module-tag sshd
 * @module-tag acl
 * @module-tag root
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../lib/events.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler, type Items, task } from '../../lib/resources/resource.ts'
import type { RunResult } from '../../lib/rollout/run.ts'
import { localProject } from '../support/local-project.ts'
import { localIn } from '../support/local-run.ts'
import { type NetHost, netHost, until } from '../support/net-host.ts'
import { shells } from '../support/shells.ts'

const within = '3s'
/** The issue's promise, in milliseconds: the deadline and five seconds. */
const promisedMs = 8000

const converge = (host: NetHost, items: Items, more = {}) =>
  localIn(host.directory).run(({ converge }) => converge(items).then(() => {}), {
    hosts: [host.host()],
    reconnectMs: 30_000,
    timeoutMs: 30_000,
    ...more,
  })

const stepsOf = ({ seen }: { seen: readonly { type: string }[] }) =>
  seen.flatMap(event =>
    event.type === 'step.end' ? [event as never as Record<string, string>] : [],
  )

const errorOf = ({ outcomes }: RunResult) => outcomes[0]!.error

/** Ways to cut a host off. Each says what is as it was once it is back. */
const cuts: Record<string, (host: NetHost) => { items: Items; check: string; was: string }> = {
  'a link that is down': () => ({
    items: command('ip link set eth0 down', { confirm: { within, undo: 'ip link set eth0 up' } }),
    check: 'ip -o link show eth0 | grep -c "state UP"',
    was: '1\n',
  }),
  'an sshd that lets nobody in': host => {
    const path = host.at('sshd_config')
    const restart = handler(command(host.restart, { title: 'restart sshd' }))
    const options = { line: 'AllowUsers nobody', match: /^AllowUsers/, notify: restart }
    return {
      items: task('sshd', () => line(path, options), { confirm: within })(),
      check: `grep -c AllowUsers ${path} || :`,
      was: '0\n',
    }
  },
  'a firewall that lets no new connection in': host => {
    const path = host.at('rules')
    const load = handler(command(`iptables-restore ${path}`, { title: 'load the rules' }))
    const rules = (more: string) => `*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n${more}COMMIT\n`
    return {
      items: [
        file(path, { content: rules('') }),
        file(`${path}.new`, { content: 'x', confirm: { within: '60s' } }),
        command(`printf '%s' '${rules('-A INPUT -p tcp --syn --dport 22 -j DROP\n')}' >${path}`, {
          title: 'new rules',
          notify: load,
          confirm: { within, files: [path] },
        }),
      ],
      check: 'iptables -S INPUT',
      was: '-P INPUT ACCEPT\n',
    }
  },
  'rules of nft that let no new connection in': host => {
    const path = host.at('rules.nft')
    const load = handler(command(`nft -f ${path}`, { title: 'load the rules' }))
    const rules = (last: string) =>
      `flush ruleset\ntable inet filter {\n  chain input {\n    type filter hook input priority 0; policy accept;\n    ct state established,related accept\n    ${last}\n  }\n}\n`
    return {
      items: [
        command(`printf '%b' '${rules('tcp dport 22 accept')}' >${path}; nft -f ${path}`),
        file(path, { content: rules('tcp dport 22 drop'), notify: load, confirm: within }),
      ],
      check: 'nft list ruleset | grep "dport 22"',
      was: '\t\ttcp dport 22 accept\n',
    }
  },
  'a route into nothing': host => ({
    items: command(`ip route add blackhole ${host.controller}/32`, {
      confirm: { within, undo: `ip route del blackhole ${host.controller}/32` },
    }),
    check: 'ip route show type blackhole',
    was: '',
  }),
}

/** A change that can't be confirmed: it takes away what lets us in. */
const refuses = (host: NetHost, more: Items[] = [], limit = within) => {
  const restart = handler(command(host.restart, { title: 'restart sshd' }))
  const path = host.at('sshd_config')
  const nobody = { line: 'AllowUsers nobody', match: /^AllowUsers/, notify: restart }
  return task('sshd', () => [line(path, nobody), ...more], { confirm: limit })()
}

const isAsBefore = async (host: NetHost) => {
  expect(await readFile(host.at('sshd_config'), 'utf8')).not.toContain('AllowUsers')
  await nobodyWatches(host)
}

const nobodyWatches = (host: NetHost) =>
  until(async () => {
    const count = await host.inside("ps ax | grep -c '[c]onfirm/program' || :")
    if (count !== '0\n') throw new Error('somebody watches')
  }, 20_000)

const warnings = ({ seen }: { seen: readonly RunEvent[] }) =>
  seen.flatMap(event => (event.type === 'warning' ? [event.message] : []))

/** Settles once the host's record has this file. */
const hasRecorded = (host: NetHost, name: string) =>
  until(async () => {
    if (!existsSync(host.at(`bootstrap/confirm/${name}`))) throw new Error(`there is no ${name}`)
  }, 40_000)

const killWatchers = (host: NetHost, names: readonly string[]) =>
  host.inside(
    `cd ${host.at('bootstrap')}/confirm; kill -9 $(cut -d' ' -f1 ${names.map(each => `watch.${each}`).join(' ')}) || :`,
  )

/** How often each way to cut a host off is tried. */
const times = Number(process.env.HOSTWRIGHT_CONFIRMS ?? 1)

describe.concurrent('a change that cuts its host off', () => {
  /** In milliseconds, from when it was cut off until it let us in again. */
  const took = new Map<string, number[]>()
  afterAll(() => {
    for (const [way, each] of took) {
      const [least, middle, most] = [0, 0.5, 1].map(part => {
        return Math.round(each.sort((a, b) => a - b)[Math.floor((each.length - 1) * part)]!)
      })
      console.log(
        `${way}: ${each.length} times, back after ${least} to ${most} ms, mostly ${middle}`,
      )
    }
  })
  const all = Object.entries(cuts).flatMap(([name, cut]) =>
    Array.from({ length: times }, (_, at) => ({ name: at ? `${name}, again ${at}` : name, cut })),
  )
  test.for(all)(
    'is put back in time, and the run says so: $name',
    async ({ name, cut }, context) => {
      const host = await netHost(context.onTestFinished)
      const { items, check, was } = cut(host)
      const running = converge(host, items)
      await host.shutsOut(20_000)
      const backMs = await host.letsIn(30_000)
      // The promise is measured where nothing else keeps the machine busy: HOSTWRIGHT_CONFIRMS=50.
      if (times > 1) {
        const way = name.replace(/, again.*/, '')
        took.set(way, [...(took.get(way) ?? []), backMs])
        expect(backMs).toBeLessThan(promisedMs)
      }
      const result = await running
      expect(errorOf(result)).toMatchObject({
        code: 'reverted',
        message: expect.stringMatching(/not confirmed within 3 s: put back(: \S+)?$/),
      })
      // Where the run's own connection was cut off too, it did not hear that it was to confirm.
      const { output = 'no new connection: 192.0.2.1 port 22 is left' } = errorOf(result)!
      expect(output).toMatch(/^no new connection: \S+ port 22.*(?<!\.\d\d+ s)$/)
      expect(result.exitCode).toBe(4)
      expect(await host.inside(check)).toBe(was)
      await nobodyWatches(host)
    },
  )

  test('puts each file back as it was, and none where there was none', async context => {
    const host = await netHost(context.onTestFinished)
    const [plain, link, target, none] = ['plain', 'link', 'target', 'none'].map(host.at)
    await host.inside(`umask 077; echo old >${plain}; chmod 640 ${plain}; chown 1234:4321 ${plain}
      setfacl -m u:1234:rw ${plain}; setfattr -n user.hw -v x ${plain}; echo there >${target}; ln -s target ${link}`)
    const look = () =>
      host.inside(`cd ${host.directory}; getfacl -n plain; getfattr -d plain; cat plain target
        ls -ln --time-style=full-iso plain link target none 2>&1 || :`)
    const before = await look()
    const cut = refuses(host, [
      file(plain!, { content: 'new', mode: 0o600, owner: 0 }),
      file(link!, { content: 'elsewhere' }),
      file(none!, { content: 'new' }),
    ])
    expect(errorOf(await converge(host, cut))).toMatchObject({ code: 'reverted' })
    expect(await look()).toBe(before)
  })

  test.for(['1', '2', '1 and 2'])(
    'is put back where watcher %s was killed',
    async (killed, context) => {
      const host = await netHost(context.onTestFinished)
      const running = converge(host, refuses(host))
      await hasRecorded(host, 'watch.2')
      await killWatchers(host, killed.split(' and '))
      expect(errorOf(await running)).toMatchObject({ code: 'reverted' })
      await isAsBefore(host)
    },
  )

  test('is put back at once where a step of it fails', async context => {
    const host = await netHost(context.onTestFinished)
    const items = refuses(host, [command('exit 7', { title: 'fails' })], '1h')
    const result = await converge(host, items)
    expect(errorOf(result)).toMatchObject({ step: 'fails', exitStatus: 7 })
    expect(warnings(result)).toContain(`sshd: put back: ${host.at('sshd_config')}`)
    await isAsBefore(host)
  })

  test('is put back by the next run where the host lost all its processes, which says so', async context => {
    const host = await netHost(context.onTestFinished)
    const running = converge(host, refuses(host, [], '1h'), { reconnectMs: 1000 })
    await hasRecorded(host, 'ready')
    await host.endAll()
    expect((await running).exitCode).toBe(3)
    expect(await readFile(host.at('sshd_config'), 'utf8')).toContain('AllowUsers')
    // Somebody came by its console.
    await host.inside(
      `grep -v AllowUsers ${host.at('sshd_config')} >${host.at('rescue')}; ${host.restart.replace(/sshd_config$/, 'rescue')}`,
    )
    // The run has ended as unreachable: it must not confirm it now.
    for (let logins = 0; logins < 3; logins++) await host.letsIn(30_000)
    expect(existsSync(host.at('bootstrap/confirm/decision'))).toBe(false)
    const next = await converge(host, [])
    expect(next.exitCode).toBe(0)
    expect(warnings(next)).toEqual([
      'run r1 changed “sshd”, which nobody confirmed: it was put back',
    ])
    await isAsBefore(host)
    expect(warnings(await converge(host, []))).toEqual([])
  })

  test('has its commands run again when its run goes on', async context => {
    const host = await netHost(context.onTestFinished)
    const undo = 'ip link set eth0 up'
    const cut = command(`echo >>${host.at('ran')}; ip link set eth0 down`, {
      confirm: { within, undo },
    })
    const attempt = (number: number) => converge(host, cut, { runId: 'run', attempt: number })
    expect(errorOf(await attempt(1))).toMatchObject({ code: 'reverted' })
    await host.letsIn(30_000)
    expect(errorOf(await attempt(2))).toMatchObject({ code: 'reverted' })
    expect(await readFile(host.at('ran'), 'utf8')).toBe('\n\n')
  })
})

describe.concurrent('a change that its host survives', () => {
  for (const shell of shells)
    test(`is confirmed by a new login, once, with ${shell.name}`, {
      tags: [...(shell.tags ?? [])],
    }, async context => {
      const host = await netHost(context.onTestFinished, shell)
      const config = host.at('sshd_config')
      const restart = handler(command(host.restart, { title: 'restart sshd' }))
      const tries = { line: 'MaxAuthTries 5', match: /^MaxAuthTries/, notify: restart }
      const items = line(config, { ...tries, confirm: '60s' })
      const looked = await converge(host, items, { check: true })
      expect(stepsOf(looked).at(-1)).toMatchObject({ status: 'ok', note: 'would wait for it' })
      const first = await converge(host, items)
      expect(errorOf(first)).toBeUndefined()
      expect(stepsOf(first).map(({ title, status, note }) => [title, status, note])).toEqual([
        [`line ${config}`, 'changed', expect.anything()],
        ['restart sshd', 'changed', undefined],
        [`confirm line ${config} within 60 s`, 'ok', 'confirmed'],
      ])
      const logins = await host.inside(`grep -c 'Accepted publickey' ${host.at('sshd.log')}`)
      const again = await converge(host, items)
      expect(stepsOf(again).map(({ status, note }) => [status, note])).toEqual([
        ['ok', undefined],
        ['ok', 'nothing changed'],
      ])
      // What changes nothing costs no login, and no round trip.
      expect(again.outcomes[0]!.roundTrips).toBe(2)
      const since = await host.inside(`grep -c 'Accepted publickey' ${host.at('sshd.log')}`)
      expect(Number(since) - Number(logins)).toBe(1)
    })
})

const projectOf = async (host: NetHost) => {
  const recipe = (wait: string) => `import { command, handler, line, recipe } from 'hostwright'
export default recipe({ description: 'x', run: async ({ converge }) => {
  const reload = handler(command(${JSON.stringify(wait)}, { title: 'reload' }))
  await converge(line('${host.at('rules')}', { line: 'new', notify: reload, confirm: '4s' }))
} })\n`
  const { address, key, knownHosts, at } = host
  const vars = `ansible_host=${address} ansible_user=root ansible_ssh_private_key_file=${key.file}`
  return localProject({
    'inventories/net/hosts.ini': `net ${vars} known_hosts_file=${knownHosts} bootstrap_dir=${at('bootstrap')}\n`,
    'recipes/slow.ts': recipe('sleep 1'),
    'recipes/quick.ts': recipe('true'),
    'recipes/nothing.ts': `import { recipe } from 'hostwright'\nexport default recipe({ description: 'x', run: async () => {} })\n`,
  })
}

const there = ['-i', 'net', '--on', 'all', '--output', 'plain']

test('a change whose controller was killed before it confirmed is put back, and the next run says so', async () => {
  const host = await netHost()
  await host.inside(`echo old >${host.at('rules')}`)
  const { start, run } = await projectOf(host)
  const killed = start(['slow', ...there])
  await hasRecorded(host, 'watch.2')
  killed.child.kill('SIGKILL')
  await hasRecorded(host, 'result')
  expect(await readFile(host.at('rules'), 'utf8')).toBe('old\n')
  const next = await run(['nothing', ...there, '--wait-lock', '20s'])
  expect(next.stderr + next.stdout).toMatch(
    /changed “line .*rules”, which nobody confirmed: it was put back/,
  )
  expect(next.status).toBe(0)
})

test('a change whose controller was killed after it confirmed stays, and the next run is silent', async () => {
  const host = await netHost()
  await host.inside(`echo old >${host.at('rules')}`)
  const { start, run } = await projectOf(host)
  const killed = start(['quick', ...there])
  await hasRecorded(host, 'decision')
  killed.child.kill('SIGKILL')
  const next = await run(['quick', ...there, '--wait-lock', '20s'])
  expect(next.stderr + next.stdout).not.toContain('nobody confirmed')
  expect(next).toMatchObject({ status: 0 })
  expect(await readFile(host.at('rules'), 'utf8')).toBe('old\nnew\n')
})
