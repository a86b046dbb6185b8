/** Ending what a session runs, by its second shell. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeEach, shells, temporaryDirectory } from '../support/shells.ts'

const control = fileURLToPath(new URL('../../lib/remote/control.sh', import.meta.url))

describeEach(shells, 'ending what a session runs, under $name', shell => {
  test('leaves nothing stopped that lost its parent between two looks', {
    tags: ['linux'],
  }, async () => {
    const cwd = await temporaryDirectory()
    const script = `. '${control}'
sleep 60 & left=$!
sleep 61 & ended=$!
# As if its parent had ended after the first look: then it is below that no more.
hw_below() {
  [ -e looked ] || { : >looked; echo "$left"; }
  echo "$ended"
}
hw_kill "$$" TERM
wait "$ended"
echo "$?"
IFS= read -r line </proc/$left/stat
line=\${line##*) }
echo "\${line%% *}"
kill -s KILL "$left"
`
    const [program, ...words] = [...shell.command, '-c', script]
    const { stdout } = await promisify(execFile)(program!, words, { cwd })
    expect(stdout).toMatch(/^143\n[SR]\n$/)
  })
})
