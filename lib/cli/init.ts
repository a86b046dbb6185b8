/** `hostwright init greetings`: a new project, asked for at a terminal or by options. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { BootstrapError, UsageError } from '../errors.ts'
import { readHosts } from '../init/first-hosts.ts'
import { type Ci, packageName, projectFiles } from '../init/project-files.ts'
import { findInventory, takeOver } from '../init/take-over.ts'
import { refuseOthers, writeFiles } from '../init/write-project.ts'
import { packageRoot } from '../lab/package-root.ts'
import { unknownName } from '../shell/nearest.ts'
import { sayLine } from '../ui/say-line.ts'
import type { Place, RunCommand } from './command.ts'
import type { OptionValues } from './options/option.ts'
import { packageVersion } from './package-version.ts'

/** What is asked for, as text. */
interface Answers {
  environment: string
  hosts: string
  /** Path of an Ansible inventory; empty: none. */
  ansible: string
}

export const init: RunCommand = async (words, options, place) => {
  if (words.length > 1)
    throw new UsageError(
      'usage',
      `init makes one project, not ${words.length}: ${words.join(' ')}`,
      {
        hint: 'Quote a name that has spaces.',
      },
    )
  const directory = resolve(place.cwd, words[0] ?? '.')
  const ci = readCi(options.ci as string | undefined)
  const { environment, hosts, ansible } = await readAnswers(options, place)
  const inventory = ansible === '' ? undefined : findInventory(resolve(place.cwd, ansible))
  const project = {
    name: packageName(directory),
    ...{ environment, ci },
    hosts: readHosts(hosts),
    hostwright: (options.package as string | undefined) ?? ownPackage(),
  }
  const files = projectFiles(project, join(packageRoot(), 'templates'), inventory === undefined)
  const folder = join('inventories', environment)
  refuseOthers(directory, [...files.map(({ path }) => path), ...(inventory ? [folder] : [])])
  writeFiles(directory, files)
  if (inventory) takeOver(inventory, join(directory, folder))
  for (const { path } of files) place.stderr.write(`  ${path}\n`)
  if (inventory) place.stderr.write(`  ${folder}/ from ${ansible}\n`)
  if (options.noInstall !== true) await install(directory, place)
  showNext(relative(place.cwd, directory), environment, options.noInstall === true, place)
  return 0
}

const cis: readonly Ci[] = ['github', 'gitlab', 'none']

function readCi(text = 'github'): Ci {
  const found = cis.find(each => each === text)
  if (!found) throw unknownName('CI', text, cis)
  return found
}

/** What options do not say is asked for at a terminal; elsewhere it is the default. */
async function readAnswers(options: OptionValues, place: Place): Promise<Answers> {
  const given = (name: keyof Answers) => options[name] as string | undefined
  const answers = {
    ansible: given('ansible') ?? '',
    environment: given('environment') ?? 'production',
    hosts: given('hosts') ?? '',
  }
  if (options.hosts !== undefined && answers.ansible !== '')
    throw new UsageError('usage', '--hosts: the hosts are those of the inventory of --ansible', {
      hint: 'Leave one of the two out.',
    })
  if (process.stdin.isTTY && place.stderr.isTTY) {
    const lines = createInterface({
      input: process.stdin,
      output: place.stderr as NodeJS.WriteStream,
    })
    const ask = async (name: keyof Answers, question: string) => {
      if (given(name) === undefined)
        answers[name] = (await lines.question(question)).trim() || answers[name]
    }
    try {
      await ask('environment', 'Name of the first environment (production): ')
      if (options.hosts === undefined)
        await ask('ansible', 'Ansible inventory to take over (none): ')
      if (answers.ansible === '')
        await ask('hosts', 'First hosts, for example web1, root@192.0.2.11 (none): ')
    } finally {
      lines.close()
    }
  }
  return { ...answers, environment: checkEnvironment(answers.environment) }
}

function checkEnvironment(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) || name === 'lab')
    throw new UsageError('invalid_value', `${name} can’t be the name of an environment`, {
      hint: 'It is a folder in inventories/: letters, digits, - and _; lab is there anyway.',
    })
  return name
}

/** Of a clone the clone itself: it need not be published. */
const ownPackage = () =>
  existsSync(join(packageRoot(), 'lib')) ? `file:${packageRoot()}` : `^${packageVersion()}`

/** @throws {BootstrapError} install_failed */
function install(directory: string, place: Place): Promise<void> {
  sayLine(place.stderr, 'npm install')
  return new Promise((settle, reject) => {
    const fail = (why: string) =>
      reject(
        new BootstrapError('install_failed', `npm install in ${directory}: ${why}`, {
          hint: 'The project is complete but for its packages: run npm install there again.',
        }),
      )
    // What npm prints is no result of ours.
    const child = spawn('npm', ['install', '--no-audit', '--no-fund'], {
      cwd: directory,
      stdio: ['ignore', process.stderr, process.stderr],
    })
    child.once('error', ({ message }) => fail(message))
    child.once('close', (status, signal) =>
      status === 0 ? settle() : fail(`it ended with ${status ?? signal}`),
    )
  })
}

function showNext(directory: string, environment: string, install: boolean, place: Place): void {
  const commands = [
    ...(directory === ''
      ? []
      : [
          `cd ${/^[\w./-]+$/.test(directory) ? directory : `'${directory.replaceAll("'", "'\\''")}'`}`,
        ]),
    ...(install ? ['npm install'] : []),
    'npx hostwright lab up 1',
    'npx hostwright motd --on lab -i lab --diff',
    `npx hostwright motd --on all -i ${environment} --check --diff`,
  ]
  place.stderr.write(`\nNext:\n${commands.map(each => `  ${each}\n`).join('')}`)
}
