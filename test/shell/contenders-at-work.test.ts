/**
 * Contenders for a host that work there once they have its lock, while holders, and what runs their commands, are killed.
 *
 * @module-tag long
 * @module-tag flock
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import { randomOf } from '../support/random.ts'
import { shells, temporaryDirectory } from '../support/shells.ts'

const contenders = 100
/** How many of them try at the same time. */
const atOnce = 5
const wins = 40
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
  inside: readonly string[],
): Promise<Contender> {
  const [program, ...args] = [...inside, ...shells[number % shells.length]!.command]
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
  return {
    pid: child.pid!,
    ended: once(child, 'exit'),
    turn: run => {
      child.stdin.write(`turn ${run}\n`)
      return answer()
    },
    over: answer,
    end: () => child.stdin.end(),
  }
}

const kill = (pid: number) => {
  try {
    return pid > 0 && process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** The runner of the effect of a run, once it has begun, and until it has ended. */
function runnerOf(home: string, run: string): number {
  const record = `${home}/bootstrap/runs/${run}/key`
  if (!existsSync(`${record}/started`) || existsSync(`${record}/exit`)) return 0
  return Number.parseInt(readFileSync(`${record}/started`, 'utf8'), 10)
}

/** Its command has begun, or its turn is over. */
async function begun(home: string, run: string, over: Promise<unknown>): Promise<void> {
  let isOver = false
  void over.then(() => {
    isOver = true
  })
  while (!isOver && !existsSync(`${home}/bootstrap/runs/${run}/key/started`)) await delay(3)
}

test(`never two of ${contenders} contenders work at once, and they are never stuck, whoever is killed`, {
  timeout: 180_000,
}, async () => {
  const seed = process.env.HOSTWRIGHT_FAULT_SEED ?? randomBytes(4).toString('hex')
  const { below, chance, one } = randomOf(seed)
  const home = await temporaryDirectory()
  const all = await Promise.all(
    Array.from({ length: contenders }, (_, number) => contender(home, number, [])),
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
        if (victim.includes('holder')) kill(own.pid)
        if ((await over) === 'ended') own = await contender(home, next++, [])
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
  // The last one, killed or not, keeps nobody out.
  const last = await contender(home, 0, [])
  while ((await last.turn(`run${++runs}`)) !== 'won') await delay(20)
  await last.over()
  last.end()
  await last.ended
  expect(readdirSync(`${home}/bootstrap`)).toEqual(['runs'])
})
