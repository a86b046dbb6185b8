/** Where passwords of the vault come from: `--vault-password-file`, `--vault-id`, the terminal. */
import { open, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
import { UsageError } from '../../errors.ts'
import { readFile, reasonOf } from '../../read-file.ts'
import { runToEnd } from '../../run-to-end.ts'
import { secret } from '../../shell/secret.ts'
import type { VaultPassword } from './decrypt.ts'

/** A source of one password. */
export interface VaultSource {
  id: string
  /** `prompt`, or the absolute path of a file or of a program that prints the password. */
  from: 'prompt' | { path: string }
}

export interface VaultOptions {
  /** `--vault-password-file`, any number of times. */
  passwordFiles: readonly string[]
  /** `--vault-id`: `id@source`, any number of times. */
  ids: readonly string[]
  /** `--ask-vault-pass` */
  ask: boolean
  cwd: string
  /** ANSIBLE_VAULT_PASSWORD_FILE and ANSIBLE_VAULT_IDENTITY_LIST. */
  env: Readonly<Record<string, string | undefined>>
  /** ansible.cfg’s vault_password_file and vault_identity_list, relative to its directory. */
  configured?: { directory: string; passwordFile?: string; identityList?: string }
}

/**
 * The sources in Ansible’s order: identities, files, the question. The environment counts instead of ansible.cfg, and
 * a password file of either only if the command line names none.
 */
export function vaultSources(options: VaultOptions): VaultSource[] {
  const { cwd, env, configured } = options
  const listed = (text: string, directory: string) =>
    text
      .split(',')
      .map(each => each.trim())
      .filter(each => each !== '')
      .map(each => sourceOf(each, directory))
  const identities = env.ANSIBLE_VAULT_IDENTITY_LIST
    ? listed(env.ANSIBLE_VAULT_IDENTITY_LIST, cwd)
    : listed(configured?.identityList ?? '', configured?.directory ?? cwd)
  const given = options.ids.map(each => sourceOf(each, cwd))
  const file = (path: string, directory: string): VaultSource => ({
    id: 'default',
    from: { path: absolute(path, directory) },
  })
  const files = options.passwordFiles.map(path => file(path, cwd))
  if (files.length === 0 && env.ANSIBLE_VAULT_PASSWORD_FILE)
    files.push(file(env.ANSIBLE_VAULT_PASSWORD_FILE, cwd))
  else if (files.length === 0 && configured?.passwordFile)
    files.push(file(configured.passwordFile, configured.directory))
  const asked: VaultSource[] = options.ask ? [{ id: 'default', from: 'prompt' }] : []
  return [...identities, ...given, ...files, ...asked]
}

/** `prod@~/.vault`, `prod@prompt`, `~/.vault`. */
function sourceOf(text: string, directory: string): VaultSource {
  const at = text.indexOf('@')
  const id = at > 0 ? text.slice(0, at) : 'default'
  const source = at < 0 ? text : text.slice(at + 1)
  if (source === '') {
    throw new UsageError('usage', `--vault-id ${text}: there is nothing behind @`, {
      hint: 'Write ID@FILE, or ID@prompt.',
    })
  }
  const asks = source === 'prompt' || source === 'prompt_ask_vault_pass'
  return { id, from: asks ? 'prompt' : { path: absolute(source, directory) } }
}

const absolute = (path: string, directory: string) =>
  resolve(directory, path.replace(/^~(?=\/|$)/, homedir()))

/** Asks at the terminal, without showing the answer. */
export type Ask = (question: string) => Promise<string>

/**
 * The passwords: files and programs first, so that nobody is asked in vain.
 * @throws {UsageError} secret_missing: one can’t be had, or is empty
 */
export async function readVaultPasswords(
  sources: readonly VaultSource[],
  ask: Ask,
): Promise<VaultPassword[]> {
  const found = new Map<VaultSource, VaultPassword>()
  const prompts = sources.filter(({ from }) => from === 'prompt')
  for (const source of [...sources.filter(each => !prompts.includes(each)), ...prompts]) {
    const { id, from } = source
    const password =
      from === 'prompt'
        ? await ask(`Vault password${id === 'default' ? '' : ` (${id})`}`)
        : await passwordIn(from.path, id)
    if (password === '') {
      const what = from === 'prompt' ? 'the answer' : `what ${from.path} has`
      throw missing(`the vault’s password of ${id}: ${what} is empty`)
    }
    found.set(source, { id, password: secret(password) })
  }
  return sources.map(source => found.get(source)!)
}

const missing = (message: string, details = {}) =>
  new UsageError('secret_missing', message, details)

/** A file’s text, or what it prints if it can be executed; without blanks around it, as in Ansible. */
async function passwordIn(path: string, id: string): Promise<string> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw missing(`the vault’s password of ${id}: can’t read the file ${path}: ${reasonOf(cause)}`)
  })
  const runs = found.isFile() && (found.mode & 0o111) !== 0
  if (runs && (await isProgram(path))) return printedBy(path, id)
  if (runs) {
    throw missing(`the vault’s password of ${id}: ${path} can be executed, but is no program`, {
      hint: `If it is the password, take its execute bits away: chmod a-x ${path}`,
    })
  }
  const bytes = await readFile(path, { pipes: 'any' }).catch((cause: unknown) => {
    throw missing(`the vault’s password of ${id}: can’t read the file ${path}: ${reasonOf(cause)}`)
  })
  return bytes.toString('utf8').trim()
}

/** A text would be run by a shell, which prints it in an error. */
async function isProgram(path: string): Promise<boolean> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    const start = buffer.toString('latin1', 0, bytesRead)
    return start.startsWith('#!') || /[^\t\n\r -~\x80-\xff]|^\xcf\xfa/.test(start)
  } finally {
    await handle.close()
  }
}

/** Programs whose name ends so are given the id. */
const client = /-client(?:\.[^.]*)?$/

/** A person may be asked by it. */
const printedWithinMs = 300_000

async function printedBy(path: string, id: string): Promise<string> {
  const words = client.test(basename(path)) ? ['--vault-id', id] : []
  const failing = (why: string, output?: string): never => {
    throw missing(`the vault’s password of ${id}: ${path} ${why}`, { output })
  }
  const ended = await runToEnd([path, ...words], printedWithinMs).catch(
    ({ code }: NodeJS.ErrnoException) => failing(`ended with ${code}`),
  )
  const { status, signal, stdout, stderr, cutOff } = ended
  const said = stderr.toString('utf8').trim() || undefined
  if (cutOff !== undefined) failing('was ended: it took too long, or printed too much', said)
  if (status !== 0) failing(`ended with ${signal ?? `exit status ${status}`}`, said)
  return stdout.toString('utf8').trim()
}
