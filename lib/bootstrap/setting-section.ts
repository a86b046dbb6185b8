/** `[setting:PRODUCT:NAME]` of bootstrap.ini. */
import type { IniFault, IniSection } from '../ini/read.ts'
import { unknownName } from '../shell/nearest.ts'
import { type SettingDefinition, type SettingType, settingTypes } from './definitions.ts'
import { type ValuePattern, wholePattern } from './pattern.ts'
import { invalid, readSection, type SectionReader, template } from './section.ts'
import { checkValue } from './value.ts'

/** The keys of `[setting:PRODUCT:NAME]`. */
export const settingKeys = [
  'type',
  'default',
  'allowed',
  'pattern',
  'section',
  'key',
  'apply',
  'description',
] as const

type Reader = SectionReader<(typeof settingKeys)[number]>

/** @param faults receives the errors found */
export function readSetting(
  name: string,
  section: IniSection,
  faults: IniFault[],
): SettingDefinition {
  const keys = readSection(section, settingKeys, faults)
  const type = keys.value('type', settingType)
  const rules = {
    // An invalid type is reported once, not again for the default and the allowed values.
    type: type ?? 'string',
    allowed: keys.has('type') && !type ? undefined : readAllowed(keys, type ?? 'string'),
    pattern: readPattern(keys, type ?? 'string'),
  }
  return {
    name,
    ...rules,
    default: keys.anyValue('default', text => {
      const checked = checkValue(rules, text)
      if ('fault' in checked) throw invalid(checked.fault)
      return checked.value
    }),
    section: keys.anyValue('section', configSection) ?? '',
    key: keys.value('key', configKey) ?? name,
    apply: keys.value('apply', application) ?? 'reload',
    description: keys.text('description') ?? '',
  }
}

function settingType(text: string): SettingType {
  const type = settingTypes.find(candidate => candidate === text)
  if (!type) throw unknownName('type', text, settingTypes)
  return type
}

function readAllowed(keys: Reader, type: SettingType): SettingDefinition['allowed'] {
  const ordered = type === 'integer' || type === 'number'
  return keys.value('allowed', text => {
    if (!ordered && type !== 'string')
      throw invalid(`settings of type ${type} have no allowed values`)
    const [range, low, high] = /^(\S*?)\s*\.\.\s*(\S*)$/.exec(text) ?? []
    if (ordered && range !== undefined) return readRange(low ?? '', high ?? '')
    const values = text.split(',').map(item => {
      const checked = checkValue({ type }, item.trim())
      if ('fault' in checked) throw invalid(checked.fault)
      if (checked.value === '') throw invalid('an empty item in the list')
      return checked.value
    })
    return { kind: 'list', values }
  })
}

function readRange(low: string, high: string): SettingDefinition['allowed'] {
  const end = (text: string): number | undefined => {
    if (text === '') return undefined
    const checked = checkValue({ type: 'number' }, text)
    if ('fault' in checked) throw invalid(`${checked.fault}; a range is 1..64, 1.. or ..64`)
    return Number(checked.value)
  }
  const [min, max] = [end(low), end(high)]
  if (min === undefined && max === undefined) throw invalid('a range needs at least one end')
  if (min !== undefined && max !== undefined && min > max) throw invalid('the range is empty')
  return {
    kind: 'range',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }
}

function readPattern(keys: Reader, type: SettingType): ValuePattern | undefined {
  return keys.value('pattern', text => {
    if (type !== 'string' && type !== 'secret')
      throw invalid(`settings of type ${type} have no pattern`)
    try {
      return wholePattern(text)
    } catch (error) {
      throw invalid(`not a regular expression: ${(error as Error).message}`)
    }
  })
}

function application(text: string): SettingDefinition['apply'] {
  if (text !== 'reload' && text !== 'restart')
    throw invalid(`${JSON.stringify(text)} is neither reload nor restart`)
  return text
}

function configSection(text: string): string {
  if (/[[\]]/.test(text)) throw invalid('a section of a config file can’t contain [ or ]')
  return template(text)
}

function configKey(text: string): string {
  if (/[=[\]]/.test(text)) throw invalid('a key of a config file can’t contain =, [ or ]')
  return template(text)
}
