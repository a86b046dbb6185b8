import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { quote } from '../../../lib/shell/quote.ts'
import { temporaryDirectory } from '../../support/shells.ts'

const run = promisify(execFile)

test('views are refused in a chroot, as what enters them would get to the machine outside', {
  tags: ['overlay'],
  timeout: 30_000,
}, async () => {
  const directory = await temporaryDirectory()
  const script = `import { whyNoViews } from ${JSON.stringify(`${process.cwd()}/lib/lab/overlay.ts`)}
console.log(await whyNoViews(${JSON.stringify(directory)}))`
  const ask = `${quote(process.execPath)} --import tsx --input-type module -e ${quote(script)}`
  const root = quote(`${directory}/root`)
  const here = quote(process.cwd())
  const { stdout } = await run('unshare', [
    ...['--mount', '--propagation', 'private', 'sh', '-euc'],
    `mkdir ${root}
mount -t tmpfs none ${root}
for each in /*; do
  if [ -L "$each" ]; then cp -P "$each" ${root}; continue; fi
  [ -d "$each" ] || continue
  mkdir ${root}"$each"
  mount --rbind "$each" ${root}"$each"
done
cd ${here}
${ask}
exec chroot ${root} sh -c ${quote(`cd ${here} && ${ask}`)}`,
  ])
  expect(stdout).toBe(
    'undefined\nnot in a chroot: who enters a host would get to what is outside\n',
  )
})
