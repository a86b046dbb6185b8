/**
 * What is brought to a host, or from it, and fails midway; see test/support/half-done.ts.
 *
 * @module-tag long
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { archive } from '../../../lib/resources/transfer/archive.ts'
import { download } from '../../../lib/resources/transfer/download.ts'
import { fetch } from '../../../lib/resources/transfer/fetch.ts'
import { git } from '../../../lib/resources/transfer/git.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { overlayHost } from '../../support/resource-hosts.ts'
import { webServer } from '../../support/web.ts'

const web = webServer()
const body = 'of the web\n'.repeat(1000)
web.pages['/f'] = { body }
/** Where `fetch` puts its files, on this machine. */
let fetched = ''

const archives = `mkdir -p one/bin two/bin; echo 1 >one/bin/a; echo 1 >one/bin/b; echo 2 >two/bin/a; echo 2 >two/bin/c
tar -C one -czf one.tgz .; tar -C two -czf two.tgz .`

const repositories = `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
git config --global protocol.file.allow always
for each in inner outer; do git init -q -b main $each; echo 1 >$each/file; git -C $each add file; git -C $each commit -q -m 1; done
git -C outer submodule -q add "$at/inner" inner; git -C outer commit -q -m 2`

const cases: HalfCase[] = [
  {
    name: 'archive, in place of another version, which is wanted again then',
    late: true,
    given: `${archives}; mkdir d; tar -C d -xzf one.tgz
echo "$(sha256sum <one.tgz | cut -d' ' -f1) strip=0" >d/.hostwright-archive`,
    wanted: (at, notify) => archive(`${at}/d`, { path: `${at}/two.tgz`, owner: 'nobody', notify }),
    holds:
      '[ "$(cat d/bin/a d/bin/c | sort -u)" = 2 ] && [ "$(stat -c %U d/bin/a d/bin/c d | sort -u)" = nobody ]',
    programs: 'gzip',
  },
  {
    name: 'git, with submodules',
    given: repositories,
    wanted: (at, notify) => git(`${at}/app`, { remote: `${at}/outer`, submodules: true, notify }),
    holds: `[ "$(cat app/file app/inner/file)" = "$(printf '1\\n1')" ] && [ -z "$(git -C app status --porcelain)" ]
[ "$(git -C app config remote.origin.fetch)" = '+refs/heads/*:refs/remotes/origin/*' ]`,
    programs: 'git',
  },
  {
    name: 'download, with its checksum and owner',
    given: 'echo old >f',
    wanted: (at, notify) =>
      download(`${at}/f`, {
        url: web.url('/f'),
        sha256: createHash('sha256').update(body).digest('hex'),
        owner: 'nobody',
        notify,
      }),
    holds: '[ "$(wc -c <f)" = 11000 ] && [ "$(stat -c %U f)" = nobody ]',
    programs: 'curl sha256sum',
  },
  {
    name: 'fetch',
    given: 'seq 100000 >f',
    wanted: (at, notify) =>
      fetch(`${at}/f`, { to: () => join(fetched, basename(at), 'copy'), notify }),
    holds: '[ "$(wc -l <f)" = 100000 ]',
    // All of it, and nothing beside it.
    heldHere: async at => {
      const kept = join(fetched, basename(at))
      expect(await readdir(kept)).toEqual(['copy'])
      expect((await readFile(join(kept, 'copy'), 'utf8')).split('\n')).toHaveLength(100_001)
    },
    programs: 'sha256sum stat',
  },
]

describe('where a program fails, or the session is killed, of transfers:', {
  tags: ['overlay'],
}, () => {
  beforeAll(async () => {
    fetched = await mkdtemp(join(tmpdir(), 'hw-fetched-'))
  })
  afterAll(() => rm(fetched, { recursive: true, force: true }))
  holdHalfDone(overlayHost(), cases)
})
