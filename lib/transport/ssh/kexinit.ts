/** What a server sends before encryption starts: its banner and the algorithms it offers. Pure. */

/** By kind of algorithm, as in `SshSettings.algorithms`, from the server to us. */
export interface Offered {
  kex: readonly string[]
  hostKey: readonly string[]
  cipher: readonly string[]
  mac: readonly string[]
}

/**
 * Reads the first message after a server’s version string (RFC 4253, 4.2, 6 and 7.1).
 * @param heard everything received so far
 * @returns undefined: it has not arrived, or is something else
 */
export function offeredIn(heard: Buffer): Offered | undefined {
  const start = /(?:^|\n)SSH-[^\n]*\n/.exec(heard.toString('latin1'))
  if (!start) return undefined
  const packet = heard.subarray(start.index + start[0].length)
  const cookieBytes = 16
  // Length, padding’s length, type.
  if (packet.length < 6 + cookieBytes || packet[5] !== kexInit) return undefined
  let at = 6 + cookieBytes
  const list = () => {
    if (at + 4 > packet.length) return undefined
    const end = at + 4 + packet.readUInt32BE(at)
    if (end > packet.length) return undefined
    const names = packet.toString('latin1', at + 4, end)
    at = end
    return names === '' ? [] : names.split(',')
  }
  const [kex, hostKey, , cipher, , mac] = [list(), list(), list(), list(), list(), list()]
  return kex && hostKey && cipher && mac ? { kex, hostKey, cipher, mac } : undefined
}

const kexInit = 20

/** The lines that a server sends before its version string, or instead of it. */
export function greetingIn(heard: Buffer): string {
  const text = heard.toString('latin1')
  const end = text.search(/(?:^|\n)SSH-/)
  return (end < 0 ? text : text.slice(0, end)).trim().slice(0, 200)
}
