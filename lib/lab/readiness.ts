/** Whether a lab host really answers SSH: logs in and runs `true`. */
import { setTimeout as delay } from 'node:timers/promises'
import ssh2 from 'ssh2'

export interface Login {
  address: string
  port: number
  user: string
  privateKey: string
  /** Base64 part of the host's public key. */
  hostKey: string
}

/** The reason if a server refuses the login for good. */
const refused = 'it refuses the login'

/** @returns why it does not answer; undefined if it does */
export function whyNoAnswer(login: Login, timeoutMs: number): Promise<string | undefined> {
  const client = new ssh2.Client()
  return new Promise<string | undefined>(resolve => {
    client.on('error', (error: Error & ssh2.ClientErrorExtensions) =>
      resolve(error.level === 'client-authentication' ? refused : error.message),
    )
    client.on('close', () => resolve('the connection ended'))
    client.on('ready', () =>
      client.exec('true', (error, channel) => {
        if (error) return resolve(error.message)
        channel.on('exit', status =>
          resolve(status === 0 ? undefined : `\`true\` exited with ${status}`),
        )
        channel.resume()
      }),
    )
    client.connect({
      host: login.address,
      port: login.port,
      username: login.user,
      privateKey: login.privateKey,
      hostVerifier: (key: Buffer) => key.toString('base64') === login.hostKey,
      readyTimeout: timeoutMs,
    })
  }).finally(() => {
    // A reset while it closes does not matter.
    client.on('error', () => {})
    client.end()
  })
}

/**
 * Waits until a host answers.
 * @param stillRuns called between attempts: a server that has exited will never answer, and one that refused
 *   the login will not change its mind
 * @returns why it did not answer within `timeoutMs`; undefined if it did
 */
export async function awaitAnswer(
  login: Login,
  timeoutMs: number,
  stillRuns: () => boolean,
): Promise<string | undefined> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const why = await whyNoAnswer(login, Math.max(deadline - Date.now(), 1000))
    if (why === undefined) return undefined
    if (!stillRuns()) return 'its server exited'
    if (why === refused || Date.now() > deadline) return why
    await delay(20)
  }
}
