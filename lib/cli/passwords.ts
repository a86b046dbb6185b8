/**
 * The passwords of a run's hosts: fetched and asked for once, before any host is touched. A host's own
 * comes from the inventory; those that have none share what was typed, or what the environment has.
 */
import { UsageError } from '../errors.ts'
import type { Host, SecretOf } from '../inventory/inventory.ts'
import { fromCommand, fromEnv, fromFile, type SecretSource } from '../recipe/secret-sources.ts'
import { resolveSecrets, type SecretWorld } from '../recipe/secrets.ts'
import { isSecret, type Secret, secret } from '../shell/secret.ts'
import type { HostPasswords } from './environment-passwords.ts'

export interface PasswordOptions {
  /** --ask-pass */
  askLogin: boolean
  /** --ask-become-pass */
  askBecome: boolean
  /** From the environment, and removed from it. */
  shared: HostPasswords
  /** Variables that are read as passwords are removed from its environment. */
  world: PasswordWorld
}

type PasswordWorld = SecretWorld & { env: Record<string, string | undefined> }

/**
 * @param hosts all that may be logged in to, jump hosts too
 * @returns each host's passwords
 * @throws {UsageError} secret_missing: one can't be read; usage: no host needs the password to ask for
 */
export async function findPasswords(
  hosts: readonly Host[],
  { askLogin, askBecome, shared, world }: PasswordOptions,
): Promise<(host: Host) => HostPasswords> {
  if (askBecome && !hosts.some(({ become }) => become)) {
    throw new UsageError('usage', '--ask-become-pass: none of these hosts becomes another user', {
      hint: 'Add --become, or set ansible_become=yes in the inventory.',
    })
  }
  const fetched = await fetchSources(hosts, world)
  const secretOf = (of: SecretOf | undefined) => of && (fetched.get(keyOf(of)) ?? valueIn(of))

  const ask = async (question: string, fallback?: Secret) => {
    const answer = await world.ask(question)
    if (answer === '' && fallback) return fallback
    if (answer === '') throw new UsageError('secret_missing', `the ${question} is empty`)
    return secret(answer)
  }
  let { login, become } = shared
  if (askLogin && hosts.some(({ connection, password }) => connection === 'ssh' && !password))
    login = await ask('SSH password')
  if (askBecome && hosts.some(host => host.become && !host.become.password)) {
    const same = askLogin ? login : undefined
    // As Ansible does: usually it is the same.
    become = await ask(`become password${same ? ' (empty: the SSH password)' : ''}`, same)
  }
  return host => ({
    login: secretOf(host.password) ?? login,
    become: host.become && (secretOf(host.become.password) ?? become),
  })
}

const keyOf = (of: SecretOf) => JSON.stringify(of)

const valueIn = (of: SecretOf) => (of.from === 'value' ? of.value : undefined)

/** The secrets of all sources, each asked once, by `keyOf`. */
async function fetchSources(
  hosts: readonly Host[],
  world: PasswordWorld,
): Promise<ReadonlyMap<string, Secret>> {
  const wanted = new Map<string, { label: string; source: SecretSource }>()
  for (const { name, password, become } of hosts) {
    for (const [variable, of] of [
      ['ssh_password_from', password],
      ['become_password_from', become?.password],
    ] as const) {
      const source = of && sourceOf(of)
      if (!source || wanted.has(keyOf(of))) continue
      wanted.set(keyOf(of), { label: `${variable} of ${name}`, source })
    }
  }
  const sources = [...wanted.values()].map(({ label, source }) => [label, source] as const)
  const values = await resolveSecrets(Object.fromEntries(sources), world)
  // Programs that are started later would inherit it: ssh and its ProxyCommand, the shells of this machine.
  for (const [, source] of sources) if (source.kind === 'env') delete world.env[source.variable]
  return new Map(
    [...wanted].map(([key, { label }]) => {
      const value = values[label]!
      // A line end would answer the next question too.
      if (/[\r\n]/.test(value.reveal()))
        throw new UsageError('secret_missing', `${label}: must be a single line`)
      return [key, value]
    }),
  )
}

function sourceOf(of: SecretOf): SecretSource | undefined {
  switch (of.from) {
    case 'value':
      return undefined
    case 'env':
      return fromEnv(of.name)
    case 'file':
      return fromFile(of.path)
    case 'command':
      return fromCommand(...(of.words as [string, ...string[]]))
  }
}

/** The texts of all passwords of these hosts, for what hides them. */
export function textsOf(hosts: readonly Host[], of: (host: Host) => HostPasswords): string[] {
  const all = hosts.flatMap(host => Object.values(of(host))).filter(isSecret)
  return [...new Set(all.map(each => each.reveal()))]
}
