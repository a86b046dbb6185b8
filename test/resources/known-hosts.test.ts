/** @module-tag sshd */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createKeyPair } from '../../lib/lab/keys.ts'
import { knownHosts } from '../../lib/resources/editing/known-hosts.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import { awks, describeEach, testHost } from '../support/shells.ts'

// Also where there is no ssh-keygen, and these tests are only named.
const [one, two] = ['one', 'two'].map(name => createKeyPair(name).public.trim()) as [string, string]
const other =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNrby5/6P1QD2+Dx9KDUvsYau5bvwuIzbcie7zoezi3N5O9Nrwt6q4vTZfmtwwbRhPuPLuoxsEf96sdxXbptAdY= other'
const bare = (key: string) => key.split(' ').slice(0, 2).join(' ')

resourceTable(
  'knownHosts',
  [
    {
      name: 'a key in place of an old one, others staying',
      given: `printf '%s\\n' '# mine' 'a.example,B.example ${two}' 'b.example ${other}' 'c.example ${two}' >known`,
      wanted: at => knownHosts('b.example', { keys: one, path: at('known') }),
      holds: `[ "$(cat known)" = '# mine
a.example ${two}
b.example ${other}
c.example ${two}
b.example ${bare(one)}' ]`,
      drift: [
        `sed -i '$d' known`,
        `echo 'b.example ${two}' >>known; sed -i 's/^a.example/&,b.example/' known; sed -i '/^b.example.*two$/d' known`,
      ],
      note: '1 added, 1 removed',
    },
    {
      name: 'with a port, of an authority, and absent',
      given: `printf '%s\\n' 'old,x ${one}' 'old ${other}' >known`,
      wanted: at => [
        knownHosts('b', { keys: `b ${one}\nb ${other}\n`, port: 2222, path: at('port') }),
        knownHosts('*.example', { keys: [two], marker: 'cert-authority', path: at('signed') }),
        knownHosts('b', { keys: [two], marker: 'revoked', path: at('bad') }),
        knownHosts('old', { absent: true, path: at('known') }),
      ],
      holds: `[ "$(cat port signed bad known)" = '[b]:2222 ${bare(one)}
[b]:2222 ${bare(other)}
@cert-authority *.example ${bare(two)}
@revoked b ${bare(two)}
x ${one}' ] && [ "$(ssh-keygen -F b -f bad | tail -n 1)" = '@revoked b ${bare(two)}' ]`,
      note: 'created, 2 added',
    },
  ],
  { host: directoryHost },
)

describeEach(awks, 'with $name', awk => {
  test('finds hashed names as ssh-keygen does, and leaves those of others', async () => {
    const host = await testHost({ awk })
    const path = await host.write(
      `it's known`,
      `a ${two}\nb ${one}\n@revoked a ${two}\n[a]:2222 ${two}\n`,
    )
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' })
    const count = (name: string) => {
      try {
        const found = execFileSync('ssh-keygen', ['-F', name, '-f', path]).toString()
        return found.split('\n').filter(line => /^[^#]/.test(line) && !line.startsWith('@')).length
      } catch {
        return 0
      }
    }
    expect([count('a'), count('b'), count('[a]:2222')]).toEqual([1, 1, 1])
    const same = knownHosts('b', { keys: one, path }).call
    expect(await host.run(same)).toMatchObject({ status: 'ok' })
    const changed = knownHosts('A', { keys: one, path }).call
    expect(await host.run(changed)).toMatchObject({ status: 'changed', note: '1 added, 1 removed' })
    expect(await host.run(changed)).toMatchObject({ status: 'ok' })
    const text = (await host.read(`it's known`)).toString()
    expect(text).toContain(`\na ${bare(one)}\n`)
    expect(text).toMatch(/^@revoked /m)
    expect(await host.run(knownHosts('a', { absent: true, port: 2222, path }).call)).toMatchObject({
      note: '1 removed',
    })
    expect([count('a'), count('b'), count('[a]:2222')]).toEqual([1, 1, 0])
  })
})

describe('what can’t be is refused', () => {
  test.each([
    ['a name with a quote', "a'b", { keys: one }, 'is not a name'],
    ['two names', 'a,b', { keys: one }, 'is not a name'],
    ['a port', 'a', { keys: one, port: 0 }, 'is not a port'],
    ['no key', 'a', {}, 'give its keys'],
    ['a damaged key', 'a', { keys: 'ssh-ed25519 AAAA' }, 'damaged'],
    ['a marker', 'a', { keys: one, marker: 'x' as never }, 'cert-authority or revoked'],
  ])('%s', (_, name, options, message) => {
    expect(() => knownHosts(name, options)).toThrow(message)
  })
})
