import { directory } from '../../lib/resources/directory.ts'
import { file } from '../../lib/resources/file.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'

resourceTable(
  'file',
  [
    {
      name: 'content and mode',
      wanted: at => file(at('motd'), { content: 'hello\n', mode: 0o640 }),
      holds: 'grep -qx hello motd && [ "$(stat -c %a motd)" = 640 ]',
      drift: ['echo other >motd', 'chmod 600 motd', 'rm motd'],
      note: 'created',
    },
  ],
  { host: directoryHost },
)

resourceTable(
  'directory',
  [
    {
      name: 'mode, with those above it',
      wanted: at => directory(at('a/b/c'), { mode: 0o750 }),
      holds: '[ "$(stat -c %a a/b/c)" = 750 ]',
      drift: ['chmod 700 a/b/c', 'rmdir a/b/c'],
      note: 'created',
    },
  ],
  { host: directoryHost },
)
