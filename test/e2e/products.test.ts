/**
 * Products and recipes of a project's own: by INI and scripts alone, and in TypeScript.
 * @module-tag long
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const lab = labFor({ hosts: 1 })

const provision = `set -eu
mkdir -p "$HOME_DIR"
echo "provision $VERSION color=$SETTING_COLOR from=$PREVIOUS_VERSION" >>"$HOME_DIR/log"
if [ "$SETTING_COLOR" = black ]; then echo "no black paint" >&2; exit 3; fi
printf '%s\\n' "$VERSION" >"$HOME_DIR/version"
`
const upgrade = `set -eu
echo "upgrade $PREVIOUS_VERSION to $VERSION" >>"$HOME_DIR/log"
if [ "$VERSION" = 3 ]; then echo "version 3 is rotten" >&2; exit 9; fi
printf '%s\\n' "$VERSION" >"$HOME_DIR/version"
`
const check = `set -eu
test "$(cat "$HOME_DIR/version")" = "$VERSION"
test ! -e "$HOME_DIR/rust" || { echo "it rusts" >&2; exit 5; }
`
const catalogue = `[server]
modes = provisioning, active, upgrading

[role:garage]
products = car

[product:car]
version = 1
home = {root}/opt/car
config = {root}/etc/car.ini
provision = scripts/provision
upgrade = scripts/upgrade
test = scripts/check
heartbeat = command:test "$(cat {home}/version)" != 2-broken
heartbeat_interval = 50ms
heartbeat_attempts = 3

[setting:car:color]
default = red
section = paint

[setting:car:password]
type = secret
section = keys
`

describe('a product defined with INI and scripts only', () => {
  let project: Project
  const run = (words: string) =>
    lab.run([...words.split(' '), '-i', 'x', '--on', 'lab'], { cwd: project.directory })
  const log = async () =>
    (await lab.read('lab1', `cat '${await lab.path('lab1', '/opt/car/log')}'`)).trim().split('\n')
  const version = async () =>
    (await lab.read('lab1', `cat '${await lab.path('lab1', '/opt/car/version')}'`)).trim()

  beforeAll(async () => {
    project = await projectFor(lab, {
      'inventories/x/bootstrap.ini': catalogue,
      'inventories/x/scripts/provision': provision,
      'inventories/x/scripts/upgrade': upgrade,
      'inventories/x/scripts/check': check,
    })
  })

  test('is provisioned: its config is written and its script runs', async () => {
    const { status, stderr } = await run('server.provision garage')
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('1 changed') })
    expect(await log()).toEqual(['provision 1 color=red from='])
    const file = await lab.path('lab1', '/etc/car.ini')
    expect(await lab.read('lab1', `cat '${file}'`)).toBe('[paint]\ncolor = red\n')
  })

  test('does not run its script again while its inputs are unchanged', async () => {
    const { status, stderr } = await run('server.provision')
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 ok · 0 steps changed'),
    })
    expect(await log()).toHaveLength(1)
  })

  test('runs its script again after a setting has changed', async () => {
    expect((await run('product.set car color=blue')).status).toBe(0)
    expect(await log()).toHaveLength(1)
    expect((await run('server.provision')).status).toBe(0)
    expect((await log()).at(-1)).toBe('provision 1 color=blue from=1')
    expect((await run('server.provision')).stderr).toContain('0 steps changed')
  })

  test('reports the exit status and last lines of a script that fails, and runs it again next time', async () => {
    await run('product.set car color=black')
    const { status, stderr } = await run('server.provision')
    expect(status).toBe(4)
    expect(stderr).toContain('provision script of car')
    expect(stderr).toContain('no black paint')
    expect(stderr).toContain('exit status 3')
    expect((await run('server.mode')).stdout).toMatch(/lab1 +provisioning +garage/)
    await run('product.set car color=green')
    expect((await run('server.provision')).status).toBe(0)
    expect((await run('server.mode')).stdout).toMatch(/lab1 +active +garage/)
  })

  test('runs its test script', async () => {
    expect((await run('product.test car')).status).toBe(0)
    const rust = await lab.path('lab1', '/opt/car/rust')
    await lab.read('lab1', `touch '${rust}'`)
    const { status, stderr } = await run('product.test car')
    expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringContaining('it rusts') })
    expect(stderr).toContain('test script of car')
    expect(stderr).not.toContain('$(cat)')
    await lab.read('lab1', `rm '${rust}'`)
  })

  test('is upgraded by its script, which does not run a second time', async () => {
    expect((await run('product.upgrade car 2')).status).toBe(0)
    expect(await version()).toBe('2')
    expect((await log()).at(-1)).toBe('upgrade 1 to 2')
    expect((await run('product.test car')).status).toBe(0)
    const again = await run('product.upgrade car 2')
    expect(again).toMatchObject({ status: 0 })
    expect(again.stderr).toContain('1 ok · 0 steps changed')
    expect((await log()).at(-1)).toBe('upgrade 1 to 2')
  })

  test.each(['2-broken', '3'])('is rolled back from version %s by its script', async bad => {
    const { status, stderr } = await run(`product.upgrade car ${bad}`)
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining('rolled_back'),
    })
    expect((await log()).slice(-2)).toEqual([`upgrade 2 to ${bad}`, `upgrade ${bad} to 2`])
    expect(await version()).toBe('2')
    expect((await run('product.get car version')).stdout).toMatch(/version +2 +recorded/)
  })

  test('goes back to an older version of bootstrap.ini only with --yes, and says who is not at it', async () => {
    const refused = await run('product.upgrade car')
    expect(refused.status).toBe(4)
    expect(refused.stderr).toContain(
      'car goes back: 1, the version in bootstrap.ini, is older than 2, which is in use',
    )
    expect(await version()).toBe('2')
    const looked = await run('server.provision --check')
    expect(looked.stderr).toContain('car stays at 2; bootstrap.ini has 1')
    expect((await run('product.upgrade car --check')).stderr).toContain('car goes back')
    expect((await run('product.versions')).stdout).toMatch(/car +- +2 +1 +ahead/)
    expect((await run('product.upgrade car --yes')).status).toBe(0)
    expect(await version()).toBe('1')
    expect((await run('product.upgrade car 2')).status).toBe(0)
    // By its name it may go back.
    expect((await run('product.upgrade car 1')).status).toBe(0)
    expect((await run('product.upgrade car 2')).status).toBe(0)
  })

  test('is not locked up by a recorded value that breaks a newer rule, which can’t be recorded again', async () => {
    const file = `cat '${await lab.path('lab1', '/etc/car.ini')}'`
    const inForce = async () => /color = (.*)/.exec(await lab.read('lab1', file))?.[1]
    expect((await run('product.set car color=mauve')).status).toBe(0)
    const narrowed = catalogue.replace('default = red', 'default = red\nallowed = red, blue')
    await project.write('inventories/x/bootstrap.ini', narrowed)
    for (const words of ['product.get car', 'heartbeat', 'server.provision', 'product.test car']) {
      const { status, stderr } = await run(words)
      expect({ words, status, stderr }).toEqual({
        words,
        status: 0,
        stderr: expect.stringContaining('"mauve" is not allowed'),
      })
    }
    expect(await inForce()).toBe('mauve')
    expect(await run('product.set car color=mauve')).toMatchObject({ status: 2 })
    expect((await run('product.set car color=blue')).status).toBe(0)
    expect(await inForce()).toBe('blue')
    const { stderr } = await run('server.provision')
    expect(stderr).not.toContain('not allowed')
  })

  test('forgets settings that were set, which are then as in the inventory or the catalogue', async () => {
    expect((await run('product.get car color')).stdout).toMatch(/color +blue +set/)
    const { status, stderr } = await run('product.unset car color')
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('1 changed') })
    expect((await run('product.get car color')).stdout).toMatch(/color +red +default/)
    const file = await lab.path('lab1', '/etc/car.ini')
    expect(await lab.read('lab1', `cat '${file}'`)).toContain('color = red\n')
    expect((await run('product.unset car color')).stderr).toContain('0 steps changed')
    expect(await run('product.unset car colour')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('did you mean color?'),
    })
    await project.write('inventories/x/bootstrap.ini', catalogue)
  })

  test('never shows a secret', async () => {
    const words = ['product.set', 'car', 'password=hunter2secret', '-i', 'x', '--on', 'lab']
    const more = ['--diff', '--verbose', '--output']
    const options = { cwd: project.directory }
    const checked = await lab.run([...words, ...more, 'json', '--check'], options)
    const { status, stdout, stderr } = await lab.run([...words, ...more, 'plain'], options)
    const shown = await run('product.get car')
    expect(status).toBe(0)
    expect(shown.stdout).toMatch(/password +\*{8} +set/)
    const all = [stdout, stderr, checked.stdout, checked.stderr, shown.stdout].join('')
    expect(all).not.toContain('hunter2')
    const file = await lab.path('lab1', '/etc/car.ini')
    expect(await lab.read('lab1', `cat '${file}'`)).toContain('password = hunter2secret')
  })
})

describe('a product with a module in TypeScript', () => {
  test('is prepared and configured by its module', async () => {
    const project = await projectFor(lab, {
      'inventories/x/bootstrap.ini': `[server]
modes = provisioning, active, upgrading
[role:sea]
products = boat
[product:boat]
version = 7
home = {root}/opt/boat
config = {root}/etc/boat.conf
module = boat.ts
[setting:boat:sails]
type = integer
default = 2
`,
      'inventories/x/boat.ts': `import { directory, file, type HostProduct, type Items } from 'hostwright'

const module = {
  prepare: ({ home }: HostProduct): Items => directory(\`\${home}/hold\`),
  configure: ({ config, settings, version }: HostProduct): Items =>
    file(config!, { content: \`boat \${version}: \${settings.sails} sails\\n\` }),
}
export default module
`,
    })
    const run = () =>
      lab.run(['server.provision', 'sea', '-i', 'x', '--on', 'lab'], { cwd: project.directory })
    const first = await run()
    expect({ status: first.status, stderr: first.stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 changed'),
    })
    const file = await lab.path('lab1', '/etc/boat.conf')
    expect(await lab.read('lab1', `cat '${file}'`)).toBe('boat 7: 2 sails\n')
    expect((await run()).stderr).toContain('1 ok · 0 steps changed')
  })
})

describe('a recipe of the project in TypeScript', () => {
  let project: Project
  const hello = (...words: string[]) =>
    lab.run(['hello', ...words, '-i', 'x', '--on', 'lab'], { cwd: project.directory })

  beforeAll(async () => {
    project = await projectFor(lab, {
      'recipes/hello.ts': `import { command, file, ini, optional, recipe, secret, sh, string } from 'hostwright'

interface Greeting { whom: string }

export default recipe({
  description: 'Say hello',
  args: { whom: optional(string('who is greeted')) },
  examples: ['hello --on web'],
  async run({ $, read, args, check, converge, host, output }) {
    const { whom }: Greeting = { whom: args.whom ?? "it's the world" }
    const home = \`\${host.root}/opt/hello\`
    const { changed } = await converge(
      command(sh\`mkdir -p \${home}\`, { creates: home }),
      file(\`\${home}/greeting\`, { content: \`hello \${whom}\\n\`, mode: 0o640 }),
      ini(\`\${home}/hello.ini\`, { section: 'keys', set: { token: secret('s3cr3t-token') } }),
    )
    if (check) return
    const upper = await $\`echo \${whom}\`.pipe($\`tr a-z A-Z\`)
    const lines = await read\`cat \${home}/greeting \${home}/hello.ini\`.lines()
    const missing = await $({ nothrow: true })\`test -e \${home}/none\`
    const late = await $({ timeout: '300ms', nothrow: true })\`sleep 30\`
    const token = secret('env-s3cr3t')
    const length = await $({ env: { TOKEN: token } as never })\`printf %s "$TOKEN" | wc -c\`
    const given = await $({ input: 'from here' })\`cat\`
    output({
      changed,
      upper: upper.stdout,
      lines,
      missing: missing.exitCode,
      late: late.exitCode !== 0,
      length: Number(length.stdout),
      given: given.stdout,
    })
  },
  report: outcomes => ({ header: ['HOST', 'DATA'], rows: outcomes.map(({ host, data }) => [host, JSON.stringify(data)]) }),
})
`,
      'recipes/broken.ts': 'export default 1\n',
      'recipes/throws.ts': `import { recipe, StepError } from 'hostwright'
export default recipe({
  description: 'Fail',
  lock: false,
  async run({ $ }) {
    await $\`echo out; echo err >&2; exit 6\`
    throw new StepError('not reached')
  },
})
`,
    })
  })

  test('runs without a build step, with commands, pipes, timeouts, resources and secrets', async () => {
    const { status, stdout, stderr } = await hello()
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('1 changed') })
    const data = JSON.parse(/^lab1 +(\{.*\})/m.exec(stdout)![1]!)
    expect(data).toEqual({
      changed: true,
      upper: "IT'S THE WORLD\n",
      lines: ["hello it's the world", '[keys]', expect.stringMatching(/^token = /)],
      missing: 1,
      late: true,
      length: 10,
      given: 'from here',
    })
    expect(stdout + stderr).not.toContain('s3cr3t')
  })

  test('changes nothing the second time, and reports with --check what would change', async () => {
    expect((await hello()).stderr).toContain('0 steps changed')
    const { status } = await hello('you', '--check')
    expect(status).toBe(6)
    const file = await lab.path('lab1', '/opt/hello/greeting')
    expect(await lab.read('lab1', `cat '${file}'`)).toBe("hello it's the world\n")
  })

  test('is listed with its arguments, and has help', async () => {
    const options = { cwd: project.directory }
    const listed = await lab.run(['list', 'recipes'], options)
    expect(listed.stdout).toMatch(/^hello \[whom\] +Say hello +project/m)
    const { stdout } = await lab.run(['hello', '--help'], options)
    expect(stdout).toContain('who is greeted')
    expect(stdout).toContain('hostwright hello --on web')
  })

  test('reports a failed command with its exit status and output', async () => {
    const { status, stderr } = await lab.run(['throws', '-i', 'x', '--on', 'lab'], {
      cwd: project.directory,
    })
    expect(status).toBe(4)
    expect(stderr).toContain('exit status 6')
    expect(stderr).toContain('err')
    expect(stderr).not.toContain('not reached')
  })

  test('is refused if its file exports no recipe', async () => {
    const { status, stderr } = await lab.run(['broken', '-i', 'x', '--on', 'lab'], {
      cwd: project.directory,
    })
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('exports no recipe'),
    })
  })
})
