import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AnswerOptions, createAnswers } from '../../../lib/cli/answers.ts'
import { InterruptedError, UsageError } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/inventory/inventory.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { parseInventory } from '../../support/inventory.ts'

const { hosts } = parseInventory('h[1:50]', { file: '/p/hosts.ini', environment: 'x' })

/** Answers of somebody who is given the question, and decides when and how. */
function asking(more: Partial<AnswerOptions> = {}) {
  const open: { question: string; answer(text: string): void; fail(error: Error): void }[] = []
  const seen: string[] = []
  const ask = (question: string) => {
    seen.push(question)
    return new Promise<string>((answer, fail) => open.push({ question, answer, fail }))
  }
  const { answersFor, close } = createAnswers({ passwordsOf: () => ({}), ask, ...more })
  const settled = async () => void (await new Promise(resolve => setImmediate(resolve)))
  return { answersFor, close, open, seen, settled }
}

const [first, second] = hosts as [Host, Host]

describe('a password given before the run', () => {
  test('is used only for its host', () => {
    const passwordsOf = ({ name }: Host) => ({ login: secret(name), become: secret(`${name}!`) })
    const { password, becomePassword } = createAnswers({ passwordsOf }).answersFor(first)
    expect([password?.reveal(), becomePassword?.reveal()]).toEqual(['h1', 'h1!'])
  })
})

describe('a passphrase', () => {
  test('is asked for once per file, also by fifty hosts at once', async () => {
    const { answersFor, open, seen, settled } = asking()
    const wanted = hosts.map(host => answersFor(host).passphrase('/k'))
    const other = answersFor(first).passphrase('/other')
    await settled()
    expect(seen).toEqual(['Passphrase of /k'])
    open[0]!.answer('open sesame')
    const given = await Promise.all(wanted)
    expect(given.map(each => each?.reveal())).toEqual(hosts.map(() => 'open sesame'))
    await settled()
    expect(seen).toEqual(['Passphrase of /k', 'Passphrase of /other'])
    // Just the return key: this key is left out.
    open[1]!.answer('')
    expect(await other).toBeUndefined()
  })

  test('that is wrong is reported and asked for again', async () => {
    const { answersFor, open, seen, settled } = asking()
    const { passphrase } = answersFor(first)
    const wrong = passphrase('/k')
    await settled()
    open[0]!.answer('sesame')
    const right = passphrase('/k', await wrong)
    await settled()
    expect(seen).toEqual(['Passphrase of /k', 'That was not it. Passphrase of /k'])
    open[1]!.answer('open sesame')
    expect((await right)?.reveal()).toBe('open sesame')
  })
})

describe('a host’s question', () => {
  test('waits for the one before it, and names the host', async () => {
    const { answersFor, open, seen, settled } = asking()
    const one = answersFor(first).ask('Password: ')
    const two = answersFor(second).ask(`Code for ${'x'.repeat(10_000)}`)
    await settled()
    expect(seen).toEqual(['h1: Password'])
    open[0]!.answer('a')
    expect((await one)?.reveal()).toBe('a')
    await settled()
    expect(seen[1]).toMatch(/^h2: Code for x+$/)
    expect(seen[1]!.length).toBeLessThan(600)
    // An empty answer is one.
    open[1]!.answer('')
    expect((await two)?.reveal()).toBe('')
  })

  test('is prepared quickly, whatever a host sends', async () => {
    const { answersFor, open, seen, settled } = asking()
    // To look for colons at its end all over it would take minutes.
    const answer = answersFor(first).ask(`${':'.repeat(500_000)}x`)
    await settled()
    expect(seen).toEqual(['h1: '])
    open[0]!.answer('')
    await answer
  })

  test('pauses the renderer until it is answered', async () => {
    const drawn: string[] = []
    const screen = { pause: () => drawn.push('pause'), resume: () => drawn.push('resume') }
    const { answersFor, open, settled } = asking({ screen: screen as never })
    const answer = answersFor(first).ask('Password')
    await settled()
    expect(drawn).toEqual(['pause'])
    open[0]!.answer('x')
    await answer
    expect(drawn).toEqual(['pause', 'resume'])
  })

  test('has no answer without a terminal', async () => {
    const ask = async () => {
      throw new UsageError('secret_missing', 'there is no terminal')
    }
    const interrupt = vi.fn()
    const { answersFor } = asking({ ask, interrupt })
    expect(await answersFor(first).ask('Password')).toBeUndefined()
    expect(await answersFor(first).passphrase('/k')).toBeUndefined()
    expect(interrupt).not.toHaveBeenCalled()
  })

  test('interrupts the run at Ctrl-C, and waiting questions are not asked', async () => {
    const interrupt = vi.fn()
    const { answersFor, open, seen, settled } = asking({ interrupt })
    const all = hosts.map(host => answersFor(host).ask('Password'))
    await settled()
    open[0]!.fail(new InterruptedError('interrupted', 'interrupted'))
    expect(await Promise.all(all)).toEqual(hosts.map(() => undefined))
    expect(interrupt).toHaveBeenCalledTimes(1)
    expect(seen).toHaveLength(1)
  })

  test('is not asked after the run ends', async () => {
    const stop = new AbortController()
    const interrupt = vi.fn()
    const { answersFor, open, seen, settled } = asking({ signal: stop.signal, interrupt })
    const open1 = answersFor(first).ask('Password')
    const open2 = answersFor(second).ask('Password')
    await settled()
    stop.abort()
    open[0]!.fail(new InterruptedError('interrupted', 'interrupted'))
    expect(await Promise.all([open1, open2])).toEqual([undefined, undefined])
    expect(interrupt).not.toHaveBeenCalled()
    expect(seen).toHaveLength(1)
  })

  test('is withdrawn when nothing waits for the answer', async () => {
    const drawn: string[] = []
    const screen = { pause: () => drawn.push('pause'), resume: () => drawn.push('resume') }
    const ask: AnswerOptions['ask'] = (_, { signal } = {}) =>
      new Promise((_, reject) => {
        signal!.addEventListener('abort', () => reject(new InterruptedError('interrupted', 'x')))
      })
    const interrupt = vi.fn()
    const { answersFor, close, settled } = asking({ ask, interrupt, screen: screen as never })
    const answer = answersFor(first).ask('Password')
    await settled()
    await close()
    expect(await answer).toBeUndefined()
    expect(drawn).toEqual(['pause', 'resume'])
    expect(interrupt).not.toHaveBeenCalled()
  })
})

test('Ctrl-C at a question interrupts before the host gets no answer', async () => {
  const heard: string[] = []
  const onSignal = () => void heard.push('interrupt')
  process.on('SIGINT', onSignal)
  onTestFinished(() => void process.off('SIGINT', onSignal))
  const ask = async () => {
    throw new InterruptedError('interrupted', 'interrupted')
  }
  const { answersFor } = createAnswers({ passwordsOf: () => ({}), ask })
  await answersFor(first)
    .ask('Code')
    .then(() => heard.push('no answer'))
  expect(heard).toEqual(['interrupt', 'no answer'])
})
