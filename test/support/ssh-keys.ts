/** Keys, certificates and agents of a test, made by OpenSSH's own programs (openssh-client). */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

const run = promisify(execFile)

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** A key pair in files. */
export interface Key {
  /** The private key's file; the public one's is the same with `.pub`. */
  file: string
  /** One line, as in authorized_keys: type, base64, comment. */
  public: string
  /** As `ssh-keygen -l` prints it: `SHA256:…`. */
  fingerprint: string
}

/** An empty directory of the test's own (0700), gone at its end. */
export async function keyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hw-keys-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export interface KeyOptions {
  type?: KeyType
  /** Default: 2048 for rsa, 256 for ecdsa. */
  bits?: number
  /** The private key's file is encrypted with it. */
  passphrase?: string
  comment?: string
  /** How the private key is written, as `ssh-keygen -m` takes it. Default: OpenSSH's own format. */
  format?: 'PEM' | 'PKCS8'
  /** The private key's file, which must not be there. Default: one in a directory of the test's own. */
  file?: string
}

/** Makes a key pair. Without `file` only within a test. */
export async function makeKey(options: KeyOptions = {}): Promise<Key> {
  const { type = 'ed25519', bits = type === 'rsa' ? 2048 : undefined, passphrase = '' } = options
  const file = options.file ?? join(await keyDirectory(), `id_${type}`)
  const size = bits === undefined ? [] : ['-b', String(bits)]
  const comment = ['-C', options.comment ?? basename(file)]
  if (options.format) comment.push('-m', options.format)
  await run('ssh-keygen', ['-q', '-t', type, ...size, ...comment, '-N', passphrase, '-f', file])
  return readKey(file)
}

/** The key pair whose private half is in this file, its public half beside it. */
export async function readKey(file: string): Promise<Key> {
  const { stdout } = await run('ssh-keygen', ['-l', '-f', `${file}.pub`])
  return {
    file,
    public: (await readFile(`${file}.pub`, 'utf8')).trim(),
    fingerprint: stdout.split(' ')[1]!,
  }
}

export interface Certificate {
  /** The authority's key. */
  ca: Key
  /** Users to log in as, or names of the host. */
  principals: readonly string[]
  /** The certificate is a host's. */
  host?: boolean
  /** As `ssh-keygen -V` takes it: `-2d:-1d` is over. Default: always. */
  validity?: string
  /** As `ssh-keygen -O`: `force-command=…`, `no-pty`. */
  options?: readonly string[]
}

/**
 * Signs a key.
 * @returns the certificate's file: `<key>-cert.pub`, which `ssh` finds beside the key by itself
 */
export async function certify(key: Key, certificate: Certificate): Promise<string> {
  const { ca, principals, host = false, validity = 'always:forever', options = [] } = certificate
  const limits = [
    '-n',
    principals.join(','),
    '-V',
    validity,
    ...options.flatMap(each => ['-O', each]),
  ]
  const words = ['-q', '-s', ca.file, '-I', basename(key.file), ...(host ? ['-h'] : []), ...limits]
  await run('ssh-keygen', [...words, `${key.file}.pub`])
  return `${key.file}-cert.pub`
}

/** Hashes the names in a known_hosts file, as `HashKnownHosts yes` would have written them. */
export async function hashNames(knownHosts: string): Promise<void> {
  await run('ssh-keygen', ['-H', '-f', knownHosts])
  // The names as they were.
  await rm(`${knownHosts}.old`)
}

/** A program for SSH_ASKPASS that answers every question with these words; `environment` makes ssh use it. */
export async function makeAskpass(answer: string, directory?: string) {
  const file = join(directory ?? (await keyDirectory()), 'askpass')
  await writeFile(file, `#!/bin/sh\ncat <<'answer'\n${answer}\nanswer\n`, { mode: 0o700 })
  const environment = { SSH_ASKPASS: file, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':none' }
  return { file, environment }
}

export interface Agent {
  /** For SSH_AUTH_SOCK and IdentityAgent. */
  socket: string
  /** Adds a key; its files may be removed then. */
  add(key: Key, passphrase?: string): Promise<void>
  /** Ends it, its keys with it. */
  stop(): Promise<void>
}

/** An ssh-agent that runs until `stop`. For one test there is `startAgent`. */
export async function launchAgent(): Promise<Agent> {
  const directory = await mkdtemp(join(tmpdir(), 'hw-agent-'))
  const socket = join(directory, 'socket')
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  // It says where it listens.
  await Promise.race([once(child.stdout, 'data'), ended])
  return {
    socket,
    add: async ({ file }, passphrase) => {
      const asked = passphrase === undefined ? undefined : await makeAskpass(passphrase, directory)
      const env = { ...process.env, ...asked?.environment, SSH_AUTH_SOCK: socket }
      await run('ssh-add', ['-q', file], { env, cwd: dirname(file) })
    },
    stop: async () => {
      child.kill()
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** An ssh-agent of one test, with these keys. */
export async function startAgent(keys: readonly Key[] = []): Promise<Agent> {
  const agent = await launchAgent()
  onTestFinished(() => agent.stop())
  for (const key of keys) await agent.add(key)
  return agent
}
