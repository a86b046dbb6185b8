/** Whether a lab host really answers SSH: logs in, runs `true`. */
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

/** What a server says to a login that it will never let in. */
const refused = 'it refuses the login'

/** @returns why it does not answer; undefined when it does */
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
    // A reset while it closes is nobody's concern any more.
    client.on('error', () => {})
    client.end()
  })
}

/**
 * Waits until a host answers.
 * @param stillRuns asked between attempts: a server that has ended will never answer; nor will one
 * that refused the login do otherwise later
 * @returns why it did not in `timeoutMs`; undefined when it does
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
