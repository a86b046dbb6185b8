/** Which settings only the system’s `ssh` supports, and which hostwright ignores. Pure. */

import { isOn, type SshAnswer, valueIn } from './answer.ts'
import type { SshSettings } from './settings.ts'

/** What is known about files on this machine. */
export interface Evidence {
  exists(path: string): boolean
  /** Whether a key file, or the public one next to it, belongs to a FIDO key. */
  isFido(path: string): boolean
  /** Whether a file has a certificate of a user. */
  isCertificate(path: string): boolean
  /** Whether a known_hosts file has an authority for the host’s key. */
  hasAuthority(file: string, name: string): boolean
}

export interface Circumstances extends Evidence {
  env: NodeJS.ProcessEnv
  uid: number
  /** The host’s name in known_hosts. */
  knownName: string
}

type Endpoint = Pick<
  SshSettings,
  | 'privateKeyFile'
  | 'identityFiles'
  | 'agent'
  | 'insecureHostKey'
  | 'userKnownHostsFiles'
  | 'globalKnownHostsFiles'
  | 'methods'
  | 'needs'
>

const set = (answer: SshAnswer, keyword: string) => {
  const value = valueIn(answer, keyword)
  return value !== undefined && value.toLowerCase() !== 'none' && value !== ''
}

/**
 * Needs as phrases for people, each a noun: `needs ProxyCommand`.
 * @param jumps whether there are jump hosts: then ProxyCommand does not apply
 */
export function needsOf(
  answer: SshAnswer,
  endpoint: Omit<Endpoint, 'needs'>,
  jumps: boolean,
  { exists, isFido, isCertificate, hasAuthority, env, uid, knownName }: Circumstances,
): string[] {
  const { privateKeyFile, agent } = endpoint
  // If the inventory sets a key, only that key matters, whatever is in ~/.ssh.
  const keys = privateKeyFile ? [privateKeyFile] : endpoint.identityFiles
  // Also where the agent has the private half, and the file is a `.pub`.
  const certificate = keys.map(key => `${key}-cert.pub`).find(exists) ?? keys.find(isCertificate)
  const fido = keys.find(isFido)
  const files = [...endpoint.userKnownHostsFiles, ...endpoint.globalKnownHostsFiles]
  const usesKeys = endpoint.methods.includes('publickey')
  const wanted = valueIn(answer, 'preferredauthentications')?.split(',')
  const tries = (method: string) => wanted === undefined || wanted.includes(method)
  // Debian’s ssh_config turns GSSAPI on for everybody: it matters only if there is a ticket.
  const ticket = Boolean(env.KRB5CCNAME) || exists(`/tmp/krb5cc_${uid}`)
  const forward = valueIn(answer, 'forwardagent') ?? 'no'
  const forwards = /^(yes|true)$/i.test(forward)
    ? agent !== undefined
    : !/^(no|false)$/i.test(forward)
  const found: readonly (readonly [unknown, string])[] = [
    [!jumps && set(answer, 'proxycommand'), 'ProxyCommand'],
    [usesKeys && set(answer, 'certificatefile'), 'CertificateFile'],
    [usesKeys && certificate, `a certificate (${certificate})`],
    [usesKeys && fido, `a FIDO key (${fido})`],
    [usesKeys && set(answer, 'pkcs11provider'), 'PKCS11Provider'],
    [isOn(answer, 'hostbasedauthentication') && tries('hostbased'), 'HostbasedAuthentication'],
    [
      isOn(answer, 'gssapiauthentication') && ticket && tries('gssapi-with-mic'),
      'GSSAPIAuthentication',
    ],
    [endpoint.methods.length === 0, 'a login method that hostwright lacks'],
    [set(answer, 'knownhostscommand'), 'KnownHostsCommand'],
    [set(answer, 'revokedhostkeys'), 'RevokedHostKeys'],
    [
      !endpoint.insecureHostKey && files.some(file => hasAuthority(file, knownName)),
      'a certificate authority for host keys (@cert-authority)',
    ],
    [set(answer, 'bindaddress'), 'BindAddress'],
    [set(answer, 'bindinterface'), 'BindInterface'],
    [forwards, 'ForwardAgent'],
  ]
  return found.flatMap(([is, phrase]) => (is ? phrase : []))
}

/**
 * What is needed for a jump host: no session is opened there, so nothing is forwarded to it.
 * @param first later hops are reached through the previous one, so their own ProxyCommand does not apply
 */
export const needsOfHop = (needs: readonly string[], first: boolean): string[] =>
  needs.filter(phrase => phrase !== 'ForwardAgent' && (first || phrase !== 'ProxyCommand'))

/**
 * Keys of an agent that only the system’s `ssh` can sign with.
 * @param types of its keys: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, `…-cert-v01@openssh.com`
 */
export function agentNeed(types: readonly string[]): string | undefined {
  if (types.some(type => /-cert-v\d\d@openssh\.com$/.test(type)))
    return 'a certificate in the agent'
  return types.some(type => type.startsWith('sk-')) ? 'a FIDO key in the agent' : undefined
}

/** Switches that change how a host is reached or what a session is, with the values that turn them off. */
const unheard: readonly (readonly [keyword: string, off: RegExp])[] = [
  ['ForwardX11', /^(no|false)$/],
  ['RemoteCommand', /^none$/],
  ['Tunnel', /^(no|false)$/],
  ['LocalForward', /^none$/],
  ['RemoteForward', /^none$/],
  ['DynamicForward', /^none$/],
  ['SetEnv', /^none$/],
]

/** ssh’s default minimum size of an RSA key, in bits. */
const usualRsaSize = 1024

/** Keywords that are set but not honoured. Deliberate, stricter differences are not included. */
export function ignoredOf(answer: SshAnswer): string[] {
  const ignored = unheard.flatMap(([keyword, off]) => {
    const value = valueIn(answer, keyword.toLowerCase())
    return value === undefined || off.test(value.toLowerCase()) ? [] : keyword
  })
  if (isOn(answer, 'permitlocalcommand') && set(answer, 'localcommand'))
    ignored.push('LocalCommand')
  const rsa = Number(valueIn(answer, 'requiredrsasize') ?? usualRsaSize)
  return rsa > usualRsaSize ? [...ignored, 'RequiredRSASize'] : ignored
}
