/**
 * Effects: steps that can't be asked whether they are done. The host remembers each by a key, which is the same in
 * every attempt of a run: see lib/remote/effect.sh. Pure.
 */
import { createHash } from 'node:crypto'
import type { HostCall, HostEffect } from '../session/call.ts'

/** What identifies an effect on its host. */
export interface EffectIdentity {
  /** Title of its task. */
  task?: string
  /** Its title, for people. */
  title: string
  /** The user that it runs as, unless it is the connection's. */
  as?: string
  call: Pick<HostCall, 'name' | 'args' | 'input' | 'content'>
  /** Values that its standard input may hold: then that is left out. */
  secrets: readonly string[]
  /** May run again if its end is not known. */
  again?: boolean
  /** Command that succeeds if it is done, asked if its end is not known. */
  verify?: string
}

/** Returns the effect as its call carries it. Called for each effect in the order in which they are sent. */
export type EffectKeys = (effect: EffectIdentity) => HostEffect

/**
 * The effects of one host in one attempt. Those that are the same otherwise are counted.
 * @param redact removes secrets: a weak one could be guessed from the key
 */
export function createEffectKeys(
  recipe: string,
  host: string,
  redact: (text: string) => string,
): EffectKeys {
  const times = new Map<string, number>()
  return ({ task = '', title, as, call, secrets, again, verify }) => {
    const input = secrets.length > 0 ? undefined : call.input?.toString('base64')
    const more = [input, call.content?.sha256]
    const user = as === undefined ? [] : [as]
    const what = [recipe, host, task, call.name, call.args, more, ...user]
    const said = JSON.stringify(what.map(texts(redact)))
    const before = times.get(said) ?? 0
    times.set(said, before + 1)
    const key = createHash('sha256').update(`${before} ${said}`).digest('hex').slice(0, 24)
    return { key, title: redact(title), again, verify, user: as }
  }
}

const texts =
  (redact: (text: string) => string) =>
  (value: string | readonly (string | undefined)[]): unknown =>
    typeof value === 'string' ? redact(value) : value.map(each => each && redact(each))

/**
 * Whether a step is an effect that the host can remember. What another user does without a command of ours, such as a
 * restart of a service, has no record, which is not for that user to write.
 */
export const isRemembered = ({
  as,
  resource: { effect, call },
}: {
  as?: string
  resource: { effect?: unknown; call: Pick<HostCall, 'name'> }
}): boolean =>
  effect !== undefined && (as === undefined || ['hw_command', 'hw_script'].includes(call.name))
