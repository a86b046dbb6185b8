/** The command line, run as a test's user would: a process of its own, in the project of the test. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Ended {
  exitCode: number
  stdout: string
  stderr: string
}

/** Built, it is beside this module's folder or the chunks'; as source, it is in dist/. */
const programs = ['../cli/main.js', '../../dist/lib/cli/main.js'].map(path =>
  fileURLToPath(new URL(path, import.meta.url)),
)

/** @param env added to the environment of the test */
export async function hostwright(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const program = programs.find(path => existsSync(path))
  if (program === undefined) throw new Error('hostwright is not built: npm run build')
  const child = spawn(process.execPath, [program, ...words], {
    // Of the runner of the tests, these would change what is printed, or load what it has loaded.
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number>((settle, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => settle(status ?? (signal === 'SIGINT' ? 130 : 1)))
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  return { exitCode, stdout, stderr }
}
