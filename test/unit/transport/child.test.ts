import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { createChildShells } from '../../../lib/transport/child.ts'
import { kill } from '../../support/descendants.ts'

test('closing the transport ends a stopped shell', async () => {
  const shells = createChildShells()
  const shell = await shells.start(['sh'])
  const first = new Promise<string>(resolve => {
    shell.stdout.once('data', chunk => resolve(String(chunk)))
  })
  shell.stdin.write('echo $$; kill -STOP $$\n')
  const pid = Number(await first)
  onTestFinished(() => void kill(pid))
  shells.close()
  expect(await shell.ended).toEqual({ lost: true, reason: 'it was closed' })
})

test('a shell that ended by itself reports its exit, even if its transport is closed afterwards', async () => {
  const shells = createChildShells()
  const shell = await shells.start(['sh'])
  shell.stdin.end('exit 7\n')
  await Promise.all([buffer(shell.stdout), buffer(shell.stderr)])
  const end = await shell.ended
  shells.close()
  expect(end).toEqual({ lost: false, code: 7, signal: null })
})
