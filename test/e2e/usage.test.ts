/** A command line or a project that is wrong is refused with exit 2, before any host is touched. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProject } from '../../lib/cli/project.ts'
import { runWords } from '../../lib/cli/run-words.ts'
import { hostwright, program } from '../support/cli.ts'
import { fakeOutput } from '../unit/ui/fake-output.ts'

let project = ''
let connections = 0
const server = createServer(socket => {
  connections++
  socket.destroy()
})

const catalogue = `[server]
modes = provisioning, active, maintenance, upgrading
[role:web]
products = deepfiler
[product:deepfiler]
version = 1.0.0
archive = releases/deepfiler-{version}.tar.gz
home = /opt/deepfiler
config = /etc/deepfiler.ini
[setting:deepfiler:workers]
type = integer
default = 4
allowed = 1..64
[setting:deepfiler:log_level]
default = info
allowed = error, info
`

const write = async (name: string, text: string) => {
  await mkdir(dirname(join(project, name)), { recursive: true })
  await writeFile(join(project, name), text)
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-usage-'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const at = `ansible_host=127.0.0.1 ansible_port=${port}`
  await write(
    'inventories/production/hosts.ini',
    `[web]\nweb1 ${at}\nweb2 ${at} bootstrap_dir=/var/bootstrap2\n[bad]\nodd ${at} role=wbe\nhigh ${at} deepfiler_workers=99\n[sealed]\nsafe ${at} ssh_password_from='env NO_SUCH_VARIABLE' ansible_become=yes become_password_from='file /nowhere/password'\n`,
  )
  await write('inventories/production/bootstrap.ini', catalogue)
  await write('inventories/malformed/hosts.ini', `[web]\nweb1\n\n[web:chlidren]\nx\n`)
  await write('inventories/faulty/hosts.ini', `web1 ${at}\n`)
  await write(
    'inventories/faulty/bootstrap.ini',
    `[server]
modes = active, provisioning, upgrading
[role:web]
products = haproxi
[product:haproxy]
pakages = haproxy
[setting:haproxy:maxconn]
type = integer
default = many
`,
  )
  await write('inventories/bare/hosts.ini', `web1 ${at}\n`)
})
afterAll(async () => {
  server.close()
  await rm(project, { recursive: true, force: true })
})

const run = (words: readonly string[]) => hostwright(words, { cwd: project })

/** A command line, and what its one error must say. */
const cases: [line: string, ...says: string[]][] = [
  ['server.provsion --on web', 'server.provsion', 'server.provision'],
  ['--check server.mode', 'a command comes first'],
  ['server.provision web --on web --chek', '--chek', '--check'],
  ['server.mode --on web --check=yes', '--check takes no value'],
  ['server.mode --on', '--on needs a value'],
  ['server.mode --on web --on bad', '--on is given twice'],
  ['server.mode', '--on <pattern> is missing'],
  ['server.mode --on wbe', 'wbe', 'web'],
  ['server.mode --on web&', 'web&'],
  ['server.mode --on web:!web', 'no host'],
  ['server.mode --on web -i prodction', 'prodction', 'production'],
  ['server.mode --on web -i no/such.ini', 'no/such.ini'],
  ['server.mode maintenence --on web', 'maintenence', 'maintenance'],
  ['server.mode active now --on web', '"now" is one argument too many'],
  ['server.provision wep --on web', 'wep', 'web'],
  ['server.provision --on odd', 'wbe', 'web'],
  ['server.provision web --on high', 'workers', '1..64'],
  ['product.get --on web', '<product> is missing'],
  ['product.get deepfilter --on web', 'deepfilter', 'deepfiler'],
  ['product.get deepfiler wrokers --on web', 'wrokers', 'workers'],
  ['product.set deepfiler --on web', '<settings> is missing'],
  ['product.set deepfiler wrokers=1 --on web', 'wrokers', 'workers'],
  ['product.set deepfiler workers --on web', 'key=value'],
  ['product.set deepfiler workers=many --on web', 'many', 'integer'],
  ['product.set deepfiler workers=65 --on web', '65', '1..64'],
  ['product.set deepfiler log_level=loud --on web', 'loud', 'error, info'],
  ['product.upgrade deepfiler 9 --on web', 'there is no deepfiler 9'],
  ['heartbeat deepfilter --on web', 'deepfilter', 'deepfiler'],
  ['exec --on web', 'which command?'],
  ['exec --tags x --on web -- true', 'exec does not take --tags', '→ exec runs one command'],
  ['exec --on web --start-at zzz -- true', 'exec does not take --start-at'],
  ['exec --on web --skip-tags=x -- true', 'exec does not take --skip-tags'],
  ['exec --on web --diff -- true', 'exec does not take --diff'],
  ['exec --on web --step -- true', 'exec does not take --step', '--check'],
  ['exec --on web --wait-lock 5m -- true', 'exec does not take --wait-lock'],
  ['exec --on web ls -la', "unknown option '-la'", 'write -- before the command'],
  ['exec --on web --serial 1,0 -- true', '--serial 1,0'],
  ['unlock --on web --tags x', 'unlock does not take --tags'],
  ['plan server.mode --on web --serial 1', 'plan does not take --serial', 'hostwright apply'],
  ['apply plan.json --tags x', 'apply does not take --tags', 'hostwright plan'],
  ['list recipes --on web', 'list recipes does not take --on'],
  ['list hosts --become', 'list hosts does not take --become'],
  ['list tasks server.mode --on web --check', 'list tasks does not take --check'],
  ['server.mode --on web --yes', 'server.mode does not take --yes', 'asks for no confirmation'],
  ['server.mode --on web --out x', 'server.mode does not take --out', 'hostwright plan'],
  ['server.mode --on=', '--on is empty', 'shell variable'],
  ['server.mode --on web -i ', '-i is empty', 'shell variable'],
  ['server.mode --on web --tags a --tags b', '--tags is given twice', '--tags config,web'],
  ['server.mode --on web --tags ,', '--tags must name at least one tag'],
  ['server.mode --on web --tags a&b', '--tags: "a&b" is not a valid tag'],
  ['server.mode --on web --skip-tags a&b', '--skip-tags: "a&b" is not a valid tag'],
  ['server.mode --on web --tags , --skip-tags a&b', '--tags must', '--skip-tags: "a&b"'],
  ['product.unset deepfiler wrokers lo_level --on web', "'wrokers'", "'lo_level'"],
  ['server.mode --on web --forks 0', '--forks 0'],
  ['server.mode --on web --serial 1,0', '--serial 1,0'],
  ['server.mode --on web --serial 1,half', '"half"'],
  ['server.mode --on web --timeout soon', 'soon'],
  ['server.mode --on web --wait-lock later', 'later'],
  ['server.mode --on web --output xml', 'xml', 'json'],
  ['server.mode --on web --var role', '--var role'],
  ['list host', 'host', 'hosts'],
  ['lab upp', 'upp', 'up'],
  ['lab up many', 'many'],
  ['unlock web1', 'unlock takes no arguments'],
  ['list hosts web1', 'list hosts takes no arguments', '--on'],
  ['lab up --on web', 'lab does not take --on'],
]

/** Command lines that can't have -i. */
const ofNoInventory = /^(-|lab|apply)/

// In this process: a hundred of them take a quarter of a minute. The tests below show what a process ends with.
describe('an invalid command line', () => {
  const run = async (words: readonly string[]) => {
    const { stdout, stderr } = fakeOutput()
    const { PATH, HOME, LANG, XDG_STATE_HOME } = process.env
    const env = { PATH, HOME, LANG, XDG_STATE_HOME }
    const place = {
      cwd: project,
      project: findProject(project),
      stdout,
      stderr,
      env,
      passwords: {},
    }
    const status = await runWords(words, place, '0.0.0')
    return { status, stdout: stdout.text(), stderr: stderr.text() }
  }
  const inProduction = (words: string[]) =>
    words.includes('-i') || ofNoInventory.test(words.join(' '))
      ? words
      : [words[0]!, '-i', 'production', ...words.slice(1)]

  test.concurrent.each(cases)('%s', async (line, ...says) => {
    const { status, stdout, stderr } = await run(inProduction(line.split(' ')))
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    for (const text of says) expect(stderr).toContain(text)
    expect(stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+/m)
  })
})

test('settings, secrets and tags that are wrong are one error, a line each', async () => {
  const settings = 'wrokers=1 workers=65 log_level=loud token=@/nowhere/token'
  const line = `product.set -i production deepfiler ${settings} --tags a&b --on safe`
  const { status, stdout, stderr } = await run(line.split(' '))
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  const lines = stderr.split('\n')
  expect(lines.slice(0, 8)).toEqual([
    expect.stringContaining('invalid_value'),
    '  --tags: "a&b" is not a valid tag',
    '  token: can’t read the file /nowhere/token: it does not exist',
    expect.stringMatching(/^ {2}unknown setting of deepfiler 'wrokers': did you mean workers\?$/),
    expect.stringMatching(/^ {2}deepfiler workers: "65" .*1\.\.64/),
    expect.stringMatching(/^ {2}deepfiler log_level: "loud" .*error, info/),
    expect.stringMatching(/^ {2}the secret ssh_password_from of safe: .*NO_SUCH_VARIABLE/),
    expect.stringMatching(/^ {2}the secret become_password_from of safe: .*\/nowhere\/password/),
  ])
  expect(lines.filter(each => /✖|invalid_value|secret_missing/.test(each))).toHaveLength(1)
})

describe('a project with errors', () => {
  test('a malformed inventory is reported with file and line', async () => {
    const { status, stderr } = await run(['server.mode', '--on', 'web', '-i', 'malformed'])
    expect(status).toBe(2)
    expect(stderr).toContain('inventory_invalid')
    expect(stderr).toContain('inventories/malformed/hosts.ini:4')
    expect(stderr).toContain('chlidren')
  })

  test('all errors in bootstrap.ini are reported at once, with line, section and key', async () => {
    const { status, stderr } = await run(['server.mode', '--on', 'web1', '-i', 'faulty'])
    expect(status).toBe(2)
    expect(stderr).toContain('bootstrap_ini_invalid')
    expect(stderr).toMatch(/bootstrap\.ini:4 \[role:web\] products: .*haproxi.*haproxy/)
    expect(stderr).toMatch(/bootstrap\.ini:6 \[product:haproxy\] pakages: .*packages/)
    expect(stderr).toMatch(/bootstrap\.ini:9 \[setting:haproxy:maxconn\] default: .*many/)
  })

  test('a recipe that needs bootstrap.ini reports that it is missing', async () => {
    const { status, stderr } = await run(['heartbeat', 'deepfiler', '--on', 'web1', '-i', 'bare'])
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('there is no bootstrap.ini beside'),
    })
  })

  test('of several environments one must be named', async () => {
    const { status, stderr } = await run(['server.mode', '--on', 'web1'])
    expect(status).toBe(2)
    for (const name of ['bare', 'faulty', 'malformed', 'production']) expect(stderr).toContain(name)
  })
})

describe('recipes and hosts in two directories', () => {
  const recipe = `export default { kind: 'recipe', description: 'x', args: {}, secrets: {}, examples: [],
    lock: () => false, run: async () => {} }\n`
  const host = 'here ansible_connection=local bootstrap_dir={dir}\n'
  const note = (recipes: string, hosts: string) =>
    `recipes are from ${recipes}/recipes, hosts from ${hosts}/inventories`

  /** A monorepo: `outer` in its root, `inner` in apps/web, which has only one of the two. */
  async function monorepo(inner: 'recipes' | 'inventories') {
    const root = await realpath(await mkdtemp(join(project, 'mono-')))
    const web = join(root, 'apps/web')
    const cwd = join(web, 'src/deep')
    await mkdir(cwd, { recursive: true })
    const [recipes, hosts] = inner === 'recipes' ? [web, root] : [root, web]
    await mkdir(join(recipes, 'recipes'))
    await writeFile(join(recipes, 'recipes/site.mjs'), recipe)
    await mkdir(join(hosts, 'inventories/prod'), { recursive: true })
    await writeFile(join(hosts, 'inventories/prod/hosts.ini'), host.replace('{dir}', root))
    const at = (...words: string[]) => hostwright(words, { cwd })
    return { at, says: note(recipes, hosts) }
  }

  test.each(['recipes', 'inventories'] as const)('are named by each run: inner %s', async inner => {
    const { at, says } = await monorepo(inner)
    const run = await at('site', '--on', 'all', '--log', 'none')
    expect(run).toMatchObject({ status: 0, stderr: expect.stringContaining(says) })
    const json = await at('site', '--on', 'all', '--log', 'none', '--output', 'json')
    expect(json.stdout).toContain(says)
    for (const what of ['recipes', 'hosts'])
      expect(await at('list', what)).toMatchObject({ status: 0, stderr: `note: ${says}\n` })
    const tasks = await at('list', 'tasks', 'site', '--log', 'none')
    expect(tasks).toMatchObject({ status: 0, stderr: expect.stringContaining(says) })
  })

  test('are not worth a word where no recipe of the project is used', async () => {
    const { at } = await monorepo('recipes')
    const run = await at('exec', '--on', 'all', '--log', 'none', '--', 'true')
    expect(run).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  test('may be brought together by a path', async () => {
    await write('mono-path/apps/web/recipes/site.mjs', recipe)
    await write('mono-path/inventories/prod/hosts.ini', 'elsewhere\n')
    const own = host.replace('{dir}', project)
    await write('mono-path/apps/web/hosts.ini', own)
    const cwd = join(project, 'mono-path/apps/web')
    const words = ['site', '-i', './hosts.ini', '--on', 'all', '--log', 'none']
    const { status, stderr } = await hostwright(words, { cwd })
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.not.stringContaining('recipes are'),
    })
  })
})

test('no host was touched by any of these commands', () => {
  expect(connections).toBe(0)
})

test('help shows arguments, defaults and an example, and exits 0', async () => {
  const { status, stdout } = await run(['product.set', '--help'])
  expect(status).toBe(0)
  for (const text of ['<product> <...settings>', '--forks <number>', 'default: 50', 'Examples:']) {
    expect(stdout).toContain(text)
  }
})

test('too few files to start are named as such', { tags: ['linux'] }, () => {
  const words = [process.execPath, program, 'exec', '--on', 'localhost', '--', 'true']
  // Out of files, Node also says that modules are missing.
  for (const files of [22, 25]) {
    const limited = ['-c', `ulimit -n ${files} && exec "$@"`, 'sh', ...words]
    const { status, stderr } = spawnSync('sh', limited, { cwd: project, encoding: 'utf8' })
    // A newer Node does with fewer, and comes to what is wrong with the command line.
    if (Number(process.versions.node.split('.')[0]) > 20 && status === 2) continue
    expect(stderr, String(files)).toContain('out_of_files')
    expect(stderr).toContain('ulimit -n 4096')
    expect(status).toBe(1)
  }
})
