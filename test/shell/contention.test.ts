/** @module-tag long */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import { describeEach, shells, temporaryDirectory } from '../support/shells.ts'

const contenders = 50
const rounds = 4
/** Identities of processes that can't be: no process id is this large. */
const dead = (number: number) => ({ pid: 999_999_000 + number, start: '1', boot: 'no-boot' })
const identity = ({ pid, start, boot }: ReturnType<typeof dead>) => `${pid}-${start}-${boot}`
const lockOf = ({ pid, start, boot }: ReturnType<typeof dead>) =>
  `${pid}\nstart=${start}\nboot=${boot}\nrun=dead\n`

/** What the contenders find. The numbers are never used twice, as no process's identity is. */
const scenes: Record<string, (home: string, round: number) => Promise<void>> = {
  free: async () => {},
  stale: (home, round) => writeFile(`${home}/bootstrap.pid`, lockOf(dead(round))),
  'stale with dead heirs': async (home, round) => {
    const line = [0, 1, 2, 3].map(number => dead(100 + round * 10 + number))
    await writeFile(`${home}/bootstrap.pid`, lockOf(line[0]!))
    for (const [index, each] of line.slice(0, -1).entries())
      await writeFile(`${home}/bootstrap.pid.heir-${identity(each)}`, lockOf(line[index + 1]!))
  },
}

const crowds = [
  ...shells.map(shell => ({ name: shell.name, crowd: [shell], tags: shell.tags })),
  { name: 'mixed shells', crowd: shells, tags: shells.flatMap(({ tags }) => tags ?? []) },
]

describeEach(crowds, `${contenders} contenders under $name`, ({ crowd }) => {
  test('exactly one gets the lock, free or stale, and nothing is left', async () => {
    const home = `${await temporaryDirectory()}/bootstrap`
    await mkdir(home)
    const all = Array.from({ length: contenders }, (_, number) => {
      const [program, ...args] = crowd[number % crowd.length]!.command
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      return {
        ended: once(child, 'exit'),
        send: (script: string) => child.stdin.write(`${script}\n`),
        end: () => child.stdin.end(),
        answer: async () => {
          for (;;) {
            const { value, done } = await lines.next()
            if (done) return 'ended'
            if (value.startsWith('answer ')) return value.slice('answer '.length)
          }
        },
      }
    })
    const askAll = (script: (number: number) => string) => {
      for (const [number, contender] of all.entries()) contender.send(script(number))
      return Promise.all(all.map(contender => contender.answer()))
    }
    await askAll(() => `${loadPrelude()}hw_dir='${home}'; echo; echo answer ready`)

    for (const [scene, prepare] of Object.entries(scenes)) {
      for (let round = 0; round < rounds; round++) {
        await prepare(home, round)
        const answers = await askAll(
          number =>
            `hw_code=-; hw_lock run${number} attempt=1 recipe=r owner=o controller=c time=t; got=$?; echo; echo "answer $got $hw_code"`,
        )
        const winners = answers.filter(answer => answer.startsWith('0 '))
        const losers = answers.filter(answer => answer === '1 locked')
        expect([scene, winners.length, losers.length]).toEqual([scene, 1, contenders - 1])
        expect([scene, await readdir(home)]).toEqual([scene, ['bootstrap.pid']])
        await askAll(() => 'hw_unlock; echo answer done')
        expect([scene, await readdir(home)]).toEqual([scene, []])
      }
    }
    for (const contender of all) contender.end()
    await Promise.all(all.map(contender => contender.ended))
    expect(await readdir(home)).toEqual([])
  })
})

describe('contenders that are killed at any moment', () => {
  test('never two hold the lock at once, and it is never lost', async () => {
    const directory = await temporaryDirectory()
    const home = `${directory}/bootstrap`
    const held = `${directory}/held`
    // While it holds the lock each writes its id into a file and finds no other living one there; all
    // with built-ins, as what it started could outlive it. Then it ends, and another comes.
    const script = `${loadPrelude()}hw_dir='${home}'
while hw_code=-; do
other=
if hw_lock "r$$" attempt=1 recipe=r owner=o controller=c time=t >/dev/null 2>&1; then
[ ! -e '${held}' ] || read -r other <'${held}'
if [ -n "$other" ] && hw_process_start "$other"; then echo "$$ met $other"; fi
echo $$ >'${held}'
read -r other <'${held}'
[ "$other" = $$ ] || echo "$$ was followed by $other"
echo >'${held}'
echo won
exit
elif [ "$hw_code" != locked ]; then echo "$$ failed: $hw_code"
fi
done
`
    const faults: string[] = []
    let wins = 0
    let ending = false
    const alive = new Map<number, () => void>()
    const ends: Promise<unknown>[] = []
    const start = (number: number) => {
      const [program, ...args] = shells[number % shells.length]!.command
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
      child.stdin.on('error', () => {})
      child.stdin.write(script)
      alive.set(child.pid!, () => child.kill('SIGKILL'))
      ends.push(
        once(child, 'exit').then(() => alive.delete(child.pid!) && !ending && start(number)),
      )
      createInterface({ input: child.stdout }).on('line', line => {
        if (line === 'won') wins++
        else if (line !== '') faults.push(line)
        // Now the holder, now any other: each answer is the moment for the next.
        const holder = Number(readLines(`${home}/bootstrap.pid`)[0])
        const victims = [...alive.keys()]
        const victim = alive.has(holder) && wins % 2 ? holder : victims[wins % victims.length]!
        if (!ending) alive.get(victim)?.()
        if (wins >= 60) finish()
      })
    }
    let finish = () => {}
    const finished = new Promise<void>(resolve => {
      finish = resolve
    })
    for (let number = 0; number < 12; number++) start(number)
    await finished
    ending = true
    for (const kill of alive.values()) kill()
    await Promise.all(ends)
    expect(faults).toEqual([])
  })
})

const readLines = (path: string) => {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
