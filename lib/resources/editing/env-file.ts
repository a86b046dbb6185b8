import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import {
  checkLine,
  type EditOptions,
  editKinds,
  editorResource,
  type TextValue,
} from './edited-file.ts'

export interface EnvFileOptions extends EditOptions {
  /** Variables and the values they must have. */
  set?: Readonly<Record<string, TextValue>>
  /** Variables that must not be there. */
  unset?: readonly string[]
  /** New lines begin with `export `; others stay as they are. Default: false. */
  export?: boolean
  /**
   * `sh` (default): values are read as sh does, and quoted where they need it. `none`: a value is all
   * that follows `=`, as in the files of `docker --env-file`.
   */
  quoting?: 'sh' | 'none'
  /**
   * Who reads the file: `sh`, also of what systemd reads; `pam`: pam_env, whose values are cut at `#` and
   * have no escapes. Default: `pam` for /etc/environment, else `sh`.
   */
  format?: 'sh' | 'pam'
}

const optionKinds: OptionKinds<EnvFileOptions> = {
  set: 'values',
  unset: 'texts',
  export: 'flag',
  quoting: 'text',
  format: 'text',
  ...editKinds,
}

/**
 * Variables of a file of `KEY=value` lines: /etc/environment, /etc/default/x, .env. All else stays as it
 * is: order, comments, also behind a value, `export`, and the quotes of a value where they can hold the
 * new one. Where a variable stands twice, the last one counts. A file that is not there is made; if it is
 * to hold a secret, for its owner alone.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example envFile('/etc/default/app', { set: { PORT: 8080, TOKEN: secret(token) }, unset: ['DEBUG'] })
 */
export function envFile(path: string, options: EnvFileOptions): Resource {
  const title = `envFile ${path}`
  checkOptions(title, options, optionKinds)
  const { set = {}, unset = [] } = options
  const { format, quoting } = readerOf(title, path, options)
  if (Object.keys(set).length + unset.length === 0)
    throw invalidOption(title, 'give at least one variable to set or unset')
  const requests: string[] = []
  if (options.export) requests.push('O export')
  if (quoting === 'none') requests.push('O plain')
  else if (format === 'pam') requests.push('O pam')
  for (const [key, value] of Object.entries(set)) {
    const text = plain(value)
    if (format === 'pam') checkPam(title, key, text)
    requests.push(`K ${checkName(title, key)}`, `V ${checkLine(title, `value of ${key}`, text)}`)
  }
  for (const key of unset) {
    if (Object.hasOwn(set, key)) throw invalidOption(title, `${key} is both set and unset`)
    requests.push(`K ${checkName(title, key)}`, 'D')
  }
  return editorResource({
    title,
    name: 'env_file',
    path,
    options,
    requests,
    values: Object.values(set),
  })
}

/** How the file is read: as it is said, else by its path. */
function readerOf(title: string, path: string, { format, quoting }: EnvFileOptions) {
  if (quoting !== undefined && !['sh', 'none'].includes(quoting))
    throw invalidOption(title, 'quoting must be sh or none')
  if (format !== undefined && !['sh', 'pam'].includes(format))
    throw invalidOption(title, 'format must be sh or pam')
  if (/\/pam_env\.conf$|\/\.pam_environment$/.test(path))
    throw invalidOption(title, 'its lines are `NAME DEFAULT=value`, not `NAME=value`: use line()')
  if (format === 'pam' && quoting !== undefined)
    throw invalidOption(title, 'the format pam has quotes of its own')
  // sshd(8): a value is all that follows the sign.
  const raw = quoting ?? (/\/\.ssh\/environment$/.test(path) && !format ? 'none' : 'sh')
  const pam = path === '/etc/environment' && quoting === undefined
  return { format: format ?? (pam ? 'pam' : 'sh'), quoting: raw }
}

/** What pam_env would read otherwise, however it is written. */
function checkPam(title: string, key: string, text: string) {
  const why = text.includes('#')
    ? 'pam_env takes # for a comment, in quotes too'
    : text.endsWith('\\')
      ? 'to pam_env a backslash at the end goes on in the next line'
      : undefined
  if (why) throw invalidOption(title, `the value of ${key} can’t be written: ${why}`)
}

function checkName(title: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
    throw invalidOption(title, `${JSON.stringify(key)} is not a valid variable name`)
  return key
}
