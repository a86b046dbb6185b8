/**
 * Work across hosts by the built command line: at a balancer, once for all, group after group, and over a kill of the
 * controller.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { localProject } from '../support/local-project.ts'

/** Ten servers and a balancer. */
async function fleet(files: Readonly<Record<string, string>>) {
  const project = await localProject(files, 12)
  const line = (name: string, state: string) =>
    `${name} ansible_connection=local bootstrap_dir=${project.at(state)}`
  const web = Array.from({ length: 10 }, (_, at) => `web${at + 1}`)
  await project.write(
    'inventories/x/hosts.ini',
    [
      '[web]',
      ...web.map((name, at) => line(name, `h${at + 1}`)),
      '[lb]',
      line('lb1', 'h11'),
      '[down]',
      'lb2 ansible_host=127.0.0.1 ansible_port=1 ansible_user=nobody',
      '',
    ].join('\n'),
  )
  const text = async (name: string) => (await readFile(project.at(name), 'utf8')).trim()
  return { project, web, text }
}

const rolled = `import { fromEnv, recipe, sh } from 'hostwright'
import { cwd } from 'node:process'
const note = (file, text) => sh\`echo \${text} >>\${\`\${cwd()}/\${file}\`}\`
export default recipe({
  description: 'Roll over a fleet',
  hosts: 'web:lb',
  order: ['lb', 'web'],
  secrets: { token: ({ environment, host }) => fromEnv(host.groups.includes('lb') ? 'LB_TOKEN' : \`\${environment}_TOKEN\`) },
  async aroundHost({ on, host, work }) {
    if (host.name === 'lb1') return work()
    const alone = sh\`mkdir \${\`\${cwd()}/alone\`} && rmdir \${\`\${cwd()}/alone\`}\`
    await on('lb').effect('drain', \`\${alone} && \${note('order', \`drain \${host.name}\`)}\`)
    try {
      await work()
    } finally {
      await on('lb').effect('put back', \`\${alone} && \${note('order', \`back \${host.name}\`)}\`)
    }
  },
  async run({ effect, host, once, secrets, inventory }) {
    await once('migrate', () => effect('migrate', note('migrated', inventory.group('web').length)))
    await effect('work', note('order', \`work \${host.name} \${secrets.token.reveal().length}\`))
  },
})
`
const env = { LB_TOKEN: 'long enough', x_TOKEN: 'short' }

describe('a run across hosts', () => {
  test('works at a balancer from ten hosts at once, which is part of the same run, and is not repeated by a second one', async () => {
    const { project, web, text } = await fleet({ 'recipes/roll.js': rolled })
    const { status, stderr } = await project.run(['roll', '-i', 'x'], env)
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('11 hosts') })
    expect(await text('migrated')).toBe('10')
    const order = (await text('order')).split('\n')
    expect(order[0]).toBe('work lb1 11')
    for (const name of web)
      expect(order.filter(line => line.split(' ')[1] === name)).toEqual([
        `drain ${name}`,
        `work ${name} 5`,
        `back ${name}`,
      ])
    expect(existsSync(project.at('h11/bootstrap.pid'))).toBe(false)
  })

  test('shows its default pattern in --help, and what it does elsewhere in a list of its tasks', async () => {
    const { project } = await fleet({ 'recipes/roll.js': rolled })
    const help = await project.run(['roll', '--help'])
    expect(help.stdout).toMatch(/--on <pattern>[\s\S]*\(default:\s+web:lb\)/)
    const list = await project.run(['list', 'tasks', 'roll', '--on', 'web1', '-i', 'x'], env)
    expect({ status: list.status, stdout: list.stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /drain +on lb1[\s\S]*migrate +once: migrate[\s\S]*put back +on lb1/,
      ),
    })
  })

  test('that can’t reach a balancer names both hosts, and touches no other batch', async () => {
    const recipe = rolled.replaceAll("on('lb')", "on('down')")
    const { project } = await fleet({ 'recipes/roll.js': recipe })
    const { status, stderr } = await project.run(
      ['roll', '--on', 'web', '-i', 'x', '--serial', '1', '--accept-new'],
      env,
    )
    expect(status).toBe(4)
    expect(stderr).toContain('web1 works at lb2: can’t connect to 127.0.0.1 port 1')
    expect(existsSync(project.at('order'))).toBe(false)
  })

  test('that was killed and is resumed does not repeat what was done once, and puts hosts back', async () => {
    const wait = 'echo x >begun; while [ ! -e go ]; do sleep 0.05; done'
    const slow = rolled.replace(
      "await effect('work', ",
      `await effect('wait', '${wait}', { cwd: cwd() })\n    await effect('work', `,
    )
    const { project, text } = await fleet({ 'recipes/roll.js': slow })
    const run = project.start(['roll', '--on', 'web1:web2', '-i', 'x', '--serial', '1'], env)
    const deadline = Date.now() + 30_000
    while (!existsSync(project.at('begun'))) {
      if (Date.now() > deadline) throw new Error('it never began')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    run.child.kill('SIGKILL')
    await run.ended
    await project.write('go', '')
    const { status, stderr } = await project.run(['resume', 'last'], env)
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.anything() })
    expect(await text('migrated')).toBe('10')
    expect((await text('order')).split('\n')).toEqual([
      'drain web1',
      'work web1 5',
      'back web1',
      'drain web2',
      'work web2 5',
      'back web2',
    ])
  })
})
