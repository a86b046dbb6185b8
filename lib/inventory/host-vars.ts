/** The variables of a host, as recipes read them. */
import { UsageError } from '../errors.ts'
import { nearest } from '../shell/nearest.ts'

/** Variables by name. Reading one that the host does not have is an error. */
export type HostVars = Readonly<Record<string, string>> & {
  /**
   * A variable that a host may lack.
   * @returns undefined: the host does not have it
   * @example host.vars.maybe('port') ?? '8080'
   */
  maybe(name: string): string | undefined
}

/** What JavaScript itself, or a test’s assertion, looks for in any object. */
const asked = new Set(['then', 'toJSON', 'asymmetricMatch', '$$typeof', 'nodeType', 'tagName'])

/**
 * Variables that can be listed, spread and looked for with `in`, like those of any object.
 * @param host its name, for errors
 * @throws {UsageError} recipe_invalid, when a variable is read that `values` does not have
 */
export function hostVars(host: string, values: Readonly<Record<string, string>>): HostVars {
  const own: Record<string, string> = Object.assign(Object.create(null), values)
  const maybe = (name: string) => (Object.hasOwn(own, name) ? own[name] : undefined)
  return new Proxy(own, {
    get: (_, name) => {
      if (typeof name === 'symbol' || asked.has(name)) return undefined
      if (name === 'maybe') return maybe
      return maybe(name) ?? inherited(name) ?? refuse(host, name, Object.keys(own))
    },
    // All tasks of a run share them.
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  }) as HostVars
}

/** The same variables. @param read called with each that is read */
export function watchedVars(vars: HostVars, read: (name: string, value: string) => void): HostVars {
  const tell = (name: string, value: string | undefined) => {
    if (value !== undefined) read(name, value)
    return value
  }
  return new Proxy(vars, {
    get: (all, name) => {
      if (name === 'maybe') return (wanted: string) => tell(wanted, all.maybe(wanted))
      const value = Reflect.get(all, name)
      return typeof name === 'string' && Object.hasOwn(all, name) ? tell(name, value) : value
    },
  })
}

/** The same as a plain object, in which a variable that is not there is undefined. */
export const plainVars = (vars: HostVars): Record<string, string> => ({
  ...(vars as Readonly<Record<string, string>>),
})

/** `toString`, `hasOwnProperty` and their like. */
const inherited = (name: string): unknown => (Object.prototype as Record<string, unknown>)[name]

function refuse(host: string, name: string, known: readonly string[]): never {
  const near = nearest(name, known)
  throw new UsageError('recipe_invalid', `${host} has no variable ${name}`, {
    hint:
      (near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '') +
      `Set it in the inventory; if a host may lack it, write host.vars.maybe('${name}').`,
  })
}
