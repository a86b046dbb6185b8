/** Steps of an undertaking: see lib/remote/intent.sh, which holds what they do on the host. */
import type { Part } from '../session/script.ts'
import { declare, type Resource, type Task, type Undertaking } from './resource.ts'

/** The task as a part of an undertaking. */
export const within = (undertaking: Undertaking, task: Task): Task => ({
  ...task,
  within: undertaking,
})

/** The resource with a part of its own in its undertaking. */
export const asPart = (part: Part, resource: Resource): Resource => ({ ...resource, part })

/**
 * The config file as it was when another version was in use before.
 * @param sum size and checksum: a copy that has others stays where it is
 */
export const adoptConfig = (
  config: string,
  copy: string,
  sum: string,
  notify: readonly Resource[],
): Resource =>
  asPart(
    'adopt',
    declare({
      title: `config ${config} as it was`,
      options: { notify },
      call: { name: 'hw_adopt_config', args: [config, copy, sum] },
    }),
  )

/**
 * The config file as it was when its undertaking began, byte for byte, if it was copied then.
 * @param copy the copy's name in bootstrap_dir
 * @param notify what takes it up
 */
export const restoreConfig = (
  config: string,
  copy: string,
  notify: readonly Resource[],
): Resource =>
  asPart(
    'restore',
    declare({
      title: `restore ${config}`,
      options: { notify },
      call: { name: 'hw_restore_config', args: [config, copy] },
    }),
  )
