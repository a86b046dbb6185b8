/** A busybox with the account programs of Alpine's, which Debian's leaves out; made by .ci/busybox. */
import { existsSync } from 'node:fs'
import { inCi } from './lab.ts'

const made = '/usr/local/lib/hostwright-test/busybox'

/** Where it is, or undefined. In CI it must be there, unless CI has said that it can’t. */
export function accountsBusybox(): string | undefined {
  if (existsSync(made)) return made
  if (inCi && !process.env.HOSTWRIGHT_WITHOUT_BUSYBOX)
    throw new Error(`CI must test with busybox's account programs: run .ci/busybox`)
  return undefined
}

/**
 * Script for an overlay host: takes away useradd and its like, and puts busybox's in their place.
 * @param at where busybox is
 */
export const onlyBusyboxAccounts = (at: string) => `
for each in useradd usermod userdel groupadd groupmod groupdel gpasswd chpasswd chage adduser addgroup deluser delgroup pw; do
  rm -f "/usr/sbin/$each" "/usr/bin/$each" "/sbin/$each" "/bin/$each"
done
# Alpine has none, and busybox takes one for complete.
rm -f /etc/gshadow
for each in adduser addgroup deluser delgroup chpasswd; do ln -s '${at}' "/usr/sbin/$each"; done
`
