/** `~`, `%h` and `${HOME}` in values of ssh's configuration (ssh_config(5), TOKENS). Pure. */
import { UsageError } from '../../errors.ts'

/** What tokens stand for. */
export interface Tokens {
  /** By letter: `{ h: 'web1.example.com' }`. */
  percent: Readonly<Record<string, string>>
  env: NodeJS.ProcessEnv
  /** Home directory of a user, our own for ''. Undefined: there is no such user. */
  homeOf(user: string): string | undefined
}

/**
 * @param what the keyword, for the error
 * @throws {UsageError} ssh_config_invalid: an unknown token, a variable that is not set, an unknown user;
 *   ssh ends there too
 */
export function expandTokens(what: string, value: string, { percent, env, homeOf }: Tokens) {
  const fail = (why: string): never => refuse(what, value, why)
  const [, user, path] = /^~([^/]*)(.*)$/s.exec(value) ?? []
  const whole =
    user === undefined ? value : (homeOf(user) ?? fail(`there is no user ${user}`)) + path
  return whole.replace(/%(.?)|\$\{([^}]*)\}/gs, (_, letter?: string, name?: string) => {
    if (name !== undefined) return env[name] ?? fail(`\${${name}} is not set`)
    if (letter === '%') return '%'
    return Object.hasOwn(percent, letter!) ? percent[letter!]! : fail(`%${letter} is unknown`)
  })
}

/**
 * For values in which ssh knows tokens alone, neither `~` nor variables.
 * @throws {UsageError} ssh_config_invalid: an unknown token
 */
export const expandPercent = (what: string, value: string, percent: Tokens['percent']) =>
  value.replace(/%(.?)/gs, (_, letter: string) => {
    if (letter === '%') return '%'
    return Object.hasOwn(percent, letter)
      ? percent[letter]!
      : refuse(what, value, `%${letter} is unknown`)
  })

function refuse(what: string, value: string, why: string): never {
  throw new UsageError('ssh_config_invalid', `${what} ${value} in the ssh configuration: ${why}`, {
    hint: 'See TOKENS and ENVIRONMENT VARIABLES in ssh_config(5).',
  })
}

/** @param text of /etc/passwd */
export const homeIn = (text: string, user: string): string | undefined =>
  text
    .split('\n')
    .map(line => line.split(':'))
    .find(([name]) => name === user)?.[5]
