/** Key files on this machine: each is read once per run, and unlocked once, whichever host needs it first. */
import { statSync } from 'node:fs'
import type { ParsedKey } from 'ssh2'
import { readFileSync, reasonOf } from '../../read-file.ts'
import type { Secret } from '../../shell/secret.ts'
import { readIfThere } from '../text-file.ts'
import type { Answers } from './answers.ts'
import { type ParseKey, readPrivateKey, unlockKey } from './private-key.ts'

/** A private key’s file. */
export interface KeyFile {
  file: string
  /** The public key, from the file itself, whichever half it has, or the `.pub` next to it. Undefined: unknown. */
  blob?: Buffer
  /** Set if the key can be used as it is. */
  key?: ParsedKey
  /** Whether it is encrypted and needs its passphrase. */
  locked: boolean
  /** Why it can’t be used. If there is no problem, no key and no lock, the file does not exist. */
  problem?: string
}

export interface Keyring {
  read(file: string): KeyFile
  /**
   * Decrypts a key: asks for its passphrase, again if it is wrong.
   * @returns the key, or why there is none
   */
  unlock(file: string, answers: Pick<Answers, 'passphrase'>): Promise<ParsedKey | string>
}

/**
 * How often ssh asks for a passphrase (NumberOfPasswordPrompts applies to passwords; this is its default).
 */
const passphraseTries = 3

/** @param parse from ssh2, which is loaded only to connect over SSH */
export function createKeyring(parse: ParseKey): Keyring {
  const files = new Map<string, KeyFile>()
  const unlocked = new Map<string, Promise<ParsedKey | string>>()
  return {
    read: file => {
      const known = files.get(file)
      if (known) return known
      const read = readKeyFile(parse, file)
      files.set(file, read)
      return read
    },
    unlock: (file, answers) => {
      const known = unlocked.get(file)
      if (known) return known
      const opening = askFor(parse, file, answers)
      unlocked.set(file, opening)
      // A failed prompt says nothing about the key.
      opening.catch(() => unlocked.delete(file))
      return opening
    },
  }
}

function readKeyFile(parse: ParseKey, file: string): KeyFile {
  // As ssh_config(5) has it for IdentityFile: the private half is in an agent. Others may read this one.
  const itself = publicKeyIn(parse, readIfThere(file))
  if (itself) {
    const problem = `${file} is a public key, and no agent holds its private half: ssh-add it, or name the private key’s file`
    return { file, blob: itself, locked: false, problem }
  }
  const blob = publicKeyIn(parse, readIfThere(`${file}.pub`))
  let text: string
  try {
    const refusal = openToOthers(file)
    if (refusal) return { file, blob, locked: false, problem: refusal }
    text = readFileSync(file).toString('utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { file, blob, locked: false }
    return { file, blob, locked: false, problem: `can’t read ${file} (${reasonOf(error)})` }
  }
  const read = readPrivateKey(parse, text)
  switch (read.state) {
    case 'open':
      return { file, blob: read.key.getPublicSSH(), key: read.key, locked: false }
    case 'locked':
      return { file, blob: read.blob ?? blob, locked: true }
    case 'unusable':
      return { file, blob, locked: false, problem: `${file}: ${read.reason}` }
  }
}

/** As in OpenSSH (authfile.c, sshkey_perm_ok): a key that others can read is not used. */
function openToOthers(file: string): string | undefined {
  const { uid, mode } = statSync(file)
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  return `${file} is accessible to others (mode ${shown}), so it is not used: chmod 600`
}

/** The first public key in a text that has one per line, as in a `.pub`; ssh skips comments and empty lines. */
function publicKeyIn(parse: ParseKey, text: string): Buffer | undefined {
  const line = text.split(/\r?\n/).find(each => /^\s*[^#\s]/.test(each))
  if (line === undefined || line.startsWith('-----')) return undefined
  const key = [parse(line.trim())].flat()[0]!
  return key instanceof Error || key.isPrivateKey() ? undefined : key.getPublicSSH()
}

async function askFor(
  parse: ParseKey,
  file: string,
  { passphrase }: Pick<Answers, 'passphrase'>,
): Promise<ParsedKey | string> {
  const text = readIfThere(file)
  let answer: Secret | undefined
  for (let tries = 0; tries < passphraseTries; tries++) {
    const next = await passphrase(file, answer)
    if (!next) {
      return tries === 0
        ? `${file} is encrypted, and there is nobody to ask for its passphrase: use ssh-agent`
        : `wrong passphrase for ${file}`
    }
    const key = unlockKey(parse, text, next.reveal())
    if (key) return key
    answer = next
  }
  return `wrong passphrase for ${file}`
}
