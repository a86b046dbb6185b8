/** However a run ends, a host has what the recipe asked for and what is in bootstrap_dir, and nothing else. */
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { layersDirectory } from '../../lib/lab/overlay.ts'
import type { Running } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

/** Waits in a step until the test has seen enough. */
const hold = 'touch /etc/left/held; while [ ! -e /etc/left/go ]; do sleep 0.05; done'

const recipeText = `
import { command, file, recipe, script, string } from 'hostwright'
const kinds = {
  script: () => [script('scripts/hold')],
  user: () => [script('scripts/hold', { as: 'left' })],
  homeless: () => [script('scripts/hold', { as: 'nobody' })],
  file: () => [file('/etc/left/b', { content: 'y', validate: '${hold}; test -f %s' })],
  fail: () => [script('scripts/hold'), command('exit 3')],
  large: () => ['left', 'nobody'].map(as =>
    file('/srv/of-' + as, { content: 'x'.repeat(2_000_000), mode: 0o600, as })),
}
export default recipe({
  description: 'Leaves nothing',
  args: { kind: string() },
  run: ({ args, converge }) => converge(file('/etc/left/a', { content: 'x' }), ...kinds[args.kind]()),
})
`

describe('on a host', { tags: ['overlay'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay' })
  let project: Project
  let proxy: Server
  const sockets = new Set<Socket>()
  const started: Running[] = []

  beforeAll(async () => {
    project = await projectFor(lab, {
      'recipes/left.js': recipeText,
      'scripts/hold': `#!/bin/sh\n${hold}\n`,
    })
    await lab.read(
      'lab1',
      'mkdir -m 777 /etc/left; mkdir -m 700 /var/bootstrap; : >/var/tmp/x; rm /var/tmp/x; chmod 1777 /srv; useradd --create-home left',
    )
    const { ansible_host: host, ansible_port: port } = await lab.variables('lab1')
    proxy = createServer(near => {
      const far = connect(Number(port), host)
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => sockets.delete(socket))
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const { port: at } = proxy.address() as AddressInfo
    const known = (await lab.variables('lab1')).known_hosts_file!
    const keys = (await readFile(known, 'utf8')).replaceAll(/^\S+/gm, `[127.0.0.1]:${at}`)
    await writeFile(project.path('known'), keys)
    const inventory = (await readFile(project.path('inventories/x/hosts.ini'), 'utf8'))
      .replaceAll(`ansible_host=${host}`, 'ansible_host=127.0.0.1')
      .replaceAll(`ansible_port=${port}`, `ansible_port=${at}`)
      .replaceAll(`known_hosts_file=${known}`, `known_hosts_file=${project.path('known')}`)
    await writeFile(project.path('inventories/x/hosts.ini'), inventory)
  })
  afterEach(async () => {
    for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    const freed =
      'i=0; while [ -e /var/bootstrap/bootstrap.pid ] && [ $i -lt 200 ]; do i=$((i+1)); sleep 0.05; done'
    await lab.read('lab1', `touch /etc/left/go; ${freed}; rm -f /etc/left/* /srv/of-*`)
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })

  /** Everything the host has of its own but in bootstrap_dir, and what sshd and this test keep. */
  const files = async () => {
    const roots = `${layersDirectory}/*/up /run /tmp /dev/shm`
    const skip = String.raw`\( -path '*/var/bootstrap' -o -path '*/var/log' -o -path '*/etc/left' -o -path '*/srv/of-*' \)`
    return lab.read('lab1', `find ${roots} -xdev ${skip} -prune -o -printf '%p %m %U\n' | sort -u`)
  }
  const run = (kind: string) => {
    const words = ['left', kind, '-i', 'x', '--on', 'lab1']
    const running = lab.start(words, { cwd: project.directory })
    started.push(running)
    return running
  }
  const held = () =>
    expect
      .poll(() => lab.on('lab1', 'test -e /etc/left/held').then(({ status }) => status), {
        timeout: 20_000,
      })
      .toBe(0)
  const go = () => lab.read('lab1', 'touch /etc/left/go')

  const ends: Record<string, (running: Running) => void | Promise<void>> = {
    'that goes on': () => {},
    'that is interrupted twice': async ({ child, says }) => {
      child.kill('SIGINT')
      await says('Stopping')
      child.kill('SIGINT')
    },
    'whose controller is killed': ({ child }) => void child.kill('SIGKILL'),
    'whose connection is cut': () => {
      for (const socket of sockets) socket.destroy()
    },
  }
  const kinds = ['script', 'user', 'file']
  const cases = [
    ...kinds.flatMap(kind => Object.keys(ends).map(end => [kind, end] as const)),
    ...['fail', 'homeless'].map(kind => [kind, 'that goes on'] as const),
  ]
  test.each(cases)('nothing is left behind by a %s run %s', async (kind, end) => {
    const before = await files()
    const running = run(kind)
    await held()
    const made = (await files()).split('\n').filter(line => !before.includes(line))
    // Beside bootstrap_dir there is at most a directory of its user alone, under a name that nobody guesses.
    const mine = kind === 'user' || kind === 'homeless'
    const expected = mine
      ? [
          /^\/tmp\/hostwright-[\w-]+\.[0-9a-f]{24}(-\d+)? 700 \d+$/,
          /^\/tmp\/hostwright-[\w-]+\.\w{24}(-\d+)?\/script-hold 700 \d+$|script-hold [67]00 \d+$/,
        ]
      : []
    expect(made.filter(line => !expected.some(each => each.test(line)))).toEqual([])
    await ends[end]!(running)
    await go()
    await running.ended
    await expect.poll(files, { timeout: 20_000 }).toBe(before)
    await expect
      .poll(() => lab.read('lab1', 'ls -A /var/bootstrap /etc/left'), { timeout: 20_000 })
      .not.toMatch(/scratch|\.hw-|bootstrap\.pid/)
  })

  test('nothing is left behind by content for another user, with or without a home directory', async () => {
    const before = await files()
    const { status, stderr } = await run('large').ended
    expect(status, stderr).toBe(0)
    expect(await lab.read('lab1', 'stat -c "%U %s" /srv/of-left /srv/of-nobody')).toBe(
      'left 2000000\nnobody 2000000\n',
    )
    expect(await files()).toBe(before)
  })
})
