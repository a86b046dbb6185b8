/**
 * Jobs as cron itself reads them: a real cron, in an overlay host, starts jobs of @reboot at once.
 * The older tests of cron compared texts with what we took for right.
 * @module-tag overlay
 * @module-tag cron
 */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isBootstrapError } from '../../lib/errors.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { Items, Resource } from '../../lib/resources/resource.ts'
import { type CronOptions, cron } from '../../lib/resources/system/cron.ts'
import { awkwardLine, many, once } from '../support/awkward.ts'
import { accountsBusybox } from '../support/busybox.ts'
import { overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const host = overlayHost()
const go = (items: Items) => bring(host, anyShell, '/srv', items)

/** busybox's looks after its jobs only now and then. */
const crons = {
  cron: {
    start: 'cron -f',
    ended: 'until [ -z "$(cat /proc/$running/task/$running/children)" ]; do sleep 0.1; done',
  },
  busybox: { start: 'crond -f', ended: ':' },
}

/**
 * Starts cron, and waits until so many jobs have left a file in /srv/out, or half a minute, and all have ended.
 * @returns what each job left
 */
async function runCron(
  host: ResourceHost,
  count: number,
  { start, ended } = crons.cron,
): Promise<Record<string, string>> {
  const printed = await host.script(
    `rm -rf out; mkdir out; chmod 777 out; rm -f /run/crond.reboot
     ${start} >/dev/null 2>&1 & running=$!
     for each in $(seq 300); do
       kill -0 $running
       [ "$(ls out | wc -l)" -lt ${count} ] || break
       sleep 0.1
     done
     ${ended}
     kill $running; wait $running || :
     cd out; for each in *; do
       [ ! -e "$each" ] || printf '%s %s\\n' "$each" "$(base64 -w0 "$each")"
     done`,
    '/srv',
  )
  const rows = printed.split('\n').filter(row => row !== '')
  return Object.fromEntries(
    rows.map(row => {
      const [name, content = ''] = row.split(' ')
      return [name!, Buffer.from(content, 'base64').toString()]
    }),
  )
}

const clean = () => host.script('rm -f /etc/cron.d/hw-*', '/srv')
const job = (name: string, options: CronOptions) =>
  cron(`hw-${name}`, { schedule: '@reboot', ...options })

test('every value of the environment, and every command, arrives as it was given', async () => {
  const edges: Record<string, CronOptions> = {
    empty: { env: { MAILTO: '' }, command: 'printf "[%s]" "$MAILTO" >/srv/out/empty' },
    long: { env: { A: 'x'.repeat(996) }, command: 'printf %s "$A" >/srv/out/long' },
    wide: { command: `printf w >/srv/out/wide #${'y'.repeat(998 - 27)}` },
    user: { user: 'nobody', command: 'id -un >/srv/out/user' },
    percent: { command: `printf '100%%|%s' a%b >/srv/out/percent` },
  }
  await go(Object.entries(edges).map(([name, options]) => job(name, options)))
  expect(await runCron(host, Object.keys(edges).length)).toEqual({
    empty: '[]',
    long: 'x'.repeat(996),
    wide: 'w',
    user: 'nobody\n',
    percent: '100%|a%b',
  })
  await clean()
})

test('200 generated values reach the job, or are refused when declared', async () => {
  const quoted = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`
  await fc.assert(
    fc.asyncProperty(many(awkwardLine), async values => {
      const jobs: Resource[] = []
      const wanted: Record<string, string> = {}
      for (const [index, value] of values.entries()) {
        const declared: [string, () => Resource][] = [
          [
            `v${index}`,
            () =>
              job(`v${index}`, {
                env: { V: value },
                command: `printf '%s' "$V" >/srv/out/v${index}`,
              }),
          ],
          [
            `c${index}`,
            () => job(`c${index}`, { command: `printf '%s' ${quoted(value)} >/srv/out/c${index}` }),
          ],
        ]
        for (const [name, declare] of declared) {
          try {
            jobs.push(declare())
            wanted[name] = value
          } catch (error) {
            if (!isBootstrapError(error)) throw error
            expect(error.code).toBe('recipe_invalid')
          }
        }
      }
      expect(jobs.length).toBeGreaterThan(values.length)
      const { error } = await go(jobs)
      expect(error).toBeUndefined()
      expect(await runCron(host, jobs.length)).toEqual(wanted)
      await clean()
    }),
    once,
  )
})

describe('what cron would refuse or change is refused when declared', () => {
  const daily = { schedule: '@daily', command: 'x' }
  test.each<[string, CronOptions, string]>([
    ['a longer command', { ...daily, command: 'x'.repeat(999) }, '999 bytes'],
    ['one whose signs are long', { ...daily, command: '%'.repeat(500) }, '1000 bytes'],
    ['one beyond ASCII', { ...daily, command: 'é'.repeat(500) }, '1000 bytes'],
    ['a longer variable', { ...daily, env: { A: 'x'.repeat(997) } }, '999 bytes'],
    ['blanks at the end of a value', { ...daily, env: { A: ' a ' } }, 'ends with a blank'],
    ['quotes around a value', { ...daily, env: { A: '"a"' } }, 'which cron would take away'],
    ['a backslash before %', { ...daily, command: 'date +\\%F' }, 'which crons read differently'],
    ['two backslashes', { ...daily, command: 'echo a\\\\b' }, 'which crons read differently'],
    ['a backslash at the end', { ...daily, command: 'echo a\\' }, 'which crons read differently'],
  ])('%s', (_, options, message) => {
    expect(() => cron('a', options)).toThrow(message)
  })
})

test.each([
  {
    name: 'a user who is not there',
    given: ':',
    after: ':',
    user: 'no-one',
    error: { code: 'step_failed', message: /there is no user no-one/ },
  },
  {
    // Other packages bring /etc/cron.d: the older test took the directory away.
    name: 'a host with /etc/cron.d and no cron',
    given: 'mv /usr/sbin/cron /srv/cron',
    after: 'mv /srv/cron /usr/sbin/cron',
    user: 'root',
    error: { code: 'tool_missing', message: /a cron that reads \/etc\/cron.d/ },
  },
  {
    name: 'a host whose only crond is busybox’s',
    given: 'mv /usr/sbin/cron /srv/cron; ln -s "$(command -v busybox)" /usr/local/bin/crond',
    after: 'mv /srv/cron /usr/sbin/cron; rm /usr/local/bin/crond',
    user: 'root',
    error: { code: 'tool_missing', message: /a cron that reads \/etc\/cron.d/ },
  },
])('for $name there is no job, and the step fails', async ({ given, after, user, error }) => {
  await host.script(given, '/srv')
  const wanted = cron('hw-none', { schedule: '@daily', command: 'x', user })
  const looked = await bring(host, anyShell, '/srv', wanted, { check: true })
  const behind = await bring(host, anyShell, '/srv', [command('true'), wanted], { check: true })
  const done = await go(wanted)
  await host.script(`${after}; [ ! -e /etc/cron.d/hw-none ]`, '/srv')
  expect(behind.notes[1]).toMatch(/^unknown: an earlier step may bring /)
  for (const each of [looked, done])
    expect(each.error).toMatchObject({
      code: error.code,
      message: expect.stringMatching(error.message),
    })
})

test('a job of Ansible’s in a crontab becomes ours, also one that is turned off', async () => {
  const lines = [
    '#Ansible: nightly run',
    '0 1 * * * old',
    '#Ansible: off',
    '#0 2 * * * off',
    '#Ansible: other',
    '0 3 * * * other',
  ]
  await host.script(`printf '%s\\n' '${lines.join("' '")}' | crontab -u nobody -`, '/srv')
  const entry = { user: 'nobody', where: 'crontab' } as const
  const items = [
    cron('nightly run', { ...entry, schedule: '0 1 * * *', command: 'new' }),
    cron('off', { ...entry, absent: true }),
  ]
  expect((await go(items)).notes).toEqual(['content', 'removed'])
  expect((await go(items)).statuses).toEqual(['ok', 'ok'])
  expect(await host.script('crontab -u nobody -l; crontab -u nobody -r', '/srv')).toBe(
    '# hostwright: nightly run\n0 1 * * * new\n#Ansible: other\n0 3 * * * other\n',
  )
})

// Tests of crontabs before this one read them with Debian's crontab, and ran none of their jobs.
describe('by busybox', { tags: ['accounts-busybox'] }, () => {
  const busybox = overlayHost()
  const quoted = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`
  beforeAll(async () => {
    // As Alpine has it: crond and crontab are links to the one program.
    await busybox.script(
      `rm -f /usr/sbin/cron /usr/bin/crontab; cp ${accountsBusybox} /bin/busybox
       ln -s /bin/busybox /usr/sbin/crond; ln -s /bin/busybox /usr/bin/crontab
       mkdir -p /var/spool/cron/crontabs`,
      '/srv',
    )
  })

  test('200 generated commands of a crontab run as they were given, and stay as they are', async () => {
    await fc.assert(
      fc.asyncProperty(many(awkwardLine), async values => {
        const jobs: Resource[] = []
        const wanted: Record<string, string> = {}
        for (const [index, value] of values.entries()) {
          // What is being written has another name.
          const command = `printf '%s' ${quoted(value)} >/srv/out/.v${index}; mv /srv/out/.v${index} /srv/out/v${index}`
          try {
            jobs.push(cron(`v${index}`, { where: 'crontab', schedule: '@reboot', command }))
            wanted[`v${index}`] = value
          } catch (error) {
            expect(error).toMatchObject({ code: 'recipe_invalid' })
          }
        }
        const brought = await bring(busybox, anyShell, '/srv', jobs)
        expect(brought.error).toBeUndefined()
        expect(await runCron(busybox, jobs.length, crons.busybox)).toEqual(wanted)
        const again = await bring(busybox, anyShell, '/srv', jobs)
        expect(new Set(again.statuses)).toEqual(new Set(['ok']))
        await busybox.script('crontab -r', '/srv')
      }),
      once,
    )
  })

  test('a user’s job runs as that user, and is gone when it is absent', async () => {
    const entry = { where: 'crontab', user: 'nobody' } as const
    await bring(
      busybox,
      anyShell,
      '/srv',
      cron('who', {
        ...entry,
        ...{ schedule: '@reboot', command: 'id -un >/srv/out/.who; mv /srv/out/.who /srv/out/who' },
      }),
    )
    expect(await runCron(busybox, 1, crons.busybox)).toEqual({ who: 'nobody\n' })
    const gone = cron('who', { ...entry, absent: true })
    expect((await bring(busybox, anyShell, '/srv', gone)).notes).toEqual(['removed'])
    expect((await bring(busybox, anyShell, '/srv', gone)).statuses).toEqual(['ok'])
  })
})
