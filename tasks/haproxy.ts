/** haproxy from the distribution’s packages, with our own config file. */
import { readFileSync } from 'node:fs'
import { command, file, handler, type RunningHost } from '../lib/index.ts'
import type { ProductModule } from './product.ts'

/** Default of a host’s variable `haproxy_backends`, such as `10.0.0.2:8080, 10.0.0.3:8080`. */
const defaultBackends = '127.0.0.1:8080'

const socket = '/run/haproxy/admin.sock'

/** Where servers' states are during a reload. */
const states = '/var/lib/haproxy/server-state'

export const haproxy: ProductModule = {
  // haproxy complains about a file that is missing; this is one without servers.
  prepare: () => file(states, { content: '1\n', mode: 0o644 }),
  // A drained server must not be back in service because of another setting.
  renew: ({ service }, action) =>
    handler(
      command(readFileSync(new URL('haproxy/renew.sh', import.meta.url), 'utf8'), {
        title: `${action} ${service}, keeping its servers’ states`,
        idempotent: true,
        env: { SERVICE: service!, ACTION: action, SOCKET: socket, STATES: states },
      }),
    ),
  configure: ({ config, settings, validate }, host, reload) =>
    file(config!, {
      content: haproxyConfig(settings, host),
      mode: 0o644,
      validate,
      notify: reload,
    }),
}

/**
 * The complete haproxy.cfg. Each setting of bootstrap.ini is on its own line, so that `product.set` can edit
 * it in place and a later provision would write the same file.
 */
export function haproxyConfig(
  settings: Readonly<Record<string, string>>,
  host: Pick<RunningHost, 'vars'>,
): string {
  const value = (name: string, otherwise: string) => settings[name] ?? otherwise
  const backends = (host.vars.maybe('haproxy_backends') ?? defaultBackends)
    .split(',')
    .map(backend => backend.trim())
  return `# Written by hostwright (server.provision); settings are changed with product.set.
global
    log /dev/log local0
    stats socket ${socket} mode 660 level admin
    stats timeout 30s
    server-state-file ${states}
    user haproxy
    group haproxy
    daemon
    maxconn ${value('maxconn', '2000')}

defaults
    log global
    mode http
    load-server-state-from-file global
    timeout connect ${value('timeout_connect', '5s')}
    timeout client ${value('timeout_client', '50s')}
    timeout server ${value('timeout_server', '50s')}

frontend stack
    bind ${value('bind', '127.0.0.1:8000')}
    default_backend stack

backend stack
    option httpchk GET /heartbeat
    default-server check inter 1s fall 2 rise 1
${backends.map((backend, index) => `    server stack${index + 1} ${backend}`).join('\n')}
`
}
