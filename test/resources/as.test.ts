/** Steps of other users: one session each over the same connection. */
import { beforeAll, describe, expect, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { createSessions } from '../../lib/host/sessions.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import { changed, succeeds } from '../../lib/resources/conditions.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler, task } from '../../lib/resources/resource.ts'
import { user } from '../../lib/resources/users/user.ts'
import { openSession } from '../../lib/session/session.ts'
import { secret } from '../../lib/shell/secret.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

describe('as another user', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const shell = anyShell
  beforeAll(async () => {
    await host.script(
      `useradd --create-home --shell /bin/sh deploy
      useradd --create-home --shell /usr/sbin/nologin app
      useradd --create-home lone
      printf 'deploy ALL=(app) NOPASSWD: ALL\\n' >/etc/sudoers.d/deploy`,
      '/srv',
    )
  })
  const at = () => host.directory()

  test('what is made is theirs, by root without a password and whatever their login shell', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at"', directory)
    const items = [
      file(`${directory}/root`, { content: 'x' }),
      file(`${directory}/app`, { content: 'x', as: 'app' }),
      command(`id -un >${directory}/id; pwd; echo "$HOME $USER" >>${directory}/id`, { as: 'app' }),
    ]
    const { error, statuses } = await bring(host, shell, directory, items)
    expect(error).toBeUndefined()
    expect(statuses).toEqual(['changed', 'changed', 'changed'])
    expect(await host.script('stat -c %U root app; cat id', directory)).toBe(
      'root\napp\napp\n/home/app app\n',
    )
  })

  test('a user may be named by number', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at"', directory)
    const id = (await host.script('id -u app', directory)).trim()
    const made = file(`${directory}/by-number`, { content: 'x', as: id })
    expect((await bring(host, shell, directory, made)).error).toBeUndefined()
    expect(await host.script('stat -c %U by-number', directory)).toBe('app\n')
  })

  test('goes for all of a task but what says otherwise, and keeps the order', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at"', directory)
    await host.script('touch log && chmod 666 log', directory)
    const say = (name: string, more = {}) =>
      command(`echo "${name} $(id -un)" >>${directory}/log`, more)
    const list = [
      say('0'),
      task('t', () => [say('1'), say('2', { as: 'lone' }), say('3')], { as: 'app' })(),
      say('4'),
    ]
    const { error } = await bring(host, shell, directory, list)
    expect(error).toBeUndefined()
    expect(await host.script('cat log', directory)).toBe('0 root\n1 app\n2 lone\n3 app\n4 root\n')
  })

  test('conditions and handlers reach across users', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at" && touch log && chmod 666 log', directory)
    const say = (name: string, more = {}) =>
      command(`echo "${name} $(id -un)" >>${directory}/log`, { title: name, ...more })
    const asRoot = handler(say('reload'))
    const asApp = handler(say('note', { as: 'app' }))
    const made = file(`${directory}/app`, { content: 'x', as: 'app', notify: [asRoot, asApp] })
    const list = [made, say('after', { when: changed(made) })]
    expect((await bring(host, shell, directory, list)).error).toBeUndefined()
    expect(await host.script('cat log', directory)).toBe('after root\nreload root\nnote app\n')
    expect((await bring(host, shell, directory, list)).statuses).toEqual(['ok', 'skipped'])
    await host.script('rm app', directory)
    // Both of one user: the step, the handler, and nothing in between.
    const alone = file(`${directory}/app`, { content: 'x', as: 'app', notify: asApp })
    expect((await bring(host, shell, directory, alone)).statuses).toEqual(['changed', 'changed'])
    await host.script("sed -i '$d' log", directory)
    expect(await host.script('cat log', directory)).toBe('after root\nreload root\nnote app\n')
  })

  test('a handler that another user’s step made due is remembered when the run fails', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at"', directory)
    const note = handler(command(`touch ${directory}/noted`, { title: 'note' }))
    const made = file(`${directory}/app`, { content: 'x', as: 'app', notify: note })
    const first = await bring(host, shell, directory, [made, command('exit 3')])
    expect(first.error).toMatchObject({ code: 'step_failed' })
    expect(await host.script('cat .bootstrap/handlers', directory)).toContain('"title":"note"')
    expect((await bring(host, shell, directory, [made])).statuses).toEqual(['ok', 'changed'])
    expect(await host.script('ls', directory)).toContain('noted')
  })

  test('a handler that another user’s step made due is remembered when that user’s shell dies', async () => {
    const directory = await at()
    await host.script('chmod 1777 "$at"', directory)
    const note = handler(command(`touch ${directory}/noted`, { title: 'note' }))
    const [same, made] = ['same', 'app'].map(name =>
      file(`${directory}/${name}`, { content: 'x', as: 'app', notify: note }),
    )
    const idle = file(`${directory}/same`, {
      content: 'x',
      as: 'app',
      notify: handler(command('false')),
    })
    expect((await bring(host, shell, directory, [same!])).statuses).toEqual(['changed', 'changed'])
    expect((await bring(host, shell, directory, [same!, idle])).error).toBeUndefined()
    // What did not change anything made nothing due.
    expect(await host.script('ls .bootstrap', directory)).not.toContain('handlers')
    const die = command('kill -KILL "$PPID"', { as: 'app' })
    expect((await bring(host, shell, directory, [made!, die])).error).toMatchObject({
      code: 'shell_failed',
    })
    expect(await host.script('cat .bootstrap/handlers', directory)).toContain('"title":"note"')
  })

  /** Sessions of a login that is not root. */
  const sessionsOf = async (login: string) => {
    const enter = ['nsenter', '--target', String(host.pid()), '--mount', '--pid', '--uts']
    const { uid } = { uid: (await host.script(`id -u ${login}`, '/srv')).trim() }
    const drop = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--init-groups']
    const base = connectLocal()
    const transport = {
      ...base,
      open: (words: readonly string[] = ['sh']) => base.open([...enter, ...drop, ...words]),
    }
    const session = await openSession({ transport, bootstrapDir: `/home/${login}/.bootstrap` })
    return createSessions({ transport, session }, () => Promise.reject(new Error('no')))
  }

  test('a login that is not root asks sudo, which asks nothing', async () => {
    const sessions = await sessionsOf('deploy')
    const session = await sessions.as('app')
    const [result] = await session.segment([{ call: command('id -un').call }], {
      check: false,
      diff: false,
    })
    expect(result!.stdout.toString()).toBe('app\n')
    expect(await sessions.as('app')).toBe(session)
    await sessions.close()
  })

  test.each([
    ['that sudo refuses', 'deploy', 'lone'],
    ['that sudo refuses everything', 'lone', 'app'],
  ])('a user %s fails with the reason, and at once', async (_, login, user) => {
    const sessions = await sessionsOf(login)
    await expect(sessions.as(user)).rejects.toMatchObject({
      code: 'user_refused',
      message: `this login can’t work as ${user}`,
      details: { output: expect.stringMatching(/password is required|no such user|not allowed/) },
    })
    await sessions.close()
  })

  test('a user that is not there fails the step, with its line', async () => {
    const directory = await at()
    const items = [command('true', { as: 'nobody-there' }), command('true')]
    const { error, statuses } = await bring(host, shell, directory, items)
    expect(statuses).toEqual(['failed', 'skipped'])
    expect(error).toMatchObject({
      code: 'user_missing',
      message: 'there is no user nobody-there on this host',
      step: 'command true',
      at: expect.stringMatching(/as\.test\.ts:\d+$/),
    })
  })

  test('with --check a user that is not there may come by a step before', async () => {
    const directory = await at()
    const asTheirs = file(`${directory}/b`, { content: 'x', as: 'nobody-there' })
    const items = [user('nobody-there'), asTheirs, command('true')]
    const checked = await bring(host, shell, directory, items, { check: true, diff: true })
    expect(checked.error).toBeUndefined()
    expect(checked.statuses).toEqual(['changed', 'changed', 'changed'])
    const alone = await bring(host, shell, directory, asTheirs, { check: true })
    expect(alone.error).toMatchObject({ code: 'user_missing' })
    // Any change before it was taken for what would bring the user.
    const other = [file(`${directory}/a`, { content: 'x' }), asTheirs]
    const unexplained = await bring(host, shell, directory, other, { check: true })
    expect(unexplained.error).toMatchObject({ code: 'user_missing' })
  })

  describe('what runs once a run', () => {
    /** A directory that all may write to, and a bootstrap_dir that nobody else may look into. */
    const place = async () => {
      const directory = await at()
      await host.script('chmod 1777 "$at"', directory)
      return directory
    }
    const awkward = 'a \'b" $c\nd\n\n e'

    test('runs as that user with its environment, input and directory, and leaves them no record', async () => {
      const directory = await place()
      const line =
        'echo x >>ran; id -un; pwd; printf %s "$A" | od -An -c; echo "$HOME $USER"; umask; cat; echo err >&2; exit 3'
      const items = (plain: boolean) =>
        command(`{ ${line}; } >${directory}/${plain ? 'plain' : 'once'} 2>&1`, {
          as: 'app',
          cwd: directory,
          env: { A: secret(awkward) },
          input: Buffer.from([...Array(256).keys()]),
          okExitStatus: 3,
          // What only looks is not remembered, and runs in that user's own session.
          ...(plain && { changedWhen: false }),
        })
      const go = (attempt: number) =>
        bring(host, shell, directory, [items(true), items(false)], { run: 'r1', attempt })
      expect(await go(1)).toMatchObject({ error: undefined, statuses: ['ok', 'changed'] })
      const said = await host.script('cat once', directory)
      expect(said).toContain(`app\n${directory}\n`)
      expect(said).toBe(await host.script('cat plain', directory))
      const again = await go(2)
      expect(again.notes.at(-1)).toBe('begun in an earlier attempt')
      expect(await host.script('wc -l <ran', directory)).toBe('3\n')
      expect(await host.script('find .bootstrap -user app', directory)).toBe('')
      expect(await host.script(`grep -rlF 'a '\\''b" $c' .bootstrap || echo none`, directory)).toBe(
        'none\n',
      )
    })

    test('is a script as well, which that user can read, and which is gone afterwards', async () => {
      const directory = await place()
      const text = `#!/bin/sh\nid -un >>${directory}/ran; cat >>${directory}/ran; stat -c %U "$HOSTWRIGHT_SCRIPT" >>${directory}/ran\n`
      const items = [
        script({ text }, { as: 'app', input: 'given\n' }),
        script({ text: text.padEnd(50_000, '#') }, { as: 'app', input: 'long\n' }),
        script({ text: secret(text) }, { input: 'own\n' }),
      ]
      const go = (attempt: number) => bring(host, shell, directory, items, { run: 'r1', attempt })
      expect(await go(1)).toMatchObject({ error: undefined })
      expect(await go(2)).toMatchObject({ error: undefined })
      expect(await host.script('cat ran', directory)).toBe(
        'app\ngiven\napp\napp\nlong\napp\nroot\nown\nroot\n',
      )
      expect(await host.script('ls -d /tmp/hostwright-* || echo none', directory)).toBe('none\n')
      expect(
        await host.script('grep -rl HOSTWRIGHT_SCRIPT .bootstrap || echo none', directory),
      ).toBe('none\n')
    })

    test('asks that user for its condition', async () => {
      const directory = await place()
      const say = (word: string) => ({
        when: succeeds(`test "$(id -un)" = ${word}`),
        as: 'app',
        title: word,
      })
      const items = ['app', 'root'].map(word =>
        command(`echo ${word} >>${directory}/ran`, say(word)),
      )
      const { error, statuses } = await bring(host, shell, directory, items, { run: 'r1' })
      expect({ error, statuses }).toEqual({ error: undefined, statuses: ['changed', 'skipped'] })
      expect(await host.script('cat ran', directory)).toBe('app\n')
    })

    test('is due as a handler, and makes handlers due', async () => {
      const directory = await place()
      await host.script('touch log && chmod 666 log', directory)
      const say = (name: string, more = {}) =>
        command(`echo "${name} $(id -un)" >>${directory}/log`, { title: name, ...more })
      const last = handler(say('last'))
      const note = handler(say('note', { as: 'app', notify: last }))
      const idle = handler(say('idle', { as: 'app' }))
      const made = file(`${directory}/app`, { content: 'x', as: 'app', notify: note })
      const same = file(`${directory}/log`, { mode: 0o666, notify: idle })
      const list = [same, made, say('act', { as: 'app' })]
      const { error } = await bring(host, shell, directory, list, { run: 'r1' })
      expect(error).toBeUndefined()
      expect(await host.script('cat log', directory)).toBe('act app\nnote app\nlast root\n')
      expect(await host.script('ls .bootstrap', directory)).toBe('log\nruns\n')
    })

    test('ends after its time, as the command of a login that is not root too', async () => {
      const directory = await place()
      const long = command(`echo x >>${directory}/ran; sleep 60`, { as: 'app', timeout: '1s' })
      const { error } = await bring(host, shell, directory, long, { run: 'r1' })
      expect(error).toMatchObject({ code: 'wait_timeout' })
      const sessions = await sessionsOf('deploy')
      await sessions.as('app')
      const claim = { run: 'r1', attempt: 1, recipe: 'r', owner: 'o', controller: 'c', time: 't' }
      await sessions.main.call(lockCall(claim))
      const line = 'echo "$(id -un) $A $HOSTWRIGHT_KEY"; cat; sleep 60'
      const call = command(line, { env: { A: secret(awkward) }, input: 'in' }).call
      const effect = { key: 'k', title: 't', user: 'app' }
      let said = ''
      const output = (_: unknown, chunk: Buffer) => {
        said += chunk
        if (said.endsWith('in')) sessions.main.kill().catch(() => {})
      }
      const settings = { check: false, diff: false }
      const [result] = await sessions.main.segment(
        [{ call: { ...call, effect }, listener: { output } }],
        settings,
      )
      expect(result).toMatchObject({ status: 'failed', exitStatus: expect.any(Number) })
      // The shell may add what ended its child.
      expect(said.startsWith(`app ${awkward} r1-k\nin`)).toBe(true)
      await sessions.close()
    })
  })

  test.each(['', '-x', 'a b', "a'b", 'a\nb', '$(x)'])(
    'a name that can be no user’s is refused before a host is touched: %j',
    name => {
      expect(() => file('/f', { content: 'x', as: name })).toThrow('is not a valid user name')
    },
  )
})
