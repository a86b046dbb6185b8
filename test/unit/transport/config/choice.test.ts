import { expect, test } from 'vitest'
import { needsOnTheWay, refuseWithout } from '../../../../lib/transport/config/choice.ts'
import type { SshSettings } from '../../../../lib/transport/config/settings.ts'
import type { AgentKeys } from '../../../../lib/transport/login/agent.ts'

const settings = (more: Partial<SshSettings> = {}) =>
  ({
    destination: 'web1',
    needs: [],
    methods: ['publickey'],
    identitiesOnly: false,
    ...more,
  }) as unknown as SshSettings

/** Agents with keys of these types, and the queries they got. */
function agents(...types: string[]) {
  const asked: string[] = []
  const agentKeys = async (path: string): Promise<AgentKeys> => {
    asked.push(path)
    return { keys: [], types }
  }
  return { asked, agentKeys }
}

test('a host without special needs is reached in this process, without asking an agent', async () => {
  const { asked, agentKeys } = agents('sk-ssh-ed25519@openssh.com')
  const own = settings({ agent: '/a', privateKeyFile: '/key' })
  expect(
    await needsOnTheWay(own, [settings({ agent: '/a', identitiesOnly: true })], agentKeys),
  ).toEqual([])
  expect(asked).toEqual([])
})

test('a need of a jump host applies to the target too, and names the jump host', async () => {
  const hop = settings({ destination: 'gate', needs: ['ProxyCommand', 'ForwardAgent'] })
  const later = settings({ destination: 'inner', needs: ['ProxyCommand'] })
  const needs = await needsOnTheWay(
    settings({ needs: ['BindAddress'] }),
    [hop, later],
    agents().agentKeys,
  )
  expect(needs).toEqual(['BindAddress', 'ProxyCommand (for gate)'])
})

test.each([
  ['ssh-rsa-cert-v01@openssh.com', ['a certificate in the agent']],
  ['sk-ssh-ed25519@openssh.com', ['a FIDO key in the agent']],
  ['ssh-ed25519', []],
])('an agent that holds %s', async (type, needs) => {
  const { asked, agentKeys } = agents(type)
  const hop = settings({ agent: '/a' })
  expect(await needsOnTheWay(settings({ agent: '/a' }), [hop], agentKeys)).toEqual(needs)
  expect(asked).toEqual(['/a'])
})

test('an unreachable agent adds no needs', async () => {
  const agentKeys = async () => ({ problem: 'does not answer' })
  expect(await needsOnTheWay(settings({ agent: '/a' }), [], agentKeys)).toEqual([])
})

test('transport ssh refuses hosts that need more, but does without agent forwarding', () => {
  expect(() => refuseWithout('web1', ['ForwardAgent'])).not.toThrow()
  expect(() => refuseWithout('web1', ['ForwardAgent', 'ProxyCommand'])).toThrow(
    'web1 needs ProxyCommand, which only the system’s ssh supports',
  )
})
