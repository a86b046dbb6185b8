/**
 * What a recipe does before and after its run and its batches, by the built command line: also after a failure, after
 * Ctrl-C, and in the attempt after one that was killed.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { localProject } from '../support/local-project.ts'

/** Each part writes its name; the file `fail` has the words that fail, and hosts wait where there is a file `wait`. */
const site = `import { recipe, sh } from 'hostwright'
import { cwd } from 'node:process'
import { existsSync, readFileSync } from 'node:fs'
const at = file => \`\${cwd()}/\${file}\`
const note = text => sh\`if [ -e \${at('fail')} ] && grep -qx \${text} \${at('fail')}; then exit 1; fi; echo \${text} >>\${at('order')}\`
const on3 = (context, text) => context.on('h3').effect(text, note(text))
export default recipe({
  description: 'Leave notes',
  rollout: { waves: [1] },
  before: context => on3(context, 'before'),
  after: async context => {
    await on3(context, 'after')
    if (existsSync(at('outcomes'))) await on3(context, context.outcomes.map(({ status }) => status).join(' '))
  },
  beforeBatch: context => on3(context, \`before-\${context.batch.number}-\${context.hosts.map(({ name }) => name)}\`),
  afterBatch: context => on3(context, \`after-\${context.batch.number}\`),
  async run({ effect, host }) {
    if (existsSync(at('wait'))) await effect('wait', sh\`echo x >>\${at('begun')}; while [ -e \${at('wait')} ]; do sleep 0.05; done\`)
    await effect('work', note(host.name))
  },
  async rollback({ effect, host }) { await effect('back', note(\`back-\${host.name}\`)) },
})
`
async function fleet(files: Readonly<Record<string, string>> = {}) {
  const project = await localProject({ 'recipes/site.js': site, ...files }, 3)
  const order = async () =>
    existsSync(project.at('order'))
      ? (await readFile(project.at('order'), 'utf8')).trim().split('\n')
      : []
  const begun = async () => {
    const deadline = Date.now() + 60_000
    while (!existsSync(project.at('begun'))) {
      if (Date.now() > deadline) throw new Error('it never began')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return { project, order, begun, words: ['site', '--on', 'h1:h2'] }
}

const inOrder = [
  ...['before', 'before-1-h1', 'h1', 'after-1'],
  ...['before-2-h2', 'h2', 'after-2', 'after'],
]

describe('what is before and after', () => {
  test('a run and each of its batches is done at another host, and shown in all outputs', async () => {
    const { project, order, words } = await fleet({ outcomes: '' })
    const { status, stderr } = await project.run([
      ...words,
      '--report',
      'junit=run.xml,html=run.html,md=run.md',
    ])
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(await order()).toEqual([...inOrder, 'changed changed'])
    expect(stderr).toMatch(/before batch 2 \| changed +\| on h3: before-2-h2/)
    // They are no hosts.
    expect(stderr).toContain('2 hosts: 2 changed')
    expect(await readFile(project.at('run.xml'), 'utf8')).toMatch(
      /<testsuite name="after the run"[\s\S]*classname="after the run" name="[^"]*after"/,
    )
    expect(await readFile(project.at('run.html'), 'utf8')).toContain('before batch 2')
    const shown = await project.run(['runs', 'show', 'last'])
    expect(shown.stdout).toMatch(/before the run[\s\S]*h1[\s\S]*before batch 2[\s\S]*after the run/)
    const json = await project.run(['runs', 'show', 'last', '--output', 'json'])
    expect(json.stdout).toContain('"type":"hook.end","host":"after batch 2","hook":"after"')
  })

  test('is only looked at with --check and in lists and plans', async () => {
    const { project, order, words } = await fleet()
    expect((await project.run([...words, '--check'])).status).toBe(6)
    const list = await project.run(['list', 'tasks', ...words])
    expect({ status: list.status, stdout: list.stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/before batch 2\n[\s\S]*before-2-h2 +on h3/),
    })
    expect((await project.run(['plan', ...words, '-o', 'plan.json'])).status).toBe(0)
    expect(await order()).toEqual([])
    expect((await project.run(['apply', 'plan.json'])).status).toBe(0)
    expect(await order()).toEqual(inOrder)
  })

  test.each([
    ['before', ['after']],
    ['before-2-h2', ['before', 'before-1-h1', 'h1', 'after-1', 'after-2', 'after']],
    ['h1', ['before', 'before-1-h1', 'after-1', 'after']],
    ['after-1', ['before', 'before-1-h1', 'h1', 'after']],
    ['after', inOrder.slice(0, -1)],
  ])(
    'goes on to what is after where %s fails, and a resumed run repeats what is due',
    async (word, done) => {
      const { project, order, words } = await fleet({ fail: `${word}\n` })
      const failed = await project.run(words)
      expect({ order: await order(), status: failed.status }).toEqual({ order: done, status: 4 })
      await writeFile(project.at('fail'), '')
      const again = await project.run(['resume', 'last', '--max-fail', '1'])
      expect({ status: again.status, stderr: again.stderr }).toMatchObject({
        status: word === 'h1' ? 4 : 0,
      })
      const rest = (await order()).slice(done.length)
      // Whatever was left anew is entered anew.
      const next = {
        before: inOrder,
        'before-2-h2': ['before', 'before-2-h2', 'h2', 'after-2', 'after'],
        h1: ['before', 'before-2-h2', 'h2', 'after-2', 'after'],
        'after-1': ['after-1', 'before', 'before-2-h2', 'h2', 'after-2', 'after'],
        after: ['after'],
      }
      expect(rest).toEqual(next[word as keyof typeof next])
    },
  )

  test('is done after Ctrl-C, and before hosts that a resumed run goes on with', async () => {
    const { project, order, words, begun } = await fleet({ wait: '' })
    const run = project.start(words)
    await begun()
    run.child.kill('SIGINT')
    await rm(project.at('wait'))
    expect((await run.ended).status).toBe(130)
    expect(await order()).toEqual(['before', 'before-1-h1', 'after-1', 'after'])
    const again = await project.run(['resume', 'last'])
    expect({ status: again.status, stderr: again.stderr }).toMatchObject({ status: 0 })
    expect((await order()).slice(4)).toEqual(inOrder)
  })

  test('is not repeated, and followed by what is after, where the controller was killed', async () => {
    const { project, order, words, begun } = await fleet({ wait: '' })
    const run = project.start(words)
    await begun()
    run.child.kill('SIGKILL')
    await run.ended
    const shown = await project.run(['runs', 'show', 'last'])
    expect(shown.stdout).toContain(
      'Not done: after the run, after batch 1. To go on: hostwright resume',
    )
    await rm(project.at('wait'))
    const again = await project.run(['resume', 'last'])
    expect({ status: again.status, stderr: again.stderr }).toMatchObject({ status: 0 })
    expect(await order()).toEqual(inOrder)
  })

  test('is done by abort, with the way back of each batch between its own', async () => {
    const { project, order, words, begun } = await fleet({ wait: '' })
    const run = project.start(words)
    await begun()
    run.child.kill('SIGKILL')
    await run.ended
    await rm(project.at('wait'))
    expect((await project.run(['abort', 'last'])).status).toBe(0)
    expect(await order()).toEqual(['before', 'before-1-h1', 'after-1', 'after'])
    await rm(project.at('order'))
    await writeFile(project.at('fail'), 'h2\n')
    expect((await project.run([...words, '--on-failure', 'rollback'])).status).toBe(4)
    expect(await order()).toEqual([
      ...['before', 'before-1-h1', 'h1', 'after-1', 'before-2-h2', 'after-2'],
      ...['before-1-h1', 'back-h1', 'after-1', 'after'],
    ])
  })
})
