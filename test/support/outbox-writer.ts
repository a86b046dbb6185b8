/**
 * A process that writes callbacks and sends them, until it is killed or all are sent:
 * `node --import tsx outbox-writer.ts DIRECTORY URL PREFIX COUNT`. It prints the id of each that is written.
 */
import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { newCallback, openOutbox, targetOf } from '../../lib/callbacks/outbox.ts'
import { sendWaiting } from '../../lib/callbacks/send.ts'

const [directory, url, prefix, count] = process.argv.slice(2)
const outbox = openOutbox(directory!)
let written = false

const send = async () => {
  const receiver = { url: new URL(url!), env: {} }
  for (;;) {
    const all = written
    const how = { retries: 2, minDelayMs: 1, timeoutMs: 200 }
    const { stopped } = await sendWaiting(outbox, targetOf(url!), receiver, how)
    if (all && stopped === undefined) return
    await pause(1)
  }
}

const sending = send()
for (let number = 1; number <= Number(count); number++) {
  const id = `msg_${prefix}-${number}`
  const message = { id, type: 'run.completed' as const, run: prefix!, body: JSON.stringify({ id }) }
  outbox.put(newCallback(message, { url: url!, login: false, signed: false }))
  writeSync(1, `${id}\n`)
  await pause(1)
}
written = true
await sending
