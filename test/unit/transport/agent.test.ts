import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { agentProblem } from '../../../lib/transport/agent.ts'
import { temporaryDirectory } from '../../support/shells.ts'

/** An agent that answers every request with these bytes. */
async function agent(...answer: number[]): Promise<string> {
  const path = join(await temporaryDirectory(), 'agent')
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () => void (answer.length > 0 && socket.write(Buffer.from(answer))))
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  onTestFinished(() => void server.close())
  return path
}

test('an agent that holds a key is of use', async () => {
  expect(await agentProblem(await agent(0, 0, 0, 99, 12, 0, 0, 0, 1, 7))).toBeUndefined()
})

test.each([
  ['holds no key', [0, 0, 0, 5, 12, 0, 0, 0, 0]],
  ['lists no keys', [0, 0, 0, 1, 5]],
  ['does not answer', []],
])('an agent that %s is of none', async (problem, answer) => {
  const path = await agent(...answer)
  expect(await agentProblem(path)).toBe(`the agent at ${path} ${problem}`)
})

test('a socket that is left of one, or not there, is told', async () => {
  expect(await agentProblem('/no/such/agent')).toMatch(
    /\/no\/such\/agent can’t be reached: .*ENOENT/,
  )
})
