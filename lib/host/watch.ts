/** The observers of one host's work: --debug and HOSTWRIGHT_TRACE. */

import type { EventStream } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import type { Progress } from '../report/progress.ts'
import type { Tracer } from '../session/trace-files.ts'
import type { Watch } from '../session/watch.ts'
import { accountName } from './account-name.ts'

/** The user of the session, as far as is known before it is opened. */
function ownUser({
  connection,
  become,
  user,
}: Pick<Host, 'connection' | 'become' | 'user'>): string {
  if (become) return become.user
  return connection === 'local' ? accountName() : (user ?? 'login')
}

/** @param options.debug decisions become events */
export function watchHost(
  host: Pick<Host, 'name' | 'connection' | 'user' | 'become'>,
  events: EventStream,
  { debug, tracer }: { debug?: boolean; tracer?: Tracer },
  progress: Pick<Progress, 'redact' | 'forms'>,
): Watch {
  const { name } = host
  return {
    ...(debug && {
      debug: (area, message) =>
        events.emit({ type: 'debug', host: name, area, message: progress.redact(message) }),
    }),
    ...(tracer && {
      trace: (user = ownUser(host)) =>
        tracer.session({ host: name, user, forms: () => progress.forms }),
    }),
  }
}
