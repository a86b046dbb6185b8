/** A project whose hosts are this machine, for tests of the built command line that need no server. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { hostwright, startHostwright } from './cli.ts'
import { kill } from './descendants.ts'
import { temporaryDirectory } from './shells.ts'

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Its files by name, and hosts h1, h2 … whose state is in directories of their names. Its runs keep their journals
 * and logs in a directory of their own.
 */
export async function localProject(files: Readonly<Record<string, string>>, hosts = 2) {
  const directory = await temporaryDirectory()
  const at = (name: string) => join(directory, name)
  const write = async (name: string, text: string) => {
    await mkdir(dirname(at(name)), { recursive: true })
    await writeFile(at(name), text)
  }
  const names = Array.from({ length: hosts }, (_, index) => `h${index + 1}`)
  const lines = names.map(name => `${name} ansible_connection=local bootstrap_dir=${at(name)}\n`)
  await write('inventories/x/hosts.ini', lines.join(''))
  await write('package.json', '{"type":"module"}\n')
  await mkdir(at('node_modules'))
  await symlink(packageRoot, at('node_modules/hostwright'), 'dir')
  for (const [name, text] of Object.entries(files)) await write(name, text)
  onTestFinished(() => endEffects(names.map(at)))
  const withState = (env: Record<string, string> = {}) => ({
    cwd: directory,
    env: { XDG_STATE_HOME: at('state'), ...env },
  })
  return {
    directory,
    at,
    write,
    runs: at('state/hostwright/runs'),
    run: (words: readonly string[], env?: Record<string, string>) =>
      hostwright(words, withState(env)),
    start: (words: readonly string[], env?: Record<string, string>) =>
      startHostwright(words, withState(env)),
  }
}

/** Ends the commands that outlive a run whose controller was killed, where a test failed before they ended. */
async function endEffects(states: readonly string[]) {
  for (const state of states) {
    const files = await readdir(join(state, 'runs'), { recursive: true }).catch(() => [])
    for (const file of files.filter(each => basename(each) === 'started')) {
      const record = join(state, 'runs', file)
      if (existsSync(join(dirname(record), 'exit'))) continue
      const pid = Number.parseInt(await readFile(record, 'utf8'), 10)
      const below = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
      for (const each of below.trim().split(' ').map(Number)) kill(each, 'SIGTERM')
    }
  }
}

export type LocalProject = Awaited<ReturnType<typeof localProject>>

/** A recipe whose step `long` says that it has begun, and waits for a file. */
export const longRecipe = `import { command, recipe, sh, task } from 'hostwright'
import { cwd } from 'node:process'
export default recipe({
  description: 'Three steps, the second a long one',
  async run({ converge, host }) {
    const at = name => \`\${cwd()}/\${host.name}.\${name}\`
    await converge(task('work', () => [
      command(sh\`echo x >>\${at('first')}\`, { title: 'first' }),
      command(sh\`echo x >>\${at('begun')}; while [ ! -e \${at('go')} ]; do sleep 0.05; done; echo x >>\${at('ended')}\`, { title: 'long' }),
      command(sh\`echo x >>\${at('third')}\`, { title: 'third' }),
    ])())
  },
})
`
