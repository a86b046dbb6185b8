/** A busybox with the account programs and the crond of Alpine's, which Debian's leaves out; made by .ci/busybox. */
/** Where it is made. */
export const accountsBusybox = '/usr/local/lib/hostwright-test/busybox'

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
