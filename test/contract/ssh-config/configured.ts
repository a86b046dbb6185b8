/** Configurations of ssh for tests, and `ssh` programs that log their own calls. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Host } from '../../../lib/inventory/inventory.ts'
import type { SshSettings } from '../../../lib/transport/config/settings.ts'
import { createSshConfig, type SshConfigOptions } from '../../../lib/transport/config/ssh-config.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { whereIs } from '../../support/where-is.ts'

const execute = promisify(execFile)
export const { homedir: home, username } = userInfo()

export type Texts = Record<string, string>

/** Files of configuration in a directory of the test's own, which is `DIR` in them. */
export async function write(texts: Texts) {
  const directory = await temporaryDirectory()
  for (const [name, text] of Object.entries(texts)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text.replaceAll('DIR', directory))
  }
  return { directory, file: join(directory, 'config') }
}

export const env: NodeJS.ProcessEnv = {
  ...process.env,
  KEYS: '/keys',
  SSH_AUTH_SOCK: '/run/agent',
  OTHER: '/run/other',
}

export async function configured(texts: Texts | string, options: SshConfigOptions = {}) {
  const { directory, file } = await write(typeof texts === 'string' ? { config: texts } : texts)
  const config = createSshConfig({ configFile: file, here: { env }, ...options })
  const settings = (address: string, more: Partial<Host> = {}) =>
    config.settings({ address, ...more })
  return { directory, file, config, settings }
}

/** Without the key file that ssh looked for before OpenSSH 10. */
export const withoutDsa = (settings: SshSettings): SshSettings => ({
  ...settings,
  identityFiles: settings.identityFiles.filter(file => file !== join(home, '.ssh/id_dsa')),
})

/** Whether this ssh runs a ProxyCommand that stands after `ProxyJump none`. */
export async function noneLeavesCommand(): Promise<boolean> {
  const { file } = await write({ config: 'ProxyJump none\nProxyCommand nc %h %p\n' })
  const { stdout } = await execute('ssh', ['-G', '-F', file, 'web'])
  return /^proxycommand nc /m.test(stdout)
}

/** An `ssh` that writes down how it is called; by that name it starts others of itself. */
export async function loggingSsh() {
  const directory = await temporaryDirectory()
  const [program, calls] = [join(directory, 'ssh'), join(directory, 'calls')]
  await writeFile(
    program,
    `#!/usr/bin/env bash\necho "$*" >>${calls}\nexec -a ssh ${whereIs('ssh')} "$@"\n`,
  )
  await chmod(program, 0o755)
  const started = async () =>
    (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
  const count = async () => (await started()).filter(words => words.startsWith('-G ')).length
  return { program, started, count }
}
