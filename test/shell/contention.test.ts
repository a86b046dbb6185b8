import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import { shells, temporaryDirectory } from '../support/shells.ts'

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
  ...shells.map(shell => ({ name: shell.name, crowd: [shell] })),
  { name: 'mixed shells', crowd: shells },
]

describe.each(crowds)(`${contenders} contenders under $name`, ({ crowd }) => {
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
        tell: (script: string) => child.stdin.write(`${script}\n`),
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
      for (const [number, contender] of all.entries()) contender.tell(script(number))
      return Promise.all(all.map(contender => contender.answer()))
    }
    await askAll(() => `${loadPrelude()}hw_dir='${home}'; echo; echo answer ready`)

    for (const [scene, prepare] of Object.entries(scenes)) {
      for (let round = 0; round < rounds; round++) {
        await prepare(home, round)
        const answers = await askAll(
          number =>
            `hw_code=-; hw_lock run${number} r o c t; got=$?; echo; echo "answer $got $hw_code"`,
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
