/** Starts a command. Loads little: what a command needs comes with the command. */
import { setFlagsFromString } from 'node:v8'
import { githubStream, isGithub } from '../ui/ci/github-stream.ts'
import { createConsole } from '../ui/console.ts'
import type { OutputStream } from '../ui/theme.ts'
import type { Place } from './command.ts'
import { watchForEarlyExit } from './early-exit.ts'
import { takePasswords } from './environment-passwords.ts'
import { packageVersion } from './package-version.ts'
import { findProject } from './project.ts'
import { runWords } from './run-words.ts'

// A run is over before most of what V8 would optimize pays for that: a fifth of the processor time of 100
// resources on 20 hosts. What runs long enough still is. The flag is that of Node 20's V8: others say that
// they do not know it.
if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=1000000')

/** The streams of a process whose log takes lines for commands. */
const logStream = (stream: NodeJS.WriteStream): OutputStream =>
  isGithub(process.env) ? githubStream(stream) : stream

const cwd = process.cwd()
const place: Place = {
  cwd,
  project: findProject(cwd),
  stdout: logStream(process.stdout),
  stderr: logStream(process.stderr),
  env: process.env,
  // Before anything of the project is loaded, or any program started.
  passwords: takePasswords(process.env),
}
const words = process.argv.slice(2)

// Standard output is for results: what recipes print would get into lists and JSON.
globalThis.console = createConsole(place.stderr)

// A reader that went away (`hostwright … | head`) ends the output, not the run.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const done = watchForEarlyExit(line => place.stderr.write(`hostwright: ${line}\n`))
try {
  process.exitCode = await runWords(words, place, packageVersion())
} finally {
  done()
}
