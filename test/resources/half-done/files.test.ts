/**
 * Files and directories that fail midway; see test/support/half-done.ts.
 *
 * @module-tag long
 */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { line } from '../../../lib/resources/editing/line.ts'
import { copyTree } from '../../../lib/resources/files/copy-tree.ts'
import { directory } from '../../../lib/resources/files/directory.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { link } from '../../../lib/resources/files/link.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { overlayHost } from '../../support/resource-hosts.ts'

let source = ''

const cases: HalfCase[] = [
  {
    name: 'file, with its content, owner and mode',
    late: true,
    wanted: (at, notify) =>
      file(`${at}/f`, { content: 'new\n', owner: 'nobody', mode: 0o640, notify }),
    holds: '[ "$(cat f)" = new ] && [ "$(stat -c %a:%U f)" = 640:nobody ]',
  },
  {
    name: 'file, written to in its place',
    given: 'echo old >f; echo more >>f',
    wanted: (at, notify) =>
      file(`${at}/f`, { content: 'new\n', owner: 'nobody', inPlace: true, notify }),
    holds:
      '[ "$(cat f)" = new ] && [ "$(stat -c %U f)" = nobody ] && [ "$(ls -A | grep -c hw-)" = 0 ]',
  },
  {
    name: 'file, not there',
    given: 'echo old >f',
    wanted: (at, notify) => file(`${at}/f`, { absent: true, notify }),
    holds: '[ ! -e f ]',
  },
  {
    name: 'line, with its owner',
    given: 'echo old >f',
    wanted: (at, notify) => line(`${at}/f`, { line: 'new', owner: 'nobody', notify }),
    holds: '[ "$(tail -n 1 f)" = new ] && [ "$(stat -c %U f)" = nobody ]',
    programs: 'awk',
  },
  {
    name: 'directory, with all in it',
    given: 'mkdir -p d/e; echo >d/e/f; chmod 777 d d/e; chmod 666 d/e/f',
    wanted: (at, notify) =>
      directory(`${at}/d`, {
        owner: 'nobody',
        mode: 0o750,
        fileMode: 0o640,
        recurse: true,
        notify,
      }),
    holds: '[ -z "$(find d ! -user nobody -o -type d ! -perm 750 -o -type f ! -perm 640)" ]',
    programs: 'chgrp',
  },
  {
    name: 'link, with its owner',
    given: 'ln -s old l',
    wanted: (at, notify) => link(`${at}/l`, { target: 'new', owner: 'nobody', notify }),
    holds: '[ "$(readlink l)" = new ] && [ "$(stat -c %U l)" = nobody ]',
  },
  {
    name: 'copyTree, with owners, and others removed',
    given: 'mkdir -p t/old/er; echo x >t/old/er/x; echo other >t/a',
    wanted: (at, notify) => copyTree(`${at}/t`, { source, owner: 'nobody', delete: true, notify }),
    holds: `[ "$(cat t/a t/sub/b)" = "$(printf 'a\\nb')" ] && [ "$(readlink t/l)" = a ] && [ ! -e t/old ]
[ -z "$(find t -mindepth 1 ! -user nobody)" ]`,
  },
]

describe('where a program fails, or the session is killed, of files:', {
  tags: ['overlay'],
}, () => {
  beforeAll(async () => {
    source = await mkdtemp(join(tmpdir(), 'hw-tree-'))
    await mkdir(join(source, 'sub'))
    await writeFile(join(source, 'a'), 'a\n')
    await writeFile(join(source, 'sub/b'), 'b\n')
    await symlink('a', join(source, 'l'))
  })
  afterAll(() => rm(source, { recursive: true, force: true }))
  holdHalfDone(overlayHost(), cases)
})
