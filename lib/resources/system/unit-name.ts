/** Names of systemd's units. */

const suffixes = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/

/** The name with its kind: `haproxy` is `haproxy.service`. */
export const unitName = (name: string): string => (suffixes.test(name) ? name : `${name}.service`)
