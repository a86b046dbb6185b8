import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'

export interface LocaleOptions extends CommonOptions {
  /** Make it the system's: LANG in /etc/default/locale on Debian, else in /etc/locale.conf. */
  lang?: boolean
}

const optionKinds: OptionKinds<LocaleOptions> = {
  lang: 'flag',
}

/**
 * A locale that is made, by a line of /etc/locale.gen and locale-gen where the host has them. With `lang`
 * it is the one that new logins and services begin with.
 * @param name with its character set: `de_DE.UTF-8`; `C`, `POSIX` and `C.UTF-8` are always there
 * @param options.lang default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example locale('de_DE.UTF-8', { lang: true })
 */
export function locale(name: string, options: LocaleOptions = {}): Resource {
  checkOptions(`locale ${name}`, options, optionKinds)
  const title = `locale ${name}${options.lang ? ' as LANG' : ''}`
  const always = ['C', 'POSIX', 'C.UTF-8'].includes(name)
  const parts = /^([a-z]{2,3}(?:_[A-Z]{2})?)\.([A-Za-z0-9-]+)(@[a-z]+)?$/.exec(name)
  if (!always && !parts)
    throw invalidOption(title, `${JSON.stringify(name)} is not a locale: write de_DE.UTF-8`)
  const [, language, charset = '', modifier = ''] = parts ?? []
  // `locale -a` writes the character set in its own way: utf8.
  const listed = parts ? `${language}.${charset.toLowerCase().replaceAll('-', '')}${modifier}` : ''
  return declare({
    title,
    options,
    path: '/etc/locale.gen',
    call: {
      name: 'hw_locale',
      args: [name, always ? '' : listed, charset, options.lang ? 'yes' : ''],
    },
  })
}
