/** `hostwright complete bash`: a shell's completion; and what such a script asks when a person presses Tab. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../lab/package-root.ts'
import { unknownName } from '../shell/nearest.ts'
import type { Place, RunCommand } from './command.ts'
import { type Candidates, candidatesFor } from './completion/candidates.ts'
import { inPlaceOf, splitLine } from './completion/shell-line.ts'

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const

export const complete: RunCommand = async ([what, ...words], _options, place) => {
  if (what === 'line') {
    const { COMP_LINE = '', COMP_POINT = '' } = place.env
    // bash counts bytes or characters, by its locale; those before the cursor decide only where it is not at the end.
    const [, ...typed] = splitLine(COMP_LINE.slice(0, Number(COMP_POINT) || COMP_LINE.length))
    const found = await candidatesFor(typed, place)
    const begun = typed.at(-1) ?? ''
    show(found, place, ({ value }) => inPlaceOf(words[0] ?? '', begun, value))
    return 0
  }
  if (what === 'words') {
    // The mark before the last word keeps an empty one, which some shells would leave out.
    const typed = words.map((word, at) => (at === words.length - 1 ? word.slice(1) : word))
    show(await candidatesFor(typed, place), place, ({ value, description = '' }) =>
      description === '' ? value : `${value}\t${description}`,
    )
    return 0
  }
  if (what === undefined || words.length > 0)
    throw new UsageError('usage', 'of which shell?', { hint: `complete ${shells.join('|')}` })
  const shell = shells.find(each => each === what)
  if (!shell) throw unknownName('shell', what, shells)
  const script = join(packageRoot(), 'templates/completion', `hostwright.${shell}`)
  place.stdout.write(readFileSync(script, 'utf8'))
  return 0
}

function show(
  found: Candidates,
  { stdout }: Place,
  line: (candidate: Exclude<Candidates, 'files'>[number]) => string,
): void {
  if (found === 'files') stdout.write(':files\n')
  // What can't be typed as it is shown is not offered: a name with a control character is in no list.
  else
    for (const each of found)
      if (!/[\0-\x1f\x7f]/.test(each.value)) stdout.write(`${line(each).replace(/[\n\r]/g, ' ')}\n`)
}
