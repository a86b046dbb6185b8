/**
 * Who changed what on a host, as the host itself says.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { localProject } from '../support/local-project.ts'

const site = `import { file, recipe, sh, command, string } from 'hostwright'
export default recipe({
  description: 'Write a file, and run a command',
  args: { text: string() },
  async run({ args, converge, host, $ }) {
    const at = name => \`\${host.bootstrapDir}.\${name}\`
    await converge(file(at('txt'), { content: args.text }), command(sh\`touch \${at('made')}\`, { creates: at('made') }))
    if (args.text === 'two') await $({ title: 'migrate' })\`true\`
  },
})
`

test('a host says who changed what and when, the newest first, and an unchanged run writes nothing', async () => {
  const project = await localProject({ 'recipes/site.js': site })
  const none = await project.run(['log', '--on', 'h1'])
  expect({ status: none.status, stdout: none.stdout }).toEqual({ status: 0, stdout: '' })
  await project.run(['site', 'one', '--on', 'all', '--check'])
  expect(existsSync(project.at('h1/log'))).toBe(false)
  for (const text of ['one', 'one', 'two']) await project.run(['site', text, '--on', 'all'])
  const json = await project.run(['log', '--on', 'h1', '--output', 'json'])
  const ended = json.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .find(({ type }) => type === 'host.end')
  expect(ended.data.changes.map(({ how, title }: Record<string, string>) => [how, title])).toEqual([
    ['ran', 'migrate'],
    ['changed', `file ${project.at('h1.txt')}`],
    ['changed', expect.stringContaining('touch')],
    ['changed', `file ${project.at('h1.txt')}`],
  ])
  expect(new Set(ended.data.changes.map(({ run }: { run: string }) => run)).size).toBe(2)
  expect(Date.now() - Date.parse(ended.data.changes[0].at)).toBeLessThan(600_000)
  const { stdout, status } = await project.run(['log', '--on', 'all', '--limit', '1'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/WHEN +HOST +BY +RECIPE +RUN +WHAT\n/)
  expect(stdout.match(/ran: migrate/g)).toHaveLength(2)
  expect((await project.run(['log', '--on', 'h1', '--since', '2099-01-01'])).stdout).toBe('')
  expect((await project.run(['log', '--on', 'h1', '--since', 'soon'])).status).toBe(2)
  // It only looks: it is no run.
  expect((await project.run(['runs', '--recipe', 'log'])).stderr).toContain('No such runs')
})

test('what a step of another user changes is in the log too', { tags: ['root'] }, async () => {
  const project = await localProject(
    {
      'recipes/other.js': `import { command, recipe } from 'hostwright'
export default recipe({
  description: 'Work as another user',
  async run({ converge }) {
    await converge(command('true', { as: 'nobody', title: 'by nobody' }), command('true', { as: 'nobody', title: 'same', changedWhen: false }))
  },
})
`,
    },
    1,
  )
  const { status, stderr } = await project.run(['other', '--on', 'all'])
  expect(status, stderr).toBe(0)
  const { stdout } = await project.run(['log', '--on', 'h1'])
  expect(stdout).toContain('by nobody as nobody')
  expect(stdout).not.toContain('same')
})
