/** A host that answers in our protocol, but not truthfully: its real answers, rewritten on their way. */
import { Transform } from 'node:stream'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'

/** @param lie what the host sends instead of a marker, which is without its nonce */
export function lyingConnector(lie: (marker: string) => string): Connector {
  const honest = createConnector({ acceptNew: false })
  return {
    connect: async (host, options) => {
      const transport = await honest.connect(host, options)
      const open: typeof transport.open = async command => {
        const shell = await transport.open(command)
        return { ...shell, stdout: shell.stdout.pipe(rewriting(lie)) }
      }
      return { ...transport, open }
    },
    close: honest.close,
  }
}

function rewriting(lie: (marker: string) => string): Transform {
  let held = ''
  return new Transform({
    transform(chunk: Buffer, _, done) {
      held += chunk.toString('latin1')
      const end = held.lastIndexOf('\n') + 1
      const whole = held.slice(0, end)
      held = held.slice(end)
      const said = whole.replace(
        /(hw[0-9a-f]{24} )(.*)/g,
        (_line, nonce: string, marker: string) => nonce + lie(marker),
      )
      done(null, Buffer.from(said, 'latin1'))
    },
    flush(done) {
      done(null, Buffer.from(held, 'latin1'))
    },
  })
}
