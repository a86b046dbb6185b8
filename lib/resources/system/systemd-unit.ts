import { hashOf } from '../../session/content-source.ts'
import { quote } from '../../shell/quote.ts'
import { checkFileName } from '../lines.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'
import { refuseTakeOver, takeOverWord } from '../take-over.ts'
import { unitName } from './unit-name.ts'

/** A value of a unit file; a list stands for the same key several times. */
export type UnitValue = string | number | boolean | readonly (string | number)[]

/** Sections of a unit file, in order, and their keys. */
export type UnitSections = Readonly<Record<string, Readonly<Record<string, UnitValue>>>>

export interface SystemdUnitOptions extends CommonOptions {
  /** The whole file, as text or by sections. */
  content?: string | UnitSections
  /** Name of a drop-in: only what it says is added to the unit: `override` for NAME.d/override.conf. */
  dropIn?: string
  /** `systemd-analyze verify` must accept the unit before the file is put in its place. */
  verify?: boolean
  /** Replace a file of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** No such file. */
  absent?: boolean
}

const optionKinds: OptionKinds<SystemdUnitOptions> = {
  content: 'other',
  dropIn: 'text',
  verify: 'flag',
  takeOver: 'flag',
  absent: 'flag',
}

/**
 * A unit of systemd, in /etc/systemd/system: its whole file, or a drop-in that adds to one. systemd
 * reads changed units anew once for all of a segment: before the next service or command, or with the
 * last unit. It starts, enables and restarts nothing: a `service` does, and a handler.
 * @param name with its suffix; without one it is a service
 * @param options.content text, or sections; needed unless absent
 * @param options.dropIn default: the unit's own file
 * @param options.verify default: false
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * systemdUnit('backup.timer', {
 *   content: { Timer: { OnCalendar: 'daily', Persistent: true }, Install: { WantedBy: 'timers.target' } },
 * })
 * @example systemdUnit('nginx', { dropIn: 'limits', content: { Service: { LimitNOFILE: 65536 } } })
 */
export function systemdUnit(name: string, options: SystemdUnitOptions): Resource {
  checkOptions(`systemd unit ${name}`, options, optionKinds)
  const { content, dropIn, verify, absent } = options
  const unit = unitName(name)
  const title = `systemd unit ${unit}${dropIn === undefined ? '' : ` drop-in ${dropIn}`}`
  if (!/^[A-Za-z0-9_:\\@][A-Za-z0-9_.:\\@-]{0,250}$/.test(unit) || unit.startsWith('@'))
    throw invalidOption(title, 'this is not the name of a unit')
  const file = dropIn === undefined ? unit : `${unit}.d/${dropInFile(title, dropIn)}`
  const path = `/etc/systemd/system/${file}`
  // A template is none that systemd can be asked for.
  const gather = unit.includes('@.')
    ? undefined
    : [
        { by: 'hw_gather_units', of: [unit] },
        { by: 'hw_gather_unit_files', of: [], certain: true },
      ]
  if (absent) {
    if (content !== undefined || verify)
      throw invalidOption(title, 'a unit that is absent has no content to verify')
    refuseTakeOver(title, options)
    return declare({
      title,
      options,
      path,
      makes: [`gone ${path}`],
      call: { name: 'hw_no_systemd_unit', args: [unit, path], gather },
      need: {
        own: 'processes',
        files: { name: 'hw_no_text', args: [path, 'removed', 'shown'] },
      },
    })
  }
  if (content === undefined) throw invalidOption(title, 'has no content')
  const text = typeof content === 'string' ? checkText(title, content) : unitText(title, content)
  const validate = verify ? verifyCommand(unit, dropIn) : ''
  const takeOver = `take_over=${takeOverWord(options)}`
  return declare({
    title,
    options,
    path,
    whole: hashOf(Buffer.from(text)),
    text,
    call: { name: 'hw_systemd_unit', args: [unit, path, text, validate, takeOver], gather },
    need: {
      own: 'processes',
      files: { name: 'hw_systemd_unit', args: ['', path, text, validate, takeOver] },
    },
  })
}

function dropInFile(title: string, dropIn: string): string {
  const name = typeof dropIn === 'string' ? dropIn.replace(/\.conf$/, '') : dropIn
  return `${checkFileName(title, name)}.conf`
}

function checkText(title: string, text: string): string {
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(text))
    throw invalidOption(title, 'the content holds control characters')
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** The text of sections. By loops: an error's stack is to reach the recipe's line. */
function unitText(title: string, sections: UnitSections): string {
  const blocks: string[] = []
  for (const [section, keys] of Object.entries(sections)) {
    if (!/^[A-Z][A-Za-z0-9-]*$/.test(section))
      throw invalidOption(title, `${JSON.stringify(section)} is not a valid section`)
    let text = `[${section}]\n`
    for (const [key, value] of Object.entries(keys)) {
      if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(key))
        throw invalidOption(title, `${JSON.stringify(key)} is not a valid key of [${section}]`)
      for (const each of [value].flat()) text += `${key}=${unitValue(title, key, each)}\n`
    }
    blocks.push(text)
  }
  return blocks.join('\n')
}

function unitValue(title: string, key: string, value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value))
    throw invalidOption(title, `the value of ${key} must be a string, a number or a boolean`)
  const text = String(value)
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text))
    throw invalidOption(title, `the value of ${key} holds control characters`)
  if (text.endsWith('\\'))
    throw invalidOption(
      title,
      `the value of ${key} ends with \\, which would join the next line to it`,
    )
  return text
}

/** A shell's command that verifies the file "$1" as the unit it is to be, which goes by its name. */
function verifyCommand(unit: string, dropIn: string | undefined): string {
  const name = quote(unit.replace('@.', '@verify.'))
  const put =
    dropIn === undefined
      ? `cp -- "$1" "$d"/${name}`
      : `p=$(systemctl show -p FragmentPath --value -- ${name}) && [ -n "$p" ] && cp -- "$p" "$d"/${name} && mkdir "$d"/${name}.d && cp -- "$1" "$d"/${name}.d/new.conf`
  return `d=$(mktemp -d) || exit; ${put} && systemd-analyze verify --man=no "$d"/${name}; s=$?; rm -rf -- "$d"; exit "$s"`
}
