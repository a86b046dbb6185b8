/** @module-tag long */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ContainerOptions, container } from '../../lib/resources/commands/container.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { secret } from '../../lib/shell/secret.ts'
import { image, loop, podmanHost } from '../support/podman-host.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import {
  anyShell,
  describeEach,
  fakePrograms,
  type Program,
  shells,
  testHost,
  words,
} from '../support/shells.ts'

const few = [anyShell]

const engine = 'podman'

describe('container, by a real podman', { tags: ['overlay', 'podman'] }, () => {
  resourceTable(
    'container',
    [
      {
        name: 'running, as specified',
        given: 'mkdir data; echo inside >data/f',
        wanted: at =>
          container('web', {
            engine,
            image,
            command: loop,
            env: { TOKEN: secret('two\nlines of $x'), PATH: '/bin', UID: 7, COUNT: 3 },
            volumes: [`${at('data')}:/data:ro`],
            labels: { owner: 'ann' },
            user: '1000:1000',
            workdir: '/data',
            restart: 'always',
          }),
        holds: `
          [ "$(podman exec web /bin/sh -c 'echo "$TOKEN|$COUNT|$PWD"; cat f; id -u')" = 'two
lines of $x|3|/data
inside
1000' ]
          [ "$(podman inspect -f '{{.Config.Labels.owner}} {{.HostConfig.RestartPolicy.Name}}' web)" = 'ann always' ]
          [ "$(podman ps -a --format '{{.Names}}')" = web ]`,
        note: /^created$/,
        drift: [
          'podman stop web',
          'podman rm -f web',
          `podman rm -f web; podman run -d --name web ${image} ${loop.map(each => `'${each}'`).join(' ')}`,
        ],
        cleanup: 'podman rm -f web',
      },
      {
        name: 'there and not running; and one that is to go',
        given: `podman run -d --name old ${image} ${loop.map(each => `'${each}'`).join(' ')}`,
        wanted: () => [
          container('idle', { engine, image, command: loop, state: 'stopped' }),
          container('old', { engine, state: 'absent' }),
        ],
        holds: '[ "$(podman ps -a --format "{{.Names}}")" = idle ] && [ -z "$(podman ps -q)" ]',
        drift: ['podman start idle', `podman create --name old ${image} /bin/sh`],
        cleanup: 'podman rm -f idle',
      },
    ],
    { host: podmanHost, shells: few },
  )

  describe('when the new one fails', () => {
    const on = podmanHost()
    const go = async (items: Items) => bring(on, few[0]!, await on.directory(), items)
    const running = `podman ps --format '{{.Names}} {{.ID}}'`

    test('the old one goes on', async () => {
      expect((await go(container('app', { engine, image, command: loop }))).error).toBeUndefined()
      const before = await on.script(running, '/')
      const bad = await go(container('app', { engine, image, command: ['/no/such/program'] }))
      expect(bad.error?.message).toBe(
        'the new container app does not start; the old one is there again',
      )
      expect(await on.script(running, '/')).toBe(before)
      const option = await go(
        container('app', { engine, image, command: loop, args: ['--no-such'] }),
      )
      expect(option.error?.message).toBe('could not make the container app; nothing has changed')
      expect(option.error?.output).toContain('--no-such')
      expect(await on.script(running, '/')).toBe(before)
      expect(await on.script(`podman ps -a --format '{{.Names}}'`, '/')).toBe('app\n')
      await on.script('podman rm -f app', '/')
    })
  })
})

/** The recorded contract of docker's commands: see fake-docker.sh. */
async function dockerHost(shell: Program) {
  const host = await testHost({ shell })
  const path = await fakePrograms(host.directory, {})
  const script = new URL('../support/fake-docker.sh', import.meta.url)
  await copyFile(script, join(path, 'docker'))
  await chmod(join(path, 'docker'), 0o755)
  await mkdir(join(path, 'registry'))
  await writeFile(join(path, 'registry/app:1'), 'sha256:aaa\n')
  await host.run({ name: 'eval', args: [`PATH=${path}:$PATH`] })
  return {
    run: (options: ContainerOptions, mode = {}) =>
      host.run(container('web', { image: 'app:1', ...options }).call, mode),
    log: async () => {
      const text = await readFile(join(path, 'log'), 'utf8')
      await rm(join(path, 'log'))
      return text
        .replaceAll(/-(new|old)-\w+/g, '-$1')
        .split('\n')
        .slice(0, -1)
    },
    containers: async () =>
      Promise.all(
        (await readdir(join(path, 'containers'))).map(async name => {
          const [state, id] = (await readFile(join(path, 'containers', name), 'utf8')).split('\n')
          return `${name.replace(/-(new|old)-\w+/, '-$1')} ${state} ${id}`
        }),
      ),
    path,
  }
}

describeEach(shells, 'container, by the contract of docker, under $name', shell => {
  test('made, left alone, made anew, started, stopped, removed', async () => {
    const { run, log, containers } = await dockerHost(shell)
    const spec = { ports: [80, '127.0.0.1:81:81/udp'], command: ['-x', 'a b'] }
    expect(await run(spec, { check: true })).toMatchObject({
      status: 'changed',
      note: words(shell, 'created'),
    })
    expect(await log()).toEqual([expect.stringMatching(/^container\|inspect\|/)])
    expect(await run(spec)).toMatchObject({ status: 'changed', note: words(shell, 'created') })
    expect(await log()).toEqual([
      expect.stringMatching(/^container\|inspect\|--format\|hw=.*\|web\|$/),
      'image|inspect|app:1|',
      'pull|-q|app:1|',
      expect.stringMatching(
        /^create\|--name\|web-new\|--label\|hostwright.specification=[0-9a-f]{64}\|--publish\|80:80\|--publish\|127.0.0.1:81:81\/udp\|app:1\|-x\|a b\|$/,
      ),
      'rename|web-new|web|',
      'start|web|',
    ])
    for (const check of [true, false])
      expect(await run(spec, { check })).toMatchObject({ status: 'ok', note: '' })
    expect(await log()).toHaveLength(2)
    expect(await run({ ...spec, ports: [80] })).toMatchObject({
      note: words(shell, 'specification'),
    })
    expect((await log()).slice(1)).toEqual([
      'image|inspect|app:1|',
      expect.stringMatching(/^create\|--name\|web-new\|/),
      'stop|web|',
      'rename|web|web-old|',
      'rename|web-new|web|',
      'start|web|',
      'rm|-f|web-old|',
    ])
    const stopped = { ...spec, ports: [80], state: 'stopped' } as const
    expect(await run(stopped)).toMatchObject({ status: 'changed', note: words(shell, 'stopped') })
    expect(await run(stopped)).toMatchObject({ status: 'ok' })
    expect(await containers()).toEqual(['web exited sha256:aaa'])
    expect(await run({ ...stopped, state: 'running' })).toMatchObject({
      note: words(shell, 'started'),
    })
    expect(await run({ image: undefined, state: 'absent' })).toMatchObject({
      note: words(shell, 'removed'),
    })
    expect(await run({ image: undefined, state: 'absent' })).toMatchObject({ status: 'ok' })
    expect(await containers()).toEqual([])
  })

  test('the values of its environment are in no arguments', async () => {
    const { run, log, path } = await dockerHost(shell)
    const value = `a 'b' "c" $d\nsecond line`
    await run({ env: { KEY: secret(value), PLAIN: 'plain-value', HOME: '/srv' } })
    const lines = await log()
    expect(lines.join('\n')).not.toMatch(/second line|plain-value/)
    expect(lines.find(line => line.startsWith('create'))).toContain(
      '--env|KEY|--env|PLAIN|--env|HOME=/srv|',
    )
    expect(await readFile(join(path, 'env-KEY'), 'utf8')).toBe(`${value}\n`)
    // Another value is another specification.
    expect(
      await run({ env: { KEY: secret('x'), PLAIN: 'plain-value', HOME: '/srv' } }),
    ).toMatchObject({
      note: 'specification',
    })
  })

  test('another image of the same name counts with pull: always only', async () => {
    const { run, containers, log, path } = await dockerHost(shell)
    await run({})
    await writeFile(join(path, 'registry/app:1'), 'sha256:bbb\n')
    expect(await run({})).toMatchObject({ status: 'ok' })
    // What the registry has is not asked with --check.
    expect(await run({ pull: 'always' }, { check: true })).toMatchObject({ status: 'ok' })
    expect((await log()).at(-1)).toMatch(/^image\|inspect/)
    expect(await run({ pull: 'always' })).toMatchObject({
      status: 'changed',
      note: words(shell, 'image'),
    })
    expect(await run({ pull: 'always' })).toMatchObject({ status: 'ok' })
    expect(await containers()).toEqual(['web running sha256:bbb'])
  })

  test('a new one that does not start leaves the old one', async () => {
    const { run, containers } = await dockerHost(shell)
    await run({})
    const bad = await run({ command: ['no-start'] })
    expect(bad).toMatchObject({ status: 'failed' })
    expect(bad.stderr.toString()).toContain(
      'the new container web does not start; the old one is there again',
    )
    expect(await containers()).toEqual(['web running sha256:aaa'])
    expect(await run({ args: ['--bad-option'] })).toMatchObject({ status: 'failed' })
    expect(await run({ image: 'none:1' })).toMatchObject({ status: 'failed' })
    expect(await containers()).toEqual(['web running sha256:aaa'])
    expect(await run({})).toMatchObject({ status: 'ok' })
  })

  test('says what is missing: the engine, or that it does not answer', async () => {
    const { run, path } = await dockerHost(shell)
    await writeFile(join(path, 'down'), '')
    const down = await run({})
    expect(down).toMatchObject({ status: 'failed' })
    expect(down.stderr.toString()).toMatch(/Cannot connect.*\ndocker does not answer\n$/)
    // That it was unknown hid that no earlier step starts the engine.
    expect(await run({}, { check: true })).toMatchObject({ status: 'failed' })
    const host = await testHost({ shell })
    await host.run({ name: 'eval', args: [`PATH=${host.directory}`] })
    for (const [engine, said] of [
      [undefined, 'docker or podman is not on this host; the package'],
      ['docker', 'docker is not on this host; the package that has it is docker.io'],
      ['podman', 'podman is not on this host; the package that has it is podman'],
    ] as const) {
      const none = await host.run(container('web', { image: 'x', engine }).call)
      expect(none).toMatchObject({ status: 'failed', code: 'tool_missing' })
      expect(none.stderr.toString()).toContain(said)
    }
  })
})

const refused: [string, () => unknown, RegExp][] = [
  [
    'a name with a blank',
    () => container('a b', { image: 'x' }),
    /not a valid name for a container/,
  ],
  ['no image', () => container('a', {}), /not the name of an image/],
  ['an image that is an option', () => container('a', { image: '--privileged' }), /not the name/],
  ['a port that is none', () => container('a', { image: 'x', ports: ['web'] }), /not a port/],
  ['a volume of one path', () => container('a', { image: 'x', volumes: ['data'] }), /not a volume/],
  [
    'a secret for the engine',
    () => container('a', { image: 'x', env: { PATH: secret('x') } }),
    /PATH/,
  ],
  ['--rm', () => container('a', { image: 'x', args: ['--rm'] }), /--rm is not for a recipe/],
  [
    'a restart policy',
    () => container('a', { image: 'x', restart: 'often' as never }),
    /not a restart/,
  ],
  ['a state', () => container('a', { image: 'x', state: 'up' as never }), /not one of running/],
  ['absent with an image', () => container('a', { image: 'x', state: 'absent' }), /has no image/],
  [
    'our own label',
    () => container('a', { image: 'x', labels: { 'hostwright.specification': '' } }),
    /label/,
  ],
  ['a NUL', () => container('a', { image: 'x', command: ['a\0b'] }), /NUL/],
]
test.each(refused)('refuses %s, with the recipe’s line', (_, declare, message) => {
  expect(declare).toThrow(message)
  expect(declare).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({ at: expect.stringContaining('container.test.ts:') }),
    }),
  )
})
