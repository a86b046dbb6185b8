/**
 * Contenders for a host that work there once they have its lock, while holders, and what runs their commands, are killed.
 *
 * @module-tag long
 * @module-tag flock
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import { kill, readProc } from '../support/descendants.ts'
import { randomOf } from '../support/random.ts'
import { shells, temporaryDirectory } from '../support/shells.ts'

/** How many of them try at the same time. */
const atOnce = 5
/** Longer than any win takes, also where others use the processor. */
const patienceMs = 30_000

/** Who is killed while somebody has the lock. */
const victims = ['nobody', 'holder', 'runner', 'holder and runner'] as const

/**
 * A shell that waits for its turns. What it does with the lock is an effect, whose command has a lock of the kernel's:
 * who finds that taken has met another one at work.
 */
const prelude = (home: string) => `${loadPrelude()}
hw_nonce=nonce hw_token=0123456789abcdef01234567 hw_dir='${home}/bootstrap'
hw_segment '' '' ''
turn() {
hw_code=-
if hw_lock "$1" attempt=1 recipe=r owner=o controller=c time=t >/dev/null 2>&1; then
echo; echo "won $1"
hw_step 1 hw_effect key title=work -- hw_command 'exec 9>>${home}/busy; flock -n 9 || echo "$HOSTWRIGHT_KEY met another" >>${home}/faults; echo x >>${home}/worked; exec sleep 0.03' >/dev/null 2>&1
hw_stop= hw_lock_run=
hw_unlock
echo; echo "done $1"
else
echo; echo "$hw_code $1"
fi
}
echo; echo ready
`

/** Where contenders are: a PID namespace, by the words that enter it; this one without. */
type Place = readonly string[]

interface Contender {
  pid: number
  ended: Promise<unknown>
  /** @returns `won`, or why not; `ended` once it was killed */
  turn(run: string): Promise<string>
  /** That turn is over. */
  over(): Promise<string>
  end(): void
}

async function contender(
  home: string,
  number: number,
  places: readonly Place[],
): Promise<Contender> {
  const place = places[number % places.length]!
  const [program, ...args] = [...place, ...shells[number % shells.length]!.command]
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) return 'ended'
      if (value !== '') return value.split(' ')[0]!
    }
  }
  child.stdin.write(prelude(home))
  await answer()
  // What enters a namespace stays as the parent of what is in it.
  const within = readProc(`${child.pid}/task/${child.pid}/children`).trim()
  return {
    pid: place.length > 0 ? Number(within) : child.pid!,
    ended: once(child, 'exit'),
    turn: run => {
      child.stdin.write(`turn ${run}\n`)
      return answer()
    },
    over: answer,
    end: () => child.stdin.end(),
  }
}

/** The runner of the effect of a run, once it has begun, and until it has ended. */
function runnerOf(home: string, run: string): number {
  const record = `${home}/bootstrap/runs/${run}/key`
  if (!existsSync(`${record}/started`) || existsSync(`${record}/exit`)) return 0
  const [pid, ...lines] = readFileSync(`${record}/started`, 'utf8').split('\n')
  const space = lines.find(line => line.startsWith('pidns='))?.slice('pidns='.length)
  return processIn(Number(pid), space)
}

/** The process that has this id in that PID namespace, by its id here; 0: it has ended. */
function processIn(id: number, space: string | undefined): number {
  if (space === undefined) return id
  for (const name of readdirSync('/proc').filter(each => /^\d+$/.test(each))) {
    const ids = /^NSpid:\t(.*)$/m.exec(readProc(`${name}/status`))?.[1]?.split('\t')
    if (Number(ids?.at(-1)) !== id) continue
    try {
      if (readlinkSync(`/proc/${name}/ns/pid`) === `pid:[${space}]`) return Number(name)
    } catch {
      // It has ended meanwhile.
    }
  }
  return 0
}

/** A PID namespace whose first process reaps nothing, as in many containers. */
async function namespace(): Promise<Place> {
  const words = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    'sh',
    '-c',
    'echo; exec sleep 999',
  ]
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const first = readProc(`${child.pid}/task/${child.pid}/children`).trim()
  return ['nsenter', '--target', first, '--pid', '--mount', '--']
}

/** Its command has begun, or its turn is over. */
async function begun(home: string, run: string, over: Promise<unknown>): Promise<void> {
  let isOver = false
  void over.then(() => {
    isOver = true
  })
  while (!isOver && !existsSync(`${home}/bootstrap/runs/${run}/key/started`)) await delay(3)
}

interface Contest {
  contenders: number
  /** How often somebody gets the lock. */
  wins: number
  places: readonly Place[]
}

async function contest({ contenders, wins, places }: Contest): Promise<void> {
  const seed = process.env.HOSTWRIGHT_FAULT_SEED ?? randomBytes(4).toString('hex')
  const { below, chance, one } = randomOf(seed)
  const home = await temporaryDirectory()
  const all = await Promise.all(
    Array.from({ length: contenders }, (_, number) => contender(home, number, places)),
  )
  let won = 0
  let next = contenders
  let runs = 0
  /** Tries until it wins, which is soon, as who has the lock keeps it for a moment. */
  const contend = async () => {
    while (won < wins) {
      let own = all.splice(below(all.length), 1)[0]!
      const run = `run${++runs}`
      const said = await own.turn(run)
      if (said === 'won') {
        won++
        const over = own.over()
        const victim = one(victims)
        // In the middle of its command, or before that.
        if (chance(0.6)) await begun(home, run, over)
        await delay(below(40))
        // The runner first: its shell would notice that the pipe of it has ended.
        if (victim.includes('runner')) kill(runnerOf(home, run))
        // It may have been over by then: its shell is gone for the next turn.
        const killed = victim.includes('holder') && kill(own.pid)
        if ((await over) === 'ended' || killed) own = await contender(home, next++, places)
      } else if (said !== 'locked') expect({ seed, said }).toEqual({ seed, said: 'locked' })
      else await delay(20 + below(60))
      all.push(own)
    }
  }
  const contending = Promise.all(Array.from({ length: atOnce }, contend))
  const stuck = (async () => {
    for (let last = -1; won > last; ) {
      last = won
      await delay(patienceMs, undefined, { ref: false })
    }
    return `seed ${seed}: stuck after ${won} wins`
  })()
  expect(await Promise.race([contending.then(() => 'done'), stuck])).toBe('done')
  for (const each of all) each.end()
  await Promise.all(all.map(each => each.ended))
  const faults = existsSync(`${home}/faults`) ? readFileSync(`${home}/faults`, 'utf8') : ''
  expect({ seed, faults }).toEqual({ seed, faults: '' })
  expect(readFileSync(`${home}/worked`, 'utf8').length / 2).toBeGreaterThan(wins / 4)
  // The last one, killed or not, keeps nobody out of its place, and who is there then nobody at all.
  const rest = await Promise.all(places.map((_, number) => contender(home, number, places)))
  const left = [...rest]
  while (left.length > 0) {
    const each = left.shift()!
    if ((await each.turn(`run${++runs}`)) === 'won') await each.over()
    else {
      left.push(each)
      await delay(20)
    }
  }
  for (const each of rest) each.end()
  await Promise.all(rest.map(each => each.ended))
  expect(readdirSync(`${home}/bootstrap`)).toEqual(['runs'])
}

const timeout = 180_000

test(
  'never two of 100 contenders work at once, and they are never stuck, whoever is killed',
  {
    timeout,
  },
  () => contest({ contenders: 100, wins: 40, places: [[]] }),
)

describe('contenders in PID namespaces that share a bootstrap_dir', { tags: ['overlay'] }, () => {
  // All of a namespace's own can tell who of it is alive, and nobody else can.
  test('never work two at once, and are never stuck, whoever is killed', { timeout }, async () => {
    const places = [[], await namespace(), await namespace()]
    await contest({ contenders: 30, wins: 25, places })
  })
})
