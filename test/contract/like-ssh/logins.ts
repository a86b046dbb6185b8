/** Rows about who we are: keys, agents, certificates, passwords. */
import { appendFile, chmod, readFile, rm } from 'node:fs/promises'
import { certify, type Key, type KeyOptions, makeKey, startAgent } from '../../support/ssh-keys.ts'
import type { Sshd } from '../../support/sshd.ts'
import { type Attempt, type Row, refused, type Servers, works } from './row.ts'

/**
 * Authorizes this key on a server.
 * @param options for authorized_keys: `no-pty`
 */
export async function authorize(sshd: Sshd, key: Key, options = ''): Promise<Key> {
  await appendFile(sshd.authorizedKeys, `${options && `${options} `}${key.public}\n`)
  return key
}

/** A key that the server accepts. */
const letIn = async (sshd: Sshd, options?: KeyOptions) => authorize(sshd, await makeKey(options))

/** A block with only these identity files. */
const withKeys = (sshd: Sshd, keys: readonly Key[], lines: readonly string[] = []) => {
  const files = keys.length > 0 ? keys.map(({ file }) => file) : ['none']
  return sshd.sshConfig('target', [...lines, ...files.map(file => `IdentityFile ${file}`)])
}

/** Login with a key of this kind, in a file. */
const byKey = (options: KeyOptions) => async (servers: Servers) => {
  const sshd = await servers.sshd()
  return { config: withKeys(sshd, [await letIn(sshd, options)]), answer: options.passphrase }
}

/** A server that allows only these signature algorithms. */
const signedBy = (algorithms: string, type: 'rsa' | 'ecdsa') => async (servers: Servers) => {
  const sshd = await servers.sshd({ config: [`PubkeyAcceptedAlgorithms ${algorithms}`] })
  return { config: withKeys(sshd, [await letIn(sshd, { type })]) }
}

const wrongKeys = (count: number) => Promise.all(Array.from({ length: count }, () => makeKey()))

/** An agent with eight useless keys and one that works: more attempts than sshd allows. */
const crowded =
  (lines: readonly string[], { inAgent = false } = {}) =>
  async (servers: Servers): Promise<Attempt> => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([...(await wrongKeys(8)), ...(inAgent ? [key] : [])])
    return { config: withKeys(sshd, [key], lines), env: { SSH_AUTH_SOCK: agent.socket } }
  }

/** A certificate of the authority that the server trusts. */
const certified =
  (validity: string, principal?: string, where: 'beside' | 'elsewhere' | 'agent' = 'beside') =>
  async (servers: Servers): Promise<Attempt> => {
    const ca = await makeKey({ comment: 'the authority of users' })
    const sshd = await servers.sshd()
    await appendFile(sshd.authorizedKeys, `cert-authority ${ca.public}\n`)
    const key = await makeKey()
    const file = await certify(key, { ca, principals: [principal ?? sshd.user], validity })
    if (where === 'agent') {
      const agent = await startAgent([key])
      await rm(key.file)
      return { config: withKeys(sshd, []), env: { SSH_AUTH_SOCK: agent.socket } }
    }
    if (where === 'beside') return { config: withKeys(sshd, [key]) }
    const elsewhere = await servers.file('certificate', await readFile(file, 'utf8'))
    await rm(file)
    return { config: withKeys(sshd, [key], [`CertificateFile ${elsewhere}`]) }
  }

/** Login as a user of a host that accepts passwords. */
const asUser =
  (user: string, answer: string | undefined, lines: readonly string[] = []) =>
  async (servers: Servers): Promise<Attempt> => {
    const host = await servers.users()
    const key = user.startsWith('both') ? [] : ['PubkeyAuthentication no']
    return { config: host.sshConfig('target', [`User ${user}`, ...key, ...lines]), answer }
  }

/** An agent that holds the key, whose file is there with this line as an identity. */
const byPublicHalf =
  (line: (key: Key) => string, { agent: held = true } = {}) =>
  async (servers: Servers): Promise<Attempt> => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([...(await wrongKeys(8)), ...(held ? [key] : [])])
    const config = sshd.sshConfig('target', ['IdentitiesOnly yes', line(key)])
    return { config, env: { SSH_AUTH_SOCK: agent.socket } }
  }

/** A certificate as the identity, with its key in the agent. */
const byCertificateFile = async (servers: Servers): Promise<Attempt> => {
  const ca = await makeKey({ comment: 'the authority of users' })
  const sshd = await servers.sshd()
  await appendFile(sshd.authorizedKeys, `cert-authority ${ca.public}\n`)
  const key = await makeKey()
  const file = await certify(key, { ca, principals: [sshd.user] })
  const agent = await startAgent([...(await wrongKeys(8)), key])
  const certificate = await servers.file('mine.pub', await readFile(file, 'utf8'))
  await rm(file)
  const config = sshd.sshConfig('target', ['IdentitiesOnly yes', `IdentityFile ${certificate}`])
  return { config, env: { SSH_AUTH_SOCK: agent.socket } }
}

/** The password of all users of `Servers.users`. */
export const password = 'open "se$ame\\'

const users = { users: true } as const

export const logins: readonly Row[] = [
  works('a key of type ed25519', byKey({ type: 'ed25519' })),
  works('a key of type ecdsa', byKey({ type: 'ecdsa' })),
  works('an ecdsa key of 521 bits', byKey({ type: 'ecdsa', bits: 521 })),
  works('a key of type rsa', byKey({ type: 'rsa' })),
  works('an RSA key in the old format', byKey({ type: 'rsa', format: 'PEM' })),
  works('an RSA key in PKCS #8', byKey({ type: 'rsa', format: 'PKCS8' })),
  works('an RSA key where SHA-2 alone is allowed', signedBy('rsa-sha2-512,rsa-sha2-256', 'rsa')),
  works('an RSA key where SHA-512 alone is allowed', signedBy('rsa-sha2-512', 'rsa')),
  refused('an ecdsa key if only RSA is allowed', 'auth_failed', signedBy('rsa-sha2-512', 'ecdsa')),
  works('an encrypted key', byKey({ passphrase: 'two words' })),
  works(
    'an encrypted key in the old format',
    byKey({ type: 'rsa', format: 'PEM', passphrase: 'two words' }),
  ),
  refused('an encrypted key with another passphrase', 'auth_failed', async servers => ({
    ...(await byKey({ passphrase: 'two words' })(servers)),
    answer: 'three',
  })),
  refused('an encrypted key with nobody to ask', 'auth_failed', async servers => ({
    ...(await byKey({ passphrase: 'two words' })(servers)),
    answer: undefined,
  })),
  refused('a key that the server does not have', 'auth_failed', async servers => ({
    config: withKeys(await servers.sshd(), [await makeKey()]),
  })),
  refused('a key file that is not there', 'auth_failed', async servers => {
    const key = await makeKey()
    await rm(key.file)
    await rm(`${key.file}.pub`)
    return { config: withKeys(await servers.sshd(), [key]) }
  }),
  refused('a key that others may read', 'auth_failed', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    await chmod(key.file, 0o644)
    return { config: withKeys(sshd, [key]) }
  }),
  works('the second of two keys', async servers => {
    const sshd = await servers.sshd()
    return { config: withKeys(sshd, [await makeKey(), await letIn(sshd)]) }
  }),
  refused('keys switched off', 'auth_failed', async servers => ({
    config: (await servers.sshd()).sshConfig('target', ['PubkeyAuthentication no']),
  })),
  refused('passwords alone, where keys are wanted', 'auth_failed', async servers => ({
    config: (await servers.sshd()).sshConfig('target', ['PreferredAuthentications password']),
  })),

  works('an agent', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([key])
    await rm(key.file)
    return { config: withKeys(sshd, []), env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  works('an agent’s RSA key', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd, { type: 'rsa' })
    const agent = await startAgent([key])
    await rm(key.file)
    return { config: withKeys(sshd, []), env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  works('an agent’s key of which only the public half is here', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([...(await wrongKeys(8)), key])
    await rm(key.file)
    const config = withKeys(sshd, [key], ['IdentitiesOnly yes'])
    return { config, env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  // The row above passed while this one failed: the public half was found beside the name, never in it.
  works(
    'a public key as the identity',
    byPublicHalf(({ file }) => `IdentityFile ${file}.pub`),
  ),
  works('a public key as the identity, below comments, in a file of its own', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([...(await wrongKeys(8)), key])
    const mine = await servers.file('mine', `# of the agent\n\n${key.public}\n`)
    await rm(key.file)
    const config = sshd.sshConfig('target', ['IdentitiesOnly yes', `IdentityFile ${mine}`])
    return { config, env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  refused(
    'a public key as the identity that no agent holds',
    'auth_failed',
    byPublicHalf(({ file }) => `IdentityFile ${file}.pub`, { agent: false }),
  ),
  works('a public key as the inventory’s key', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd)
    const agent = await startAgent([...(await wrongKeys(2)), key])
    const [config, env] = [withKeys(sshd, [key]), { SSH_AUTH_SOCK: agent.socket }]
    return { config, env, inventory: { privateKeyFile: `${key.file}.pub` } }
  }),
  works('a certificate as the identity, and its key in the agent', byCertificateFile),
  works('an encrypted key that the agent holds', async servers => {
    const sshd = await servers.sshd()
    const key = await letIn(sshd, { passphrase: 'two words' })
    const agent = await startAgent()
    await agent.add(key, 'two words')
    return { config: withKeys(sshd, [key]), env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  refused('an agent’s eight other keys before the right one', 'auth_failed', crowded([])),
  works('an agent’s eight other keys, IdentitiesOnly', crowded(['IdentitiesOnly yes'])),
  works('an agent’s eight other keys, after the one of the file', crowded([], { inAgent: true })),
  works(
    'eight other keys of an agent, after the inventory’s',
    async servers => {
      const sshd = await servers.sshd()
      const attempt = await crowded([])(servers)
      return { ...attempt, inventory: { privateKeyFile: sshd.key.file } }
    },
    { differs: 'who names a key in the inventory means that one' },
  ),
  works('another agent by IdentityAgent', async servers => {
    const sshd = await servers.sshd()
    const agent = await startAgent([await letIn(sshd)])
    const empty = await startAgent()
    const config = withKeys(sshd, [], [`IdentityAgent ${agent.socket}`])
    return { config, env: { SSH_AUTH_SOCK: empty.socket } }
  }),
  works('another agent by a variable', async servers => {
    const sshd = await servers.sshd()
    const agent = await startAgent([await letIn(sshd)])
    const config = withKeys(sshd, [], ['IdentityAgent $HW_OTHER_AGENT'])
    return { config, env: { HW_OTHER_AGENT: agent.socket } }
  }),
  refused('IdentityAgent none', 'auth_failed', async servers => {
    const sshd = await servers.sshd()
    const agent = await startAgent([await letIn(sshd)])
    const config = withKeys(sshd, [], ['IdentityAgent none'])
    return { config, env: { SSH_AUTH_SOCK: agent.socket } }
  }),
  works('an agent that is gone, and a key in a file', async servers => {
    const env = { SSH_AUTH_SOCK: await servers.file('no-agent', '') }
    return { config: (await servers.sshd()).sshConfig('target'), env }
  }),

  works('a certificate', certified('always:forever')),
  works('a certificate in a file of its own', certified('always:forever', undefined, 'elsewhere')),
  works('a certificate in the agent', certified('always:forever', undefined, 'agent')),
  refused('a certificate that is over', 'auth_failed', certified('-2d:-1d')),
  refused('a certificate that is not valid yet', 'auth_failed', certified('+1d:+2d')),
  refused('a certificate for another user', 'auth_failed', certified('always:forever', 'nobody')),

  works('as many keys as MaxAuthTries allows', async servers => {
    const sshd = await servers.sshd({ config: ['MaxAuthTries 3'] })
    return { config: withKeys(sshd, [...(await wrongKeys(1)), await letIn(sshd)]) }
  }),
  refused('more keys than MaxAuthTries allows', 'auth_failed', async servers => {
    const sshd = await servers.sshd({ config: ['MaxAuthTries 3'] })
    return { config: withKeys(sshd, [...(await wrongKeys(4)), await letIn(sshd)]) }
  }),
  works('two keys, both wanted', async servers => {
    const sshd = await servers.sshd({ config: ['AuthenticationMethods publickey,publickey'] })
    return { config: withKeys(sshd, [await letIn(sshd), await letIn(sshd)]) }
  }),
  refused('one key where two are wanted', 'auth_failed', async servers => {
    const sshd = await servers.sshd({ config: ['AuthenticationMethods publickey,publickey'] })
    return { config: withKeys(sshd, [await letIn(sshd)]) }
  }),
  refused('AllowUsers without us', 'auth_failed', async servers => ({
    config: (await servers.sshd({ config: ['AllowUsers nobody-of-us'] })).sshConfig('target'),
  })),
  refused('a user that is not there', 'auth_failed', async servers => ({
    config: (await servers.sshd()).sshConfig('target', ['User nobody-of-us']),
  })),

  works('a password', asUser('worker', password, ['PreferredAuthentications password']), users),
  works(
    'a password through keyboard-interactive',
    asUser('worker', password, ['PreferredAuthentications keyboard-interactive']),
    users,
  ),
  works('whatever way a password goes', asUser('worker', password), users),
  refused(
    'another password',
    'auth_failed',
    asUser('worker', 'close', ['NumberOfPasswordPrompts 1']),
    users,
  ),
  refused('a password with nobody to ask', 'auth_failed', asUser('worker', undefined), users),
  refused(
    'a password if passwords are disabled',
    'auth_failed',
    asUser('worker', password, ['PasswordAuthentication no', 'KbdInteractiveAuthentication no']),
    users,
  ),
  works('a key, then a password', asUser('both-password', password), users),
  works('a key, then keyboard-interactive', asUser('both-keyboard', password), users),
  refused(
    'a key, then another password',
    'auth_failed',
    asUser('both-password', 'close', ['NumberOfPasswordPrompts 1']),
    users,
  ),
  refused('an account that is over', 'auth_failed', asUser('expired', password), users),
]
