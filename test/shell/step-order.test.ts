/** Steps are reported in order, however the host's answers are cut into packets. */
import { PassThrough, type Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../lib/events.ts'
import type { RunContext } from '../../lib/recipe/recipe.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { exists, not } from '../../lib/resources/conditions.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler, task } from '../../lib/resources/resource.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { type Local, local } from '../support/local-run.ts'

type Stream = 'stdout' | 'stderr'

/** After this long without output, everything that was held back arrives at once. */
const silenceMs = 40

/** Shells whose answers come in one packet per stream, `first` before the other. */
function inOnePacket(transport: Transport, first: Stream): Transport {
  const open: Transport['open'] = async () => {
    const shell = await transport.open()
    const late = { stdout: new PassThrough(), stderr: new PassThrough() }
    const held: Record<Stream, Buffer[]> = { stdout: [], stderr: [] }
    const order: Stream[] = first === 'stdout' ? ['stdout', 'stderr'] : ['stderr', 'stdout']
    const give = () => {
      for (const stream of order) late[stream].write(Buffer.concat(held[stream].splice(0)))
    }
    let timer: NodeJS.Timeout | undefined
    for (const stream of order) {
      const from: Readable = shell[stream]
      from.on('data', (chunk: Buffer) => {
        held[stream].push(chunk)
        clearTimeout(timer)
        timer = setTimeout(give, silenceMs)
      })
      from.on('end', () => {
        give()
        late[stream].end()
      })
    }
    return { ...shell, ...late, nudge: undefined }
  }
  return { ...transport, open }
}

function packets(first: Stream): Connector {
  const connector = createConnector({ acceptNew: false })
  return {
    ...connector,
    connect: async (host, options) => inOnePacket(await connector.connect(host, options), first),
  }
}

/** Expects each step's start, output and end before the next one's start. */
function expectInOrder(seen: readonly RunEvent[]) {
  let running: string | undefined
  for (const event of seen) {
    if (!event.type.startsWith('step.') || !('step' in event)) continue
    if (event.type === 'step.start') {
      expect(running, `${event.title} starts`).toBeUndefined()
      running = event.step
    }
    expect(event.step, event.type).toBe(running)
    if (event.type === 'step.end') running = undefined
  }
}

async function run(
  place: Local,
  first: Stream,
  work: (context: RunContext) => Promise<unknown>,
  more: Parameters<Local['run']>[1] = {},
) {
  const recipe = async (context: RunContext) => void (await work(context))
  const result = await place.run(recipe as never, { connector: packets(first), ...more })
  expectInOrder(result.seen)
  const ends = result.seen.flatMap(event =>
    event.type === 'step.end' ? [`${event.title} ${event.status}`] : [],
  )
  return { ...result, ends }
}

const says = (name: string, script = '', more = {}) =>
  command(`echo ${name} out; echo ${name} err >&2${script && `; ${script}`}`, {
    title: name,
    ...more,
  })

describe.each(['stdout', 'stderr'] as const)('with %s first', first => {
  test('many steps with output in one packet each end before the next starts', async () => {
    const names = [...Array(40).keys()].map(String)
    const { ends } = await run(await local(), first, ({ converge }) =>
      converge(names.map(name => task(`task ${name}`, () => [says(name)])())),
    )
    expect(ends).toEqual(names.map(name => `${name} changed`))
  })

  test('a failed step ends before the skipped steps after it', async () => {
    const { ends, outcomes } = await run(await local(), first, ({ converge }) =>
      converge(says('a'), says('b', 'exit 3'), says('c'), says('d')),
    )
    expect(ends).toEqual(['a changed', 'b failed', 'c skipped', 'd skipped'])
    expect(outcomes[0]!.status).toBe('failed')
  })

  test('steps skipped by a condition, and handlers, are reported in their place', async () => {
    const place = await local()
    const reload = handler(says('reload'))
    const unheard = handler(says('unheard'))
    const { ends } = await run(place, first, ({ converge }) =>
      converge(
        says('never', '', { when: not(exists(place.directory)), notify: unheard }),
        file(place.at('b'), { content: 'x', notify: reload }),
        says('last'),
      ),
    )
    expect(ends).toEqual([
      'never skipped',
      expect.stringMatching(/^file .* changed$/),
      'last changed',
      'reload changed',
    ])
  })

  test('steps whose content is sent on request end one after the other', async () => {
    const place = await local()
    const { ends } = await run(place, first, ({ converge }) =>
      converge(
        says('before'),
        file(place.at('a'), { content: 'a' }),
        says('between'),
        file(place.at('b'), { content: 'b' }),
        says('after'),
      ),
    )
    expect(ends).toHaveLength(5)
  })

  test('a step that times out ends before the rest of its segment', async () => {
    const { ends } = await run(
      await local(),
      first,
      ({ converge }) => converge(says('a'), says('slow', 'sleep 60'), says('c')),
      { commandTimeoutMs: 500 },
    )
    expect(ends).toEqual(['a changed', 'slow failed', 'c skipped'])
  })

  test('steps that are confirmed or declined one by one follow each other', async () => {
    const { ends } = await run(
      await local(),
      first,
      ({ converge }) => converge(says('a'), says('b'), says('c')),
      { confirm: async (_, title) => title !== 'b' },
    )
    expect(ends).toEqual(['a changed', 'b skipped', 'c changed'])
  })

  test('steps of other users’ sessions come between those of the main session', async () => {
    const reload = handler(says('reload'))
    const place = await local()
    const { ends } = await run(place, first, ({ converge }) =>
      converge(
        says('a'),
        // One that only looks: what runs once a run is the main session's, also for another user.
        task(
          'as app',
          () => [
            says('b', '', { changedWhen: false }),
            file(place.at('x'), { content: '', notify: reload }),
          ],
          {
            as: 'app',
          },
        )(),
        says('c'),
      ),
    )
    expect(ends.map(end => end.split(' ')[0])).toEqual(['a', 'b', 'file', 'c', 'reload'])
  })

  test('commands of $ that are not awaited end in order', async () => {
    const { ends } = await run(await local(), first, ({ $ }) =>
      Promise.all([$`echo 1`, $({ nothrow: true })`echo 2; exit 4`, $`echo 3 >&2`]),
    )
    expect(ends).toEqual(['$ echo 1 ok', '$ echo 2; exit 4 ok', '$ echo 3 >&2 ok'])
  })
})
