import { expect, test } from 'vitest'
import { noShell } from '../../../lib/session/no-shell.ts'

test.each([
  ['This account is currently not available.', 'refuses every login'],
  ['This account is unavailable', 'refuses every login'],
  ['bash: line 1: exec: sh: not found', 'no sh on the PATH'],
  ['sh: Command not found.', 'no sh on the PATH'],
  ['fish: Unknown command: sh\nfish: \nexec sh\n     ^^', 'no sh on the PATH'],
  ['chroot: failed to run command ‘sh’: No such file or directory', 'no sh on the PATH'],
  ['OCI runtime exec failed: exec: "sh": executable file not found in $PATH', 'no sh on the PATH'],
  ['This service allows sftp connections only.', 'for sftp only'],
  ['rbash: line 1: exec: restricted', 'a restricted shell'],
  ['bash: line 1: oh-my-zsh: not found', 'instead of running sh (exit status 3)'],
  ['', 'without any output (exit status 3)'],
])('a login that ends with “%s” gets the message “%s”', (said, message) => {
  expect(noShell('exit status 3', said)).toMatchObject({
    code: 'shell_failed',
    message: expect.stringContaining(message),
    details: { ...(said && { output: said }), hint: expect.stringMatching(/\.$/) },
  })
})
