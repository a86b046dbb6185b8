import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { pkg } from '../../lib/resources/pkg.ts'
import {
  fakePrograms,
  type Program,
  shells,
  temporaryDirectory,
  testHost,
} from '../support/shells.ts'

/** A host with a package system of its own: a file of `name=version` lines, and one of what is to be had. */
async function aptHost(shell: Program, installed: string[], available: string[]) {
  const home = await temporaryDirectory()
  const file = (name: string) => `${home}/${name}`
  await writeFile(file('installed'), installed.map(line => `${line}\n`).join(''))
  await writeFile(file('available'), available.map(line => `${line}\n`).join(''))
  await writeFile(file('log'), '')
  const log = (name: string) => `printf '%s\\n' "${name} $*" >>'${file('log')}'`
  const path = await fakePrograms(home, {
    // Prints what the real one prints for this format, and 1 if a package is unknown to it.
    'dpkg-query': `${log('dpkg-query')}
format=$3; shift 4; status=0
for name; do
  line=$(grep "^\${name%:amd64}=" '${file('installed')}') || { echo "no $name" >&2; status=1; continue; }
  word=installed version=\${line#*=}
  [ -n "$version" ] || word=config-files
  printf %s "$format" | sed "s/.{db:Status-Status}/$word/g; s/.{Package}/\${line%%=*}/g
    s/.{Version}/$version/g; s/.{Architecture}/amd64/g" | sed 's/\\\\n/\\n/g'
done
exit $status`,
    'apt-cache': `${log('apt-cache')}
grep "^$2=" '${file('available')}' | while IFS== read -r name version; do echo " $name | $version | http://x"; done`,
    'apt-get': `${log('apt-get')}
echo "env $DEBIAN_FRONTEND" >>'${file('log')}'
while [ $# -gt 0 ]; do case $1 in -o) shift 2 ;; -*) shift ;; *) break ;; esac; done
word=$1; shift
case $word in
  update) echo new=1.0 >>'${file('available')}' ;;
  install) for name; do
      grep -q "^\${name%%=*}=" '${file('available')}' || { echo "E: Unable to locate package $name" >&2; exit 100; }
      version=\${name#*=}; [ "$version" != "$name" ] || version=1.0
      sed -i "/^\${name%%=*}=/d" '${file('installed')}'
      echo "\${name%%=*}=$version" >>'${file('installed')}'
    done ;;
  remove) for name; do sed -i "s/^$name=.*/$name=/" '${file('installed')}'; done ;;
esac`,
  })
  const host = await testHost({ shell, path: [path] })
  return {
    ...host,
    installed: async () => (await readFile(file('installed'), 'utf8')).trim().split('\n'),
    log: async () => {
      const text = await readFile(file('log'), 'utf8')
      await writeFile(file('log'), '')
      return text
        .trim()
        .split('\n')
        .map(line => line.replace(/ -q.*(?= (update|install|remove))/, ''))
        .filter(line => !line.startsWith('env'))
    },
  }
}

describe.each(shells)('hw_package under $name', shell => {
  test('asks once for all, and does nothing where all are installed', async () => {
    const host = await aptHost(shell, ['alpha=1.0', 'beta=2.0'], [])
    expect(await host.run(pkg(['alpha', 'beta']).call)).toMatchObject({ status: 'ok', note: '' })
    expect(await host.log()).toHaveLength(1)
  })

  test('installs what is missing, without fetching lists that have it', async () => {
    const host = await aptHost(shell, ['alpha=1.0', 'alphabet=1.0'], ['beta=1.0', 'gamma=1.0'])
    const call = pkg(['alpha', 'beta', 'gamma']).call
    expect(await host.run(call, { check: true })).toMatchObject({
      status: 'changed',
      note: 'beta gamma',
    })
    expect(await host.installed()).toEqual(['alpha=1.0', 'alphabet=1.0'])
    await host.log()
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: 'beta gamma' })
    expect(await host.installed()).toEqual(['alpha=1.0', 'alphabet=1.0', 'beta=1.0', 'gamma=1.0'])
    expect((await host.log()).map(line => line.split(' ')[0])).toEqual([
      'dpkg-query',
      'apt-cache',
      'apt-cache',
      'apt-get',
    ])
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })

  test('fetches the lists once if one of the packages is not in them', async () => {
    const host = await aptHost(shell, [], ['beta=1.0'])
    expect(await host.run(pkg(['new', 'beta']).call)).toMatchObject({ status: 'changed' })
    const log = await host.log()
    expect(log.filter(line => line.startsWith('apt-get update'))).toHaveLength(1)
    expect(await host.installed()).toEqual(['new=1.0', 'beta=1.0'])
  })

  test('takes a package whose name begins like another’s for another', async () => {
    const host = await aptHost(shell, ['libfoo-dev=1.0', 'foo2=1.0'], ['foo=1.0', 'libfoo=1.0'])
    const result = await host.run(pkg(['foo', 'libfoo']).call)
    expect(result).toMatchObject({ status: 'changed', note: 'foo libfoo' })
  })

  test('brings a package to a version', async () => {
    const host = await aptHost(shell, ['alpha=1.0'], ['alpha=1.0', 'alpha=1.0-2~bpo'])
    const call = pkg('alpha', { version: '1.0-2~bpo' }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: 'alpha=1.0-2~bpo' })
    expect(await host.installed()).toEqual(['alpha=1.0-2~bpo'])
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })

  test('takes a package with its architecture', async () => {
    const host = await aptHost(shell, ['alpha=1.0'], [])
    expect(await host.run(pkg('alpha:amd64').call)).toMatchObject({ status: 'ok' })
    expect(await host.run(pkg('alpha:i386').call)).toMatchObject({ status: 'failed' })
  })

  test('removes packages, and counts one whose config files are left as removed', async () => {
    const host = await aptHost(shell, ['alpha=1.0', 'beta='], [])
    const call = pkg(['alpha', 'beta', 'none'], { absent: true }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: 'alpha' })
    expect(await host.installed()).toEqual(['alpha=', 'beta='])
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })

  test('a package that is not to be had fails the step with apt’s own words', async () => {
    const host = await aptHost(shell, [], [])
    const result = await host.run(pkg('none').call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain('Unable to locate package none')
  })
})
