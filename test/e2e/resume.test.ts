/**
 * Going on with an interrupted run, and beginning failed hosts again.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kill } from '../support/descendants.ts'
import { type LocalProject, localProject, longRecipe } from '../support/local-project.ts'
import { type Received, receiveCallbacks } from '../support/receiver.ts'

/** Fails on a host for which there is a file `<host>.bad`. */
const site = `import { command, recipe, sh } from 'hostwright'
export default recipe({
  description: 'Fail where asked to',
  async run({ converge, host }) {
    await converge(command(sh\`echo x >>\${host.bootstrapDir}.done; test ! -e \${host.bootstrapDir}.bad\`, { title: 'work' }))
  },
})
`

const until = async (there: () => boolean) => {
  const deadline = Date.now() + 30_000
  while (!there()) {
    if (Date.now() > deadline) throw new Error('it never came')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
const times = async (project: LocalProject, name: string) =>
  existsSync(project.at(name)) ? (await readFile(project.at(name), 'utf8')).length / 2 : 0
const list = async (project: LocalProject) => {
  const { stdout } = await project.run(['runs', '--output', 'json'])
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('hostwright resume', () => {
  /** A run in batches of one host that was killed at work on the second. */
  async function killed() {
    const project = await localProject({ 'recipes/long.js': longRecipe }, 3)
    await writeFile(project.at('h1.go'), '')
    const run = project.start(['long', '--on', 'all', '--serial', '1'])
    await until(() => existsSync(project.at('h2.begun')))
    run.child.kill('SIGKILL')
    await run.ended
    for (const host of ['h2', 'h3']) await writeFile(project.at(`${host}.go`), '')
    await until(() => existsSync(project.at('h2.ended')))
    return project
  }

  test('goes on with a lost run from where it was, as another attempt of the same run', async () => {
    const project = await killed()
    const [lost] = await list(project)
    expect(lost).toMatchObject({ result: 'lost', statuses: { changed: 1 } })
    const show = await project.run(['runs', 'show', 'last'])
    expect(show.stdout).toContain(`hostwright resume ${lost.run}`)
    expect(show.stdout).toMatch(/. long .*\n/)
    const resumed = await project.run(['resume', lost.run, '--output', 'json'])
    expect({ status: resumed.status, stderr: resumed.stderr }).toEqual({ status: 0, stderr: '' })
    const events = resumed.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events[0]).toMatchObject({ type: 'run.start', run: lost.run, attempt: 2 })
    expect(events.filter(({ type }) => type === 'batch.start')).toMatchObject([
      { number: 2, of: 3, hosts: ['h2'] },
      { number: 3, of: 3, hosts: ['h3'] },
    ])
    expect(events.at(-1).hosts.map(({ host }: { host: string }) => host)).toEqual([
      'h1',
      'h2',
      'h3',
    ])
    // Commands that had begun are not run again, also the one that ran while the controller was killed.
    const names = ['h1.first', 'h2.first', 'h2.begun', 'h2.ended', 'h2.third', 'h3.first']
    expect(await Promise.all(names.map(name => times(project, name)))).toEqual(names.map(() => 1))
    expect(await list(project)).toMatchObject([
      { run: lost.run, result: 'ok', attempts: 2, statuses: { changed: 3 } },
    ])
    expect((await project.run(['runs', 'show', 'last'])).stdout).toMatch(/^attempt 2 /m)
    const again = await project.run(['resume', 'last'])
    expect({ status: again.status, said: again.stderr.includes('nothing left to do') }).toEqual({
      status: 2,
      said: true,
    })
  })

  test('refuses other code and names the file, unless --anyway is given', async () => {
    const project = await killed()
    await project.write('recipes/long.js', `// changed\n${longRecipe}`)
    const refused = await project.run(['resume', 'last'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('has changed: recipes/long.js')
    expect(await times(project, 'h3.first')).toBe(0)
    const anyway = await project.run(['resume', 'last', '--anyway'])
    expect(anyway.status, anyway.stderr).toBe(0)
    expect(await times(project, 'h3.first')).toBe(1)
    expect((await project.run(['runs', 'show', 'last'])).stdout).toContain('--anyway')
  })

  test('refuses a run that is at work, one whose host is gone, and one that only looked', async () => {
    const project = await localProject({ 'recipes/long.js': longRecipe })
    const run = project.start(['long', '--on', 'all'])
    await until(() => existsSync(project.at('h1.begun')))
    expect((await project.run(['resume', 'last'])).stderr).toContain('still at work')
    run.child.kill('SIGKILL')
    await run.ended
    for (const host of ['h1', 'h2']) await writeFile(project.at(`${host}.go`), '')
    await until(() => existsSync(project.at('h1.ended')))
    const inventory = await readFile(project.at('inventories/x/hosts.ini'), 'utf8')
    await project.write('inventories/x/hosts.ini', inventory.split('\n')[0]!)
    const gone = await project.run(['resume', 'last'])
    expect({ status: gone.status, said: /hosts of the run: h2/.test(gone.stderr) }).toEqual({
      status: 2,
      said: true,
    })
    await project.run(['long', '--on', 'h1', '--check'])
    expect((await project.run(['resume', 'last'])).stderr).toContain('only looked')
  })
})

/** A run whose journal can be cut after any of its records, and what its callbacks said. */
async function journaled(hosts: number, words: readonly string[], bad: readonly string[] = []) {
  const { url, received } = await receiveCallbacks()
  const project = await localProject({ 'recipes/site.js': site }, hosts)
  for (const host of bad) await writeFile(project.at(`${host}.bad`), '')
  const events = ['--callback-events', 'batch.completed,run.completed']
  await project.run(['site', '--on', 'all', '--callback-url', url, ...events, ...words])
  const [name] = (await readdir(project.runs)).filter(each => each.endsWith('.journal'))
  const file = join(project.runs, name!)
  const whole = await readFile(file)
  const ends = [...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []))
  const types: string[] = whole
    .toString()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).type)
  return {
    project,
    types,
    sent: received.splice(0),
    /** Cuts it after a record, with the next one torn, and does what is left of the run. */
    goOnFrom: async (index: number, command = 'resume') => {
      await writeFile(file, whole.subarray(0, ends[index]! + 9))
      const { status, stderr } = await project.run([command, 'last'])
      const [{ result, attempts }] = await list(project)
      return { status, stderr, result, attempts, sent: received.splice(0) }
    },
  }
}

/** What each callback was, without times. */
const posted = (received: readonly Received[]) =>
  received.map(({ headers, body }) => {
    const { run, type, exitCode, hosts } = JSON.parse(body)
    const id = headers['webhook-id']!.replace(run, 'RUN')
    const statuses = hosts.map(({ status }: { status: string }) => status)
    return { id, type, exitCode, statuses }
  })

describe('a run that lost its power', () => {
  // That it was `lost` for good once its hosts had ended passed here as expected: nobody waited for its callback.
  test('goes on from each record to its end and its callback, and does nothing twice', async () => {
    const { project, types, sent, goOnFrom } = await journaled(1, [])
    expect(posted(sent).map(({ id }) => id)).toEqual(['msg_RUN-batch-1', 'msg_RUN'])
    for (const [index, type] of types.slice(0, -1).entries()) {
      const { status, stderr, result, sent: again } = await goOnFrom(index)
      expect({ type, status, result }, stderr).toEqual({ type, status: 0, result: 'ok' })
      // What its journal has as ended was posted; the rest comes under the id that it had.
      const closed = types.slice(0, index + 1).includes('batch.end')
      expect({ type, again: posted(again) }).toEqual({
        type,
        again: posted(sent).slice(closed ? 1 : 0),
      })
      expect(await times(project, 'h1.done')).toBe(1)
    }
    expect(types).toContain('step.end')
    const second = await project.run(['resume', 'last'])
    expect(second.status).toBe(2)
    expect(second.stderr).toContain('nothing left to do')
  })

  test('ends as failed, with its callback, where a failure lets no other host begin', async () => {
    const { project, types, goOnFrom } = await journaled(2, ['--serial', '1'], ['h1'])
    const [failed] = [types.indexOf('host.end')]
    for (let index = failed; index < types.length - 1; index++) {
      const { status, result, stderr, sent } = await goOnFrom(index)
      expect({ after: types[index], status, result }, stderr).toEqual({
        after: types[index],
        status: 4,
        result: 'failed',
      })
      expect(posted(sent).at(-1)).toEqual({
        ...{ id: 'msg_RUN', type: 'run.completed', exitCode: 4 },
        statuses: ['failed', 'skipped'],
      })
    }
    expect(await times(project, 'h2.done')).toBe(0)
    // It can be aborted, too, which is its end as well.
    const aborted = await goOnFrom(failed, 'abort')
    expect(aborted, aborted.stderr).toMatchObject({ status: 0, result: 'failed', attempts: 2 })
    expect(posted(aborted.sent).at(-1)).toMatchObject({ id: 'msg_RUN', exitCode: 4 })
    const shown = await project.run(['runs', 'show', 'last'])
    expect(shown.stdout).not.toContain('hostwright resume')
  })

  test('is shown with the command that brings it to its end', async () => {
    const { project, types, goOnFrom } = await journaled(1, [])
    await goOnFrom(types.indexOf('batch.end'), 'attach')
    const shown = await project.run(['runs', 'show', 'last'])
    expect(shown.stdout).toContain('hostwright resume')
  })
})

describe('hostwright resume, of a plan that was applied', () => {
  const half = `import { command, file, recipe, sh, task } from 'hostwright'
import { cwd } from 'node:process'
export default recipe({
  description: 'A file, and then a command that waits',
  async run({ converge, host }) {
    const at = name => \`\${cwd()}/\${host.name}.\${name}\`
    await converge(task('work', () => [
      file(at('made'), { content: 'x' }),
      command(sh\`echo x >>\${at('begun')}; while [ ! -e \${at('go')} ]; do sleep 0.05; done; echo x >>\${at('ended')}\`, { title: 'long' }),
      file(at('last'), { content: 'x' }),
    ])())
  },
})
`

  test('goes on where it was, also on a host that is half done; another plan is refused', async () => {
    const project = await localProject({ 'recipes/half.js': half })
    expect((await project.run(['plan', 'half', '--on', 'all'])).status).toBe(0)
    await writeFile(project.at('h1.go'), '')
    const run = project.start(['apply', 'plan.json', '--serial', '1'])
    await until(() => existsSync(project.at('h2.begun')))
    run.child.kill('SIGKILL')
    await run.ended
    await writeFile(project.at('h2.go'), '')
    await until(() => existsSync(project.at('h2.ended')))
    const show = await project.run(['runs', 'show', 'last'])
    expect(show.stdout).toContain('hostwright resume')
    const text = await readFile(project.at('plan.json'), 'utf8')
    await writeFile(project.at('plan.json'), `${text}\n`)
    const refused = await project.run(['resume', 'last'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('has changed: plan.json')
    await writeFile(project.at('plan.json'), text)
    const resumed = await project.run(['resume', 'last'])
    expect(resumed.status, resumed.stderr).toBe(0)
    expect(existsSync(project.at('h2.last'))).toBe(true)
    for (const host of ['h1', 'h2']) expect(await times(project, `${host}.ended`)).toBe(1)
    expect(await list(project)).toMatchObject([{ recipe: 'half', result: 'ok', attempts: 2 }])
  })

  test('does not do on a half done host what the plan did not say', async () => {
    const project = await localProject({ 'recipes/half.js': half }, 1)
    await project.run(['plan', 'half', '--on', 'all'])
    const run = project.start(['apply', 'plan.json'])
    await until(() => existsSync(project.at('h1.begun')))
    run.child.kill('SIGKILL')
    await run.ended
    await writeFile(project.at('h1.go'), '')
    await until(() => existsSync(project.at('h1.ended')))
    await project.write(
      'recipes/half.js',
      half.replace("at('last'), { content: 'x' }", "at('last'), { content: 'y' }"),
    )
    const resumed = await project.run(['resume', 'last', '--anyway'])
    expect(resumed.status).toBe(4)
    expect(resumed.stderr).toContain('declared differently')
    expect(existsSync(project.at('h1.last'))).toBe(false)
  })
})

describe('commands that can’t be asked', () => {
  /** A run that was killed while its second command runs on h1. */
  async function cutShort() {
    const project = await localProject({ 'recipes/long.js': longRecipe }, 1)
    const run = project.start(['long', '--on', 'all'])
    await until(() => existsSync(project.at('h1.begun')))
    run.child.kill('SIGKILL')
    await run.ended
    const [{ run: id }] = await list(project)
    return { project, id: id as string }
  }
  const ran = (project: LocalProject) =>
    Promise.all(['first', 'begun', 'ended', 'third'].map(name => times(project, `h1.${name}`)))

  test('run once a run: what is done is not repeated, and what is running is waited for', async () => {
    const { project } = await cutShort()
    const resumed = project.start(['resume', 'last', '--verbose'])
    await until(() => resumed.stderr.includes('first'))
    await writeFile(project.at('h1.go'), '')
    const { status, stderr } = await resumed.ended
    expect(status, stderr).toBe(0)
    expect(await ran(project)).toEqual([1, 1, 1, 1])
  })

  test('whose end nobody knows stop their host with exit code 7, until a person settles them', async () => {
    const { project, id } = await cutShort()
    const records = project.at(`h1/runs/${id}`)
    const started = await Promise.all(
      (await readdir(records)).map(key =>
        readFile(`${records}/${key}/started`, 'utf8').catch(() => ''),
      ),
    )
    for (const pid of started.map(text => Number.parseInt(text, 10))) {
      // The first has ended; the second is the runner, whose command waits.
      const below = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
      // What keeps its output ends by itself.
      for (const each of below === '' ? [] : [pid, ...below.trim().split(' ').map(Number)])
        kill(each)
    }
    const resumed = await project.run(['resume', 'last', '--output', 'json'])
    expect(resumed.status, resumed.stderr).toBe(7)
    const events = resumed.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.find(({ type, title }) => type === 'step.end' && title === 'long')).toMatchObject(
      {
        status: 'unknown',
        error: { code: 'uncertain' },
      },
    )
    expect(events.at(-1).hosts[0]).toMatchObject({ status: 'uncertain' })
    const settle = ['settle', id, '--on', 'h1', '--step', 'long', '--as', 'done']
    const settled = await project.run(settle)
    expect(settled.status, settled.stderr).toBe(0)
    const again = await project.run(['resume', id])
    expect(again.status, again.stderr).toBe(0)
    expect(await ran(project)).toEqual([1, 1, 0, 1])
  })
})

describe('after hosts have failed', () => {
  async function failed(words: string[] = []) {
    const project = await localProject({ 'recipes/site.js': site }, 3)
    await writeFile(project.at('h2.bad'), '')
    const run = await project.run(['site', '--on', 'all', ...words])
    expect(run.status).toBe(4)
    return { project, run }
  }

  test('hostwright retry begins them again, as a run of its own', async () => {
    const { project, run } = await failed()
    const [first] = await list(project)
    expect(run.stderr).toContain(`hostwright retry ${first.run}`)
    await rm(project.at('h2.bad'))
    const retried = await project.run(['retry', 'last'])
    expect(retried.status, retried.stderr).toBe(0)
    expect(
      await Promise.all(['h1', 'h2', 'h3'].map(host => times(project, `${host}.done`))),
    ).toEqual([1, 2, 1])
    expect(await list(project)).toMatchObject([
      { result: 'ok', hosts: ['h2'] },
      { run: first.run, result: 'failed' },
    ])
    expect((await project.run(['retry', 'last'])).status).toBe(2)
  })

  test('resume begins no more hosts than the limit of failures allows, until another is given', async () => {
    const { project, run } = await failed(['--serial', '1'])
    const [{ run: id }] = await list(project)
    expect(run.stderr).toContain(`hostwright resume ${id}`)
    const refused = await project.run(['resume', 'last'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('1 host failed, and --max-fail is 0')
    const resumed = await project.run(['resume', 'last', '--max-fail', '1'])
    // The failure before is still one of the run’s.
    expect(resumed.status).toBe(4)
    expect(
      await Promise.all(['h1', 'h2', 'h3'].map(host => times(project, `${host}.done`))),
    ).toEqual([1, 1, 1])
    expect(await list(project)).toMatchObject([
      { run: id, result: 'failed', statuses: { changed: 2, failed: 1 } },
    ])
  })
})
