/** Words of /etc/fstab. Pure. */

/** A word as fstab and /proc/self/mounts write it: blanks, # and backslashes by their octal numbers. */
export const fstabWord = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, sign => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
