/**
 * docs/errors.md, made of the table in lib/errors.ts. To write it again:
 *
 *     npx tsx test/support/errors-page.ts > docs/errors.md
 */
import { pathToFileURL } from 'node:url'
import { errorCodes, exitCodes } from '../../lib/errors.ts'

type Codes = Readonly<Record<string, { exit: number; means: string; next: string }>>

/** What an exit code says, for the heading of its codes. */
const headings: Readonly<Record<number, string>> = {
  [exitCodes.fault]: 'a fault in hostwright, in a recipe, or of the lab',
  [exitCodes.usage]: 'the command line or a file of the project is wrong',
  [exitCodes.unreachable]: 'a host can’t be reached',
  [exitCodes.failed]: 'a step failed on a host',
  [exitCodes.locked]: 'another run holds the lock',
  [exitCodes.uncertain]: 'nobody knows how a command ended',
  [exitCodes.interrupted]: 'interrupted',
}

/**
 * The page as Markdown: the codes in the order of the table, under their exit codes in rising order.
 * @param codes what `errorCodes` is
 */
export function errorsPage(codes: Codes): string {
  const exits = [...new Set(Object.values(codes).map(({ exit }) => exit))].sort((a, b) => a - b)
  return `${[introduction, ...exits.map(exit => section(exit, codes)), otherExits].join('\n\n')}\n`
}

const introduction = `<!-- Made of lib/errors.ts: npx tsx test/support/errors-page.ts > docs/errors.md -->
# Errors

Every error that hostwright raises on purpose has a code. A code keeps its name and its meaning; the
text of a message may change. So let programs look at the code: it is \`error.code\` in \`--output json\`
and in callbacks, and it stands before the message in a terminal.

[Troubleshooting](troubleshooting.md) shows the most frequent ones as they look, and what to do about each.

The code decides the exit code, but for one case. Exit code 2 means that no host was touched: an error of
those under it that shows only later, such as a resource that a recipe's \`run\` declares wrongly, exits with 4.

If hosts of one run end differently, the first of these that occurs is the exit code of the run: 130, 8, 1, 7,
4, 3, 5, then 6 with \`--check\`.`

const otherExits = `## Exit codes without an error

| exit code | means |
|---|---|
| ${exitCodes.ok} | All hosts are as wanted. |
| ${exitCodes.drift} | Only with \`--check\`: something would change. |
| ${exitCodes.paused} | A rollout is paused: it waits for \`hostwright continue\` or \`hostwright abort\`. |`

function section(exit: number, codes: Codes): string {
  const rows = Object.entries(codes)
    .filter(([, entry]) => entry.exit === exit)
    .map(([code, { means, next }]) => `| \`${code}\` | ${cell(means)} | ${cell(next)} |`)
  return [
    `## Exit code ${exit}: ${headings[exit] ?? 'other'}`,
    '',
    '| code | means | what to do |',
    '|---|---|---|',
    ...rows,
  ].join('\n')
}

/** A bar would end the table's cell. */
const cell = (text: string) => text.replaceAll('|', '\\|')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(errorsPage(errorCodes))
}
