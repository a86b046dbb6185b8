/** Reports of runs, as the built command line writes them. */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localProject, longRecipe } from '../support/local-project.ts'

const failing = `import { command, file, recipe, sh, task } from 'hostwright'
import { cwd } from 'node:process'
export default recipe({
  description: 'Changes a file, and fails on the second host',
  async run({ converge, host }) {
    await converge(task('web server', () => [
      file(\`\${cwd()}/\${host.name}.conf\`, { content: 'workers = 4\\n' }),
      command(sh\`echo '::set-output name=x::y'; echo '##[add-mask]z'; [ \${host.name} != h2 ]\`, { title: 'start' }),
    ])())
  },
})
`

const read = async (file: string) => readFile(file, 'utf8')

test('a run that fails writes its reports, each of which has what changed and what failed', async () => {
  const { run, at } = await localProject({ 'recipes/fail.js': failing })
  const reports = ['--report', 'junit=r.xml,html=r.html', '--report', 'md=r.md']
  const { status, stderr } = await run(['fail', '--on', 'all', ...reports])
  expect(stderr).toContain('failed | start')
  expect(status).toBe(4)
  for (const name of ['r.xml', 'r.html', 'r.md']) {
    const text = await read(at(name))
    for (const part of ['h1', 'h2', 'web server', 'start']) expect(text).toContain(part)
  }
  expect(await read(at('r.xml'))).toMatch(/<failure message="[^"]*" type="step_failed">/)
})

test('a report that can’t be written is refused before any host is touched', async () => {
  const { run, at } = await localProject({ 'recipes/fail.js': failing })
  const words = ['fail', '--on', 'all', '--report', 'html=r.html,junit=nowhere/r.xml']
  const { status, stderr } = await run(words)
  expect(status).toBe(2)
  expect(stderr).toContain('can’t write nowhere/r.xml')
  for (const name of ['h1', 'h1.conf', 'r.html']) expect(existsSync(at(name))).toBe(false)
})

test('an old run is drawn from its log, as tree and as reports, and a run of this machine as a page', async () => {
  const { run, at, runs } = await localProject({ 'recipes/fail.js': failing })
  const words = [
    'fail',
    '--on',
    'all',
    '--diff',
    '--report',
    'junit=live.xml,html=live.html,md=live.md',
  ]
  expect((await run(words)).status).toBe(4)
  const [log] = (await readdir(runs)).filter(name => name.endsWith('.jsonl'))
  // With a last line that was cut off.
  await writeFile(at('old.jsonl'), `${await read(join(runs, log!))}{"at":1,"ty`)
  const reports = ['--report', 'junit=old.xml,html=old.html,md=old.md']
  expect(await run(['report', 'old.jsonl', ...reports])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  })
  for (const kind of ['xml', 'html', 'md'])
    expect(await read(at(`old.${kind}`))).toBe(await read(at(`live.${kind}`)))
  const shown = await run(['runs', 'show', 'last', '--html'])
  expect(shown.stdout).toBe(await read(at('live.html')))
  const tree = await run(['report', 'old.jsonl'])
  expect(tree.status).toBe(0)
  expect(tree.stdout).toMatch(/h1.*changed.*\n.*web server[\s\S]*h2.*failed[\s\S]*\+workers = 4/)
  // Without the log the journal has what changed and what failed.
  await rm(join(runs, log!))
  const page = (await run(['runs', 'show', 'last', '--html'])).stdout
  for (const part of ['h1', 'h2', 'h2.conf', '+workers = 4', 'start']) expect(page).toContain(part)
})

test('a file that is no log is refused, and lines that are no events are named', async () => {
  const { run, write, at, runs } = await localProject({ 'recipes/fail.js': failing })
  await write('empty', 'not a log\n{"a":1}\n')
  const refused = await run(['report', 'empty'])
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('empty has no events of a run')
  expect((await run(['report', 'nowhere'])).status).toBe(2)
  await run(['fail', '--on', 'h1'])
  const [log] = (await readdir(runs)).filter(name => name.endsWith('.jsonl'))
  await write('mixed', `hello\n${await read(join(runs, log!))}\n`)
  const mixed = await run(['report', 'mixed', '--report', 'md=r.md'])
  expect(mixed).toMatchObject({ status: 0, stderr: 'mixed: not events: line 1\n' })
  expect(await read(at('r.md'))).toMatch(/^## ✅ fail on x: ok\n/)
})

describe('in the environment of GitHub Actions', () => {
  const github = (at: (name: string) => string) => ({
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: at('.'),
    GITHUB_STEP_SUMMARY: at('summary.md'),
  })

  test('a failure is an annotation at the recipe’s line, and no host’s output is a command', async () => {
    const { run, at } = await localProject({ 'recipes/fail.js': failing })
    await writeFile(at('summary.md'), 'of the command before\n')
    const { status, stderr } = await run(['fail', '--on', 'all', '--verbose'], github(at))
    expect(status).toBe(4)
    const commands = stderr.split('\n').filter(line => /^\s*::|##\[/.test(line))
    expect(commands).toEqual([
      '::group::2 hosts: h1, h2',
      '::endgroup::',
      expect.stringMatching(/^::error file=recipes\/fail\.js,line=8,title=h2 › web server › start/),
    ])
    expect(await read(at('summary.md'))).toMatch(
      /^of the command before\n## ❌ fail on x: failed\n/,
    )
  })

  test('exec shows what a host prints, but commands lose their first character', async () => {
    const { run, at } = await localProject({})
    const line = String.raw`printf '::stop-commands::t\n \t::error::e\nx ##[group]g\n::1 localhost\n'; printf :; sleep 0.1; printf ':error::x\n'`
    const { stdout } = await run(['exec', '--on', 'h1', '--', line], github(at))
    expect(stdout).toBe(
      String.raw`\u003a:stop-commands::t` +
        '\n \t' +
        String.raw`\u003a:error::e` +
        '\nx ' +
        String.raw`#\u0023[group]g` +
        '\n::1 localhost\n' +
        String.raw`\u003a:error::x` +
        '\n',
    )
  })

  test('a run that is cancelled in the middle has its reports and its summary', async () => {
    const { start, at } = await localProject({ 'recipes/long.js': longRecipe }, 1)
    const run = start(['long', '--on', 'all', '--report', 'junit=r.xml,html=r.html'], github(at))
    while (!existsSync(at('h1.begun'))) await new Promise(resolve => setTimeout(resolve, 20))
    run.child.kill('SIGTERM')
    await run.says('Stopping')
    await writeFile(at('h1.go'), '')
    const { status, stderr } = await run.ended
    expect(status).toBe(130)
    expect(stderr.match(/^::group::/gm)).toEqual(
      stderr.match(/^::endgroup::/gm)?.map(() => '::group::'),
    )
    expect(await read(at('r.xml'))).toContain('name="work › long"')
    expect(await read(at('r.html'))).toContain('interrupted')
    expect(await read(at('summary.md'))).toMatch(/^## ❌ long on x: interrupted\n/)
  })
})
