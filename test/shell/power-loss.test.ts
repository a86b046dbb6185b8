/** In which order the host's records get to the disk, and what is left of them if the power fails in between. */
import { existsSync } from 'node:fs'
import { cp, readFile, rm, stat, truncate } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { temporaryDirectory, testHost } from '../support/shells.ts'

const lock = (attempt = 1) =>
  lockCall({ run: 'r1', attempt, recipe: 'r', owner: 'o', controller: 'c', time: 't' })

/** One that matters, in the order in which they ended: `fsync /d/f`, `link /d/f.1 /d/f`, `rename …`, `make /d/f`. */
type Event = [call: 'fsync' | 'link' | 'rename' | 'make', ...paths: string[]]

const traced =
  'trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,open,openat,creat,mkdir,mkdirat'

/** A session that is traced, and what it did with files so far. */
async function tracedHost() {
  const directory = await temporaryDirectory()
  const log = `${directory}/trace`
  const as = ['strace', '-f', '-y', '-s', '4096', '-e', traced, '-o', log]
  const host = await testHost({ as, directory, first: [lock()] })
  const events = async (): Promise<Event[]> => {
    const lines = wholeLines(await readFile(log, 'utf8'))
    return lines.map(eventOf).filter(event => event !== undefined)
  }
  return { host, events }
}

/** The lines of calls, with those in one piece again that another process's lines came into. */
function wholeLines(log: string): string[] {
  const begun = new Map<string, string>()
  return log.split('\n').flatMap(line => {
    const [pid = ''] = line.split(' ', 1)
    const open = /^(.*?) *<unfinished \.\.\.>$/.exec(line)
    if (open) {
      begun.set(pid, open[1]!)
      return []
    }
    const rest = /^\d+ +<\.\.\. \w+ resumed>(.*)$/.exec(line)
    return [rest ? `${begun.get(pid)}${rest[1]}` : line]
  })
}

function eventOf(line: string): Event | undefined {
  const found = /^\d+ +(\w+)\((.*)\) += (-?\d+)/.exec(line)
  if (!found || found[3]!.startsWith('-')) return undefined
  const [, name, args] = found as unknown as [string, string, string]
  const paths = [...args.matchAll(/"([^"]*)"/g)].map(([, path]) => path!)
  if (/^f(data)?sync$/.test(name)) {
    const path = /<(.*)>$/.exec(args)?.[1]
    return path === undefined ? undefined : ['fsync', path]
  }
  if (/^link/.test(name)) return ['link', ...paths]
  if (/^rename/.test(name)) return ['rename', ...paths]
  return /^(creat|mkdir)/.test(name) || args.includes('O_CREAT') ? ['make', ...paths] : undefined
}

const isIn = (events: readonly Event[], from: number, ...event: Event): number => {
  const at = events.findIndex((each, index) => index >= from && each.join(' ') === event.join(' '))
  if (at < 0) throw new Error(`no ${event.join(' ')} from ${from} in\n${events.join('\n')}`)
  return at
}

/** Each of these comes after those before it. */
function inOrder(events: readonly Event[], ...wanted: Event[]): number[] {
  let at = -1
  return wanted.map(event => {
    at = isIn(events, at + 1, ...event)
    return at
  })
}

/** What is on the disk for certain after these events: names in directories that were synced since, and their contents. */
function durable(events: readonly Event[]) {
  const names = new Set<string>()
  const whole = new Set<string>()
  const pending = new Map<string, string>()
  for (const [call, first, second = ''] of events) {
    if (call === 'fsync') {
      whole.add(first!)
      for (const path of pending.keys()) if (dirname(path) === first) names.add(path)
    } else {
      const path = call === 'make' ? first! : second
      pending.set(path, path)
      // Two names of one file, or another name for it.
      if (call !== 'make' && whole.has(first!)) whole.add(path)
    }
  }
  return { names, whole }
}

describe('on the disk', { tags: ['strace'] }, () => {
  test('a command is begun after its record, and its end is reported after that is written', async () => {
    const { host, events } = await tracedHost()
    const home = host.bootstrapDir
    const record = `${home}/runs/r1/k`
    const line = 'echo x >>ran; exit 3'
    const call: HostCall = {
      ...command(line, { cwd: host.directory }).call,
      effect: { key: 'k', title: 'the step' },
    }
    expect(await host.run(call)).toMatchObject({ exitStatus: 3 })
    const all = await events()
    const linked = all.findIndex(([word, , to]) => word === 'link' && to === `${record}/started`)
    expect(linked).toBeGreaterThan(-1)
    const began = isIn(all, linked, 'make', 'ran')
    for (const path of [
      '/runs/r1/k/started',
      '/runs/r1/k/intent',
      '/runs/r1/k',
      '/runs/r1',
      '/runs',
      '',
    ])
      expect(isIn(all, linked, 'fsync', `${home}${path}`)).toBeLessThan(began)
    for (const path of ['out', 'err']) isIn(all, began, 'fsync', `${record}/${path}`)
    inOrder(
      all.slice(began),
      ['fsync', `${record}/exit.new`],
      ['rename', `${record}/exit.new`, `${record}/exit`],
      ['fsync', record],
    )
    await host.session.close()

    // The power fails after each of these.
    const seen: string[] = []
    for (let cut = linked; cut <= all.length; cut++) {
      const before = all.slice(0, cut)
      const last = before.at(-1)!
      if (cut < all.length && last[0] !== 'fsync' && last[0] !== 'rename' && cut !== began + 1)
        continue
      const { names, whole } = durable(before)
      const left = await temporaryDirectory()
      await cp(home, `${left}/bootstrap`, { recursive: true, mode: 0 })
      await rm(`${left}/bootstrap/bootstrap.pid`, { force: true })
      for (const name of ['started', 'intent', 'exit', 'out', 'err', 'exit.new', 'pid']) {
        const copy = `${left}/bootstrap/runs/r1/k/${name}`
        if (!existsSync(copy)) continue
        const gone =
          !names.has(`${record}/${name}`) ||
          ![record, `${home}/runs/r1`, `${home}/runs`].every(each => names.has(each))
        if (gone) await rm(copy)
        else if (!whole.has(`${record}/${name}`)) await truncate(copy, 0)
      }
      const next = await testHost({ directory: left, first: [lock(2)] })
      const again = await next.run({ ...command(line, { cwd: left }).call, effect: call.effect })
      await next.session.close()
      const ranAgain = existsSync(`${left}/ran`)
      const state = ranAgain ? 'runs' : again.code === 'uncertain' ? 'uncertain' : 'done'
      seen.push(state)
      if (cut > began) expect([last, state]).not.toEqual([last, 'runs'])
      if (state === 'done')
        expect(again).toMatchObject({ exitStatus: 3, note: 'begun in an earlier attempt' })
    }
    expect([...new Set(seen)]).toEqual(['runs', 'uncertain', 'done'])
    expect(seen.at(-1)).toBe('done')
  })

  test('the state and the intent of a product are whole before they get their names', async () => {
    const { host, events } = await tracedHost()
    const home = host.bootstrapDir
    await host.run({
      name: 'hw_intend',
      args: ['1', 'name=app', 'text=[intent]\n', 'server=[server]\n'],
    })
    expect(await host.run({ name: 'hw_open_intent', args: ['1'] })).toMatchObject({ exitStatus: 0 })
    const all = await events()
    for (const path of [`${home}/products/app.intent`, `${home}/server.ini`]) {
      const at = all.findIndex(([call, , to]) => call === 'rename' && to === path)
      const from = all[at]![1]!
      expect(basename(from)).toMatch(/^\..*\.hw-/)
      expect(isIn(all, 0, 'fsync', from)).toBeLessThan(at)
      isIn(all, at, 'fsync', dirname(path))
      expect((await stat(path)).size).toBeGreaterThan(0)
    }
  })

  test('the lock gets its name when it is whole', async () => {
    const { host, events } = await tracedHost()
    const all = await events()
    const [claim] = all.filter(([call, path]) => call === 'make' && path!.includes('.claim-'))
    inOrder(all, claim!, ['link', claim![1]!, `${host.bootstrapDir}/bootstrap.pid`])
  })
})
