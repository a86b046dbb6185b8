/**
 * docs/tutorial.md, done as it says: in a copy of this clone and a folder beside it, each of its commands in
 * turn, by one shell, with the output as a terminal of 80 columns keeps it.
 *
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labDown } from '../../lib/lab/lab.ts'
import { kept, notPrinted, tutorialSteps } from '../support/tutorial.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const terminal = new URL('../support/terminal.mjs', import.meta.url)
const steps = tutorialSteps(readFileSync(join(root, 'docs/tutorial.md'), 'utf8'))

interface Ended {
  status: number
  output: string
  /** Where the shell is now. */
  directory: string
}

/** What npm needs to reach the registry that this clone is from. */
const npmVariable =
  /^(npm_config_(registry|cache|userconfig|globalconfig)|(https?|no)_proxy|node_extra_ca_certs)$/i

/** One shell for all commands, as they change its folder and its variables. */
function createShell(cwd: string) {
  const { PATH, HOME, XDG_STATE_HOME } = process.env
  const forNpm = Object.entries(process.env).filter(([name]) => npmVariable.test(name))
  const child = spawn('sh', [], {
    cwd,
    env: {
      ...Object.fromEntries(forNpm),
      ...{ PATH, HOME, XDG_STATE_HOME, LANG: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1' },
      NODE_OPTIONS: `--import=${terminal.href}`,
      // What npm got for this clone will do for its copy, and nothing else is asked of the registry.
      npm_config_prefer_offline: 'true',
      npm_config_audit: 'false',
      npm_config_update_notifier: 'false',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const mark = `the command ended: ${process.pid}`
  child.stdout.setEncoding('utf8')
  child.stdin.write('exec 2>&1\n')
  return {
    run: (command: string) =>
      new Promise<Ended>((resolve, reject) => {
        let output = ''
        const end = () => {
          child.stdout.off('data', read)
          child.off('close', fail)
        }
        const fail = () => reject(new Error(`the shell ended:\n${output}`))
        const read = (text: string) => {
          output += text
          const [last, status, directory] = new RegExp(`${mark} (\\d+) (.*)\n$`).exec(output) ?? []
          if (last === undefined) return
          end()
          resolve({
            status: Number(status),
            output: output.slice(0, -last.length),
            directory: directory!,
          })
        }
        child.stdout.on('data', read)
        child.once('close', fail)
        child.stdin.write(`{ ${command}\n} </dev/null; echo "${mark} $? $PWD"\n`)
      }),
    end: () => child.stdin.end(),
  }
}

describe('the tutorial', () => {
  let base: string
  let shell: ReturnType<typeof createShell>
  let directory: string

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'hostwright-tutorial-')))
    directory = join(base, 'hostwright')
    const left = /^(node_modules|dist|\.git)(\/|$)/
    cpSync(root, directory, { recursive: true, filter: path => !left.test(relative(root, path)) })
    shell = createShell(directory)
  })

  afterAll(async () => {
    shell?.end()
    await labDown({ directory: join(base, 'greetings/inventories/lab') })
    await rm(base, { recursive: true, force: true })
  })

  /** Where paths of hosts begin that have directories of this machine instead of file systems. */
  const rootsOfHosts = async () => {
    const inventory = join(directory, 'inventories/lab/hosts.ini')
    const text = await readFile(inventory, 'utf8').catch(() => '')
    return [...text.matchAll(/ root=(\S+)/g)].map(match => match[1]!)
  }

  test.each(
    steps.map(step => ({
      step,
      name: step.kind === 'file' ? step.path : step.commands.join('; ').replaceAll('\n', '; '),
    })),
  )('line $step.line: $name', { timeout: 120_000 }, async ({ step }) => {
    if (step.kind === 'file') {
      const write = step.add ? appendFile : writeFile
      await write(join(directory, step.path), step.text)
      return
    }
    let printed = ''
    for (const command of step.commands) {
      const roots = await rootsOfHosts()
      const ended = await shell.run(command)
      expect(ended.status, `${command}\n${ended.output}`).toBe(0)
      directory = ended.directory
      printed += roots.reduce((text, each) => text.replaceAll(each, ''), kept(ended.output))
    }
    // The paths of logs are longer here than in a home directory, and get a line of their own.
    printed = printed.replaceAll('Log of the run:\n  ', 'Log of the run: ')
    if (step.shown !== undefined) expect(notPrinted(step.shown, printed), printed).toBeUndefined()
  })

  test('leaves nothing running that its commands started', async () => {
    const { output } = await shell.run('hostwright lab status')
    expect(output).toContain('No lab is up')
  })
})
