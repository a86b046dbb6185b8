/** The examples of docs/pipelines.md, run as each CI runs them: its environment, its shell, no terminal, its signals. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { program } from '../support/cli.ts'
import { localProject, longRecipe } from '../support/local-project.ts'

const page = readFileSync(
  fileURLToPath(new URL('../../docs/pipelines.md', import.meta.url)),
  'utf8',
)
const blocks = [...page.matchAll(/^```(?:yaml|groovy)\n(.*?)^```/gms)].map(([, text]) => text!)

interface Ci {
  name: string
  /** The scripts of the job, each run by a shell of its own. */
  scripts: readonly string[]
  shell: readonly string[]
  env: (directory: string) => Record<string, string>
  signal: NodeJS.Signals
  /** Whether all processes of the job get it, or the shell alone. */
  group: boolean
}

const github: { jobs: { app: { steps: { run?: string }[] } } } = parse(blocks[0]!)
const gitlab: { release: { before_script: string[]; script: string[] } } = parse(blocks[1]!)
// Groovy's own escapes.
const jenkins = [...blocks[2]!.matchAll(/sh '(?:''(.*?)'''|([^'\n]*)')/gs)].map(([, long, short]) =>
  (long ?? short!).replaceAll('\\\\', '\\'),
)

const cis: readonly Ci[] = [
  {
    name: 'GitHub Actions',
    scripts: github.jobs.app.steps.flatMap(({ run }) => run ?? []),
    shell: ['bash', '-e'],
    env: directory => ({
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: directory,
      GITHUB_STEP_SUMMARY: `${directory}/summary.md`,
    }),
    signal: 'SIGINT',
    group: false,
  },
  {
    name: 'GitLab',
    scripts: [[...gitlab.release.before_script, ...gitlab.release.script].join('\n')],
    shell: ['bash', '-e', '-o', 'pipefail'],
    env: () => ({ GITLAB_CI: 'true' }),
    signal: 'SIGTERM',
    group: true,
  },
  {
    name: 'Jenkins',
    scripts: jenkins,
    shell: ['sh', '-xe'],
    env: () => ({ JENKINS_URL: 'http://ci.example/', BUILD_NUMBER: '7' }),
    signal: 'SIGTERM',
    group: true,
  },
]

/** A project as the example has it, whose hosts are this machine, and its job. */
async function jobOf({ scripts, shell, env, signal, group }: Ci) {
  const { directory, at, write } = await localProject({ 'recipes/app.js': longRecipe })
  const host = (name: string) => `${name} ansible_connection=local bootstrap_dir=${at(name)}\n`
  await write('inventories/production/hosts.ini', `[web]\n${host('h1')}${host('h2')}`)
  await mkdir(at('bin'))
  // What npm would install is there already.
  await write('bin/npm', '#!/bin/sh\nexit 0\n')
  await write(
    'node_modules/.bin/hostwright',
    `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`,
  )
  for (const name of ['bin/npm', 'node_modules/.bin/hostwright']) await chmod(at(name), 0o755)
  let output = ''
  let child: ReturnType<typeof spawn> | undefined
  const run = async () => {
    for (const [index, script] of scripts.entries()) {
      await writeFile(at(`job-${index}.sh`), script)
      const [command, ...words] = [...shell, at(`job-${index}.sh`)]
      child = spawn(command!, words, {
        cwd: directory,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: `${at('bin')}:${process.env.PATH}`,
          HOME: at('home'),
          LANG: 'C.UTF-8',
          CI: 'true',
          XDG_STATE_HOME: at('state'),
          SSH_KEY: 'key',
          KNOWN_HOSTS: 'hosts',
          ...env(directory),
        },
      })
      for (const stream of [child.stdout!, child.stderr!])
        stream.setEncoding('utf8').on('data', text => {
          output += text
        })
      const [status] = await once(child, 'close')
      if (status !== 0) return status as number
    }
    return 0
  }
  await mkdir(at('home'))
  onTestFinished(() => {
    if (child?.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL')
  })
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      if (child?.exitCode) throw new Error(`the job ended early:\n${output}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return {
    at,
    run,
    until,
    output: () => output,
    cancel: () => process.kill(group ? -child!.pid! : child!.pid!, signal),
  }
}

describe.each(cis)('the example for $name', { tags: ['bash'] }, ci => {
  test('runs to its end: plain output, reports of all hosts, and exit code 0', async () => {
    const { run, at, output } = await jobOf(ci)
    for (const host of ['h1', 'h2']) await writeFile(at(`${host}.go`), '')
    const status = await run()
    expect({ status, output: output() }).toMatchObject({ status: 0 })
    expect(output()).toContain('2 hosts: 2 changed')
    expect(output().replaceAll('\x1b[0K', '')).not.toContain('\x1b')
    const junit = await readFile(at('report.xml'), 'utf8')
    expect(junit.match(/<testsuite name="h[12]"/g)).toHaveLength(2)
    expect(await readFile(at('report.html'), 'utf8')).toContain('2 hosts: 2 changed')
    const folds = {
      'GitHub Actions': /^::group::batch 1 of 2, 1 host: h1$/m,
      GitLab: /section_start:\d+:hostwright_batch_2/,
    }
    const fold = folds[ci.name as keyof typeof folds]
    if (fold) expect(output()).toMatch(fold)
    else expect(output()).not.toMatch(/^::|section_start/m)
  })

  test('is cancelled in the middle: the step ends, the reports are there, and the locks are free', async () => {
    const { run, at, until, output, cancel } = await jobOf(ci)
    const ended = run()
    await until(() => existsSync(at('h1.begun')))
    cancel()
    await until(() => output().includes('Stopping'))
    await writeFile(at('h1.go'), '')
    expect(await ended).not.toBe(0)
    expect(existsSync(at('h1.ended'))).toBe(true)
    expect(existsSync(at('h1.third'))).toBe(false)
    expect(existsSync(at('h1/bootstrap.pid'))).toBe(false)
    const junit = await readFile(at('report.xml'), 'utf8')
    expect(junit).toContain('<testcase classname="h1" name="work › long"')
    expect(junit).toContain('<skipped message="not started"/>')
    expect(await readFile(at('report.html'), 'utf8')).toContain('interrupted')
    if (ci.name === 'GitHub Actions')
      expect(await readFile(at('summary.md'), 'utf8')).toContain('app on production: interrupted')
  })
})
