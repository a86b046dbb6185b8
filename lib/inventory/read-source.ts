/** Reads one inventory, whatever its kind: which reader takes a file is decided as by Ansible. */
import { access, constants } from 'node:fs/promises'
import { basename } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile, reasonOf } from '../read-file.ts'
import type { Draft } from './draft.ts'
import { failAt, placeOf } from './fault.ts'
import { isTemplate } from './host-name.ts'
import { isProgram, looksLikeYaml, mayBeYaml, mayHoldVault, refusePlugin } from './kind-of-file.ts'
import { readHostList } from './readers/host-list.ts'
import { readHostsIni } from './readers/hosts-ini.ts'
import { readHostsTree } from './readers/hosts-tree.ts'
import { readScript } from './readers/script.ts'
import { parseJson, type Tree } from './readers/tree.ts'
import type { YamlPlaces } from './readers/yaml.ts'
import type { Source } from './sources.ts'
import { isVault } from './vault/decrypt.ts'

/** What reading needs beside the file. */
export interface Readers {
  /** The reader of YAML, whose library is loaded once. */
  yaml(): Promise<(text: string, places: YamlPlaces) => Tree | undefined>
  /** @throws {UsageError} there is no password, or a wrong one */
  decrypt(text: string, at: string): Promise<string>
}

/** @throws {UsageError} inventory_invalid; usage: there is no such file */
export async function readSource(draft: Draft, source: Source, readers: Readers): Promise<void> {
  if (source.kind === 'list') {
    readHostList(draft, source.list)
    return
  }
  const { path, shownAs } = source
  const bytes = await readBytes(path, shownAs)
  const start = bytes.subarray(0, 64).toString('latin1')
  if (isProgram(start)) {
    await refuseLocked(path, shownAs)
    await readScript(draft, { path, shownAs })
    return
  }
  const plain = isVault(start) ? Buffer.from(await readers.decrypt(String(bytes), shownAs)) : bytes
  const text = textOf(plain, shownAs)
  if (mayHoldVault(text)) draft.holdsVault = true
  if (isTemplate(text)) draft.holdsTemplate = true
  if (mayBeYaml(basename(path)) && (await readAsYaml(draft, text, { path, shownAs }, readers)))
    return
  readHostsIni(draft, text, { path, shownAs })
}

/** @returns whether it is YAML: a file without an ending may be INI too */
async function readAsYaml(
  draft: Draft,
  text: string,
  { path, shownAs }: { path: string; shownAs: string },
  { yaml }: Readers,
): Promise<boolean> {
  if (/^\s*(?:\[(?!")|$)/.test(text) && !/\.json$/.test(path)) return false
  const must = /\.(?:ya?ml|json)$/.test(path) || looksLikeYaml(text)
  let tree: Tree | undefined
  try {
    tree = readData(await yaml(), text, shownAs, draft.warnings)
  } catch (error) {
    if (must) throw error
    return false
  }
  if (!tree?.entries && !must) return false
  if (!tree || tree.value === null) return failAt(shownAs)('this inventory is empty')
  const plugin = tree.entries?.find(({ key }) => key === 'plugin')?.tree.value
  if (plugin) refusePlugin(shownAs, String(plugin))
  readHostsTree(draft, tree, { path, shownAs })
  return true
}

/**
 * A file of data: JSON, or else YAML.
 * @returns undefined: it is empty
 * @throws {UsageError} inventory_invalid
 */
export function readData(
  yaml: (text: string, places: YamlPlaces) => Tree | undefined,
  text: string,
  shownAs: string,
  warnings: string[],
): Tree | undefined {
  try {
    if (/^\s*[[{"]/.test(text)) return parseJson(text)
  } catch {
    // Then it is YAML, or the reader of YAML says what is wrong.
  }
  return yaml(text.replace(/^\uFEFF/, ''), {
    failAt: line => failAt(shownAs, line),
    warn: (line, what) => void warnings.push(`${placeOf(shownAs, line)}: ${what}`),
  })
}

async function refuseLocked(path: string, shownAs: string): Promise<void> {
  const runs = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!runs)
    failAt(shownAs)(
      'this is a program, but may not be run',
      `Make it executable: chmod +x ${shownAs}`,
    )
}

async function readBytes(path: string, shownAs: string): Promise<Buffer> {
  try {
    return await readFile(path, { pipes: 'open' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UsageError('usage', `there is no inventory ${shownAs}`, { at: shownAs, cause })
    }
    throw new UsageError('inventory_invalid', `${shownAs}: can’t be read (${reasonOf(cause)})`, {
      at: shownAs,
      cause,
    })
  }
}

/** Invalid UTF-8 is accepted in comments, as in Ansible. */
function textOf(bytes: Buffer, shownAs: string): string {
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text
  const lines = text.split(/\r\n|\n|\r/)
  const bad = lines.findIndex(line => line.includes('\uFFFD') && !/^\s*[#;]/.test(line))
  if (bad >= 0) failAt(shownAs, bad + 1)('not valid UTF-8', 'Save the file as UTF-8.')
  return text
}
