import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { agentKeys, parseIdentities } from '../../../../lib/transport/login/agent.ts'
import { temporaryDirectory } from '../../../support/shells.ts'

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

const field = (text: string) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return [...length, ...Buffer.from(text)]
}

const blob = (type: string) => String.fromCharCode(...field(type), ...field('numbers'))

/** The answer that lists keys, each with its comment. */
const listed = (...keys: [type: string, comment: string][]) => {
  const fields = keys.flatMap(([type, comment]) => [...field(blob(type)), ...field(comment)])
  return [12, 0, 0, 0, keys.length, ...fields]
}

test('an agent lists its keys and their types, including hardware keys and certificates', async () => {
  const types = ['ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ssh-rsa-cert-v01@openssh.com']
  const answer = listed(...types.map(type => [type, `my ${type}`] as [string, string]))
  const path = await agent(0, 0, 0, answer.length, ...answer)
  expect(await agentKeys(path)).toEqual({
    types,
    keys: types.map(type => ({
      type,
      comment: `my ${type}`,
      blob: Buffer.from(blob(type), 'latin1'),
    })),
  })
})

test.each([
  ['holds no key', [0, 0, 0, 5, 12, 0, 0, 0, 0]],
  ['lists no keys', [0, 0, 0, 1, 5]],
  ['lists no keys', [0, 0, 0, 5, 12, 0, 0, 0, 2]],
  ['lists no keys', [255, 255, 255, 255, 12]],
  ['does not answer', []],
  ['does not answer', [0, 0, 0, 5, 12]],
])('an agent that %s (%j) is not used', async (problem, answer) => {
  const path = await agent(...answer)
  expect(await agentKeys(path)).toEqual({ problem: `the agent at ${path} ${problem}` })
})

test('a missing agent socket is reported', async () => {
  expect(await agentKeys('/no/such/agent')).toEqual({
    problem: expect.stringMatching(/\/no\/such\/agent can’t be reached: .*ENOENT/),
  })
})

test('any bytes are parsed as a list of keys or rejected', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const keys = parseIdentities(Buffer.from([12, 0, 0, 0, bytes.length % 4, ...bytes]))
      expect(keys === undefined || keys.length === bytes.length % 4).toBe(true)
    }),
  )
})
