/** Files on this machine that decide how a host is reached: looked up once per run. */
import { existsSync } from 'node:fs'
import { readIfThere } from '../text-file.ts'
import { hasAuthority, type KnownHost, parseKnownHosts } from '../trust/known-hosts.ts'
import { knownHostsText } from '../trust/known-hosts-files.ts'
import type { Evidence } from './needs.ts'

export function createEvidence(): Evidence {
  const authoritiesIn = once((file: string): readonly KnownHost[] => {
    const text = knownHostsText(file)
    if (!text.includes('@cert-authority')) return []
    return parseKnownHosts(text, file).filter(({ marker }) => marker === '@cert-authority')
  })
  return {
    exists: once(existsSync as (path: string) => boolean),
    isFido: once(path => isFidoKey(readIfThere(`${path}.pub`)) || isFidoKey(readIfThere(path))),
    isCertificate: once(path => /^\s*\S+-cert-v\d\d@openssh\.com\s/.test(readIfThere(path))),
    hasAuthority: (file, name) => hasAuthority(authoritiesIn(file), name),
  }
}

/**
 * Whether the text of a key file is that of a FIDO key (OpenSSH’s PROTOCOL.u2f). A private key has its type
 * in the part that is never encrypted (PROTOCOL.key).
 */
export function isFidoKey(text: string): boolean {
  if (/^\s*sk-/.test(text)) return true
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END/.exec(text)?.[1]
  if (body === undefined) return false
  const bytes = Buffer.from(body, 'base64')
  return ['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'].some(type =>
    bytes.includes(type),
  )
}

function once<T>(look: (path: string) => T): (path: string) => T {
  const known = new Map<string, T>()
  return path => {
    if (!known.has(path)) known.set(path, look(path))
    return known.get(path) as T
  }
}
