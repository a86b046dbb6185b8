import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aptRepo } from '../../lib/resources/packages/apt-repo.ts'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import { packageHost, packageManagers } from '../support/package-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, temporaryDirectory } from '../support/shells.ts'

const [apt] = packageManagers

/** Makes the repository a signed one, at /srv/signed, with a key in /srv/key.asc and /srv/key.gpg. */
const sign = `. /srv/functions
export GNUPGHOME=/root/gpg$other
[ -d $GNUPGHOME ] || {
  mkdir -m 700 $GNUPGHOME
  gpg -q --batch --passphrase '' --quick-gen-key t@t.t ed25519 sign never 2>/dev/null
  gpg -q --armor --export >/srv/key.asc
  gpg -q --export >/srv/key.gpg
}
rm -rf /srv/repository/* /etc/apt/keyrings/*
offer hwalpha "$version"
publish
cd /srv/repository
printf '%s\\n' 'Origin: t' "Date: $(LC_ALL=C date -Ru)" 'SHA256:' \\
  " $(sha256sum <Packages | cut -d' ' -f1) $(stat -c %s Packages) Packages" >Release
gpg -q --batch --yes --clearsign -o InRelease Release`

const local = { uris: 'file:/srv/repository', suites: './' }

describe('aptRepo', { tags: ['overlay', 'apt', 'gpg'] }, () => {
  let armored = ''
  let bytes = Buffer.alloc(0)
  let origin = ''
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    response.end(request.url === '/key.gpg' ? bytes : armored)
  })
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())

  const signedHost = () => {
    const host = packageHost(apt!)
    // biome-ignore lint/suspicious/noDuplicateTestHooks: it is of the describe that calls this
    beforeAll(async () => {
      await host.script(`rm -f /etc/apt/sources.list\nother='' version=1.0\n${sign}`, '/')
      armored = await host.script('cat /srv/key.asc', '/')
      bytes = Buffer.from(await host.script('base64 /srv/key.gpg', '/'), 'base64')
    })
    return host
  }
  const dash = [anyShell]
  const at = '/etc/apt/sources.list.d/own.sources'

  resourceTable(
    'with a key',
    [
      {
        name: 'a key in its own keyring',
        wanted: () => aptRepo('own', { ...local, key: armored }),
        holds: `grep -qx 'Signed-By: /etc/apt/keyrings/own.asc' ${at}
cmp /srv/key.asc /etc/apt/keyrings/own.asc
[ "$(stat -c %a ${at} /etc/apt/keyrings/own.asc)" = "644
644" ]`,
        drift: [
          'echo >/etc/apt/keyrings/own.asc',
          `chmod 600 ${at}`,
          `rm ${at} /etc/apt/keyrings/own.asc`,
        ],
        note: 'key, created',
      },
      {
        name: 'absent',
        given: `touch ${at} /etc/apt/keyrings/own.gpg`,
        wanted: () => aptRepo('own', { absent: true }),
        holds: `[ ! -e ${at} ] && [ ! -e /etc/apt/keyrings/own.gpg ]`,
        drift: [`touch ${at}`],
        note: 'removed',
      },
      {
        name: 'without a key, switched off',
        given: `rm -f ${at}`,
        wanted: () =>
          aptRepo('own', { ...local, suites: ['a', 'b'], components: 'c', enabled: false }),
        holds: `[ "$(cat ${at})" = "Enabled: no
Types: deb
URIs: file:/srv/repository
Suites: a b
Components: c" ]`,
        drift: [`echo >>${at}`],
      },
    ],
    { host: signedHost, shells: dash },
  )

  describe('its index and its key', () => {
    const host = signedHost()
    const go = (...wanted: Parameters<typeof bring>[3][]) => bring(host, anyShell, '/srv', wanted)

    test('is fetched before the next package, also where all others were', async () => {
      await host.script(`other='' version=1.0\n${sign}`, '/')
      const first = await go(pkg('hwalpha', { latest: true }))
      expect(first.error?.message).toContain("can't be installed")
      const { notes, error } = await go(
        pkg('dpkg', { latest: true }),
        aptRepo('own', { ...local, key: { path: await fileOf(bytes) } }),
        pkg('hwalpha'),
      )
      expect(error).toBeUndefined()
      expect(notes).toEqual([undefined, 'key, created', 'hwalpha 1.0'])
    })

    test('by URL is fetched by the controller, only if the host has it not', async () => {
      await host.script(`rm -f ${at}\nother='' version=1.0\n${sign}`, '/')
      for (const [name, content] of [
        ['key.asc', Buffer.from(armored)],
        ['key.gpg', bytes],
      ] as const) {
        const sha256 = createHash('sha256').update(content).digest('hex')
        const wanted = () => aptRepo('own', { ...local, key: { url: `${origin}/${name}`, sha256 } })
        asked.length = 0
        expect(await go(wanted())).toMatchObject({ error: undefined, statuses: ['changed'] })
        expect(asked).toEqual([`/${name}`])
        expect(await go(wanted())).toMatchObject({ error: undefined, statuses: ['ok'] })
        expect(asked).toHaveLength(1)
        expect(await host.script('ls /etc/apt/keyrings', '/')).toContain(`own.${name.slice(4)}\n`)
      }
    })

    test('by URL with another checksum changes nothing', async () => {
      const key = { url: `${origin}/key.asc`, sha256: '0'.repeat(64) }
      const { error } = await go(aptRepo('other', { ...local, key }))
      expect(error).toMatchObject({ code: 'checksum_mismatch' })
      expect(await host.script('ls /etc/apt/sources.list.d', '/')).not.toContain('other')
    })

    test('of a repository that another key signed fails the package, not silently another’s', async () => {
      await host.script(`rm -f ${at}\nother=2 version=2.0\n${sign}`, '/')
      const { error, statuses } = await go(
        aptRepo('own', { ...local, key: armored }),
        pkg('hwalpha', { version: '2.0' }),
      )
      expect(statuses).toEqual(['changed', 'failed'])
      expect(error!.message).toBe("can't fetch the index of a repository that changed")
      expect(error!.output).toContain('/srv/repository')
    })

    // The test above passed: it never ran again, when the shell that knew of the change was gone.
    test('stays due in later runs until it is fetched, whatever else has the package', async () => {
      await host.script(
        `rm -f ${at}\ndpkg -P hwalpha\nother='' version=1.0\n${sign}\n. /srv/functions
cp -R /srv/repository /srv/elsewhere && cd /srv/repository && rm -f * && offer hwalpha 3.0 && mv *.deb /srv/elsewhere/
cd /srv/elsewhere && rm -f InRelease Release && dpkg-scanpackages -m . >Packages 2>/dev/null
echo 'deb [trusted=yes] file:/srv/elsewhere ./' >/etc/apt/sources.list
apt-get -qq update`,
        '/',
      )
      // The repository can't be fetched: its InRelease is gone.
      const run = (...more: Parameters<typeof go>) =>
        go(aptRepo('own', { ...local, key: armored }), pkg('hwalpha'), ...more)
      const runs = [await run(), await run()]
      expect(runs.map(({ statuses }) => statuses)).toEqual([
        ['changed', 'failed'],
        ['ok', 'failed'],
      ])
      expect(runs[1]!.error!.message).toBe("can't fetch the index of a repository that changed")
      const looked = await bring(host, anyShell, '/srv', [pkg('hwalpha')], { check: true })
      expect(looked.error?.message).toBe("can't fetch the index of a repository that changed")
      await host.script(`other='' version=4.0\n${sign}`, '/')
      const last = await run()
      expect(last.error).toBeUndefined()
      expect(last.notes).toEqual(['key', 'hwalpha 4.0'])
      expect(await host.script('ls -A /etc/apt/sources.list.d', '/')).toBe('own.sources\n')
    })
  })

  test.each([
    [{}, 'needs uris'],
    [{ uris: 'deb.example.org', suites: 'x/' }, 'no https:'],
    [{ uris: 'https://x.org', suites: 'x' }, 'needs components'],
    [{ ...local, components: 'main' }, 'needs components'],
    [{ ...local, key: 'ABCD' }, 'not a public key'],
    [{ ...local, key: { path: '/none' } }, '/none'],
    [{ ...local, key: { url: 'https://x.org/key' } as never }, 'sha256'],
    [{ ...local, suites: './\nTrusted: yes' }, 'suites'],
    [{ ...local, fields: { 'Signed-By': '/x' } }, 'option of its own'],
    [{ ...local, absent: true }, 'can’t be combined with absent'],
  ])('refuses %j, with the line of the recipe', (options, message) => {
    const declared = () => aptRepo('own', options)
    expect(declared).toThrow(message)
    expect(declared).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ at: expect.stringMatching(/apt-repo\.test\.ts:\d+$/) }),
      }),
    )
  })

  test('refuses a name that apt would pass over', () => {
    expect(() => aptRepo('own repo', local)).toThrow('can’t be the name')
  })
})

/** A file of the controller with this content, gone with the test. */
async function fileOf(content: Buffer): Promise<string> {
  const path = `${await temporaryDirectory()}/key`
  await writeFile(path, content)
  return path
}
