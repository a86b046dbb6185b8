/** haproxy from the distribution’s packages, with our own config file. */
import { readFileSync } from 'node:fs'
import {
  block,
  command,
  file,
  type HostProduct,
  handler,
  type InventoryView,
  type Items,
  type RunningHost,
  sh,
  systemdUnit,
} from '../lib/index.ts'
import type { ProductModule } from './product.ts'

/**
 * Default of a host’s variable `haproxy_backends`, such as `10.0.0.2:8080, 10.0.0.3:8080`. `app:8080`, with the name of a
 * group in place of an address, is all hosts of that group, each under its own name.
 */
const defaultBackends = '127.0.0.1:8080'

const socket = '/run/haproxy/admin.sock'

/** Where servers' states are during a reload. */
const states = '/var/lib/haproxy/server-state'

/** What keeps them for those who reload haproxy without hostwright. */
const keeper = '/usr/local/sbin/haproxy-states'

const keeperText = () => readFileSync(new URL('haproxy/states.sh', import.meta.url), 'utf8')

const keep = (what: string) => `${keeper} ${what} ${socket} ${states}`

export const haproxy: ProductModule = {
  prepare: (product, host) => [
    // haproxy complains about a file that is missing; this is one without servers.
    // What it has while haproxy is stopped, haproxy takes up when it starts.
    file(states, { content: '1\n', mode: 0o644, onlyIfAbsent: true }),
    keptByOthers(product, host),
  ],
  // A drained server must not be back in service because of another setting. By a text of its own: the host may
  // have been provisioned before there was a file of it.
  renew: ({ service }, action) =>
    handler(
      command(`${sh`set -- ${action} ${socket} ${states} ${service!}`}\n${keeperText()}`, {
        title: `${action} ${service}, keeping its servers’ states`,
        idempotent: true,
      }),
    ),
  configure: ({ config, settings, validate }, host, reload, inventory) =>
    file(config!, {
      content: haproxyConfig(settings, host, inventory),
      mode: 0o644,
      validate,
      notify: reload,
    }),
}

/**
 * States are kept too when somebody else reloads or restarts haproxy: an operator, a hook of certbot, an update of the
 * package. By what Debian’s has of systemd and of SysV, whose script OpenRC runs too; those of other distributions check the config by other words.
 */
function keptByOthers({ service }: HostProduct, { facts }: RunningHost): Items {
  if (service !== 'haproxy' || facts.packageManager !== 'apt') return []
  const program = file(keeper, { content: keeperText(), mode: 0o755 })
  if (facts.init === 'systemd')
    return [
      program,
      systemdUnit('haproxy', {
        dropIn: 'hostwright-states',
        content: {
          Service: {
            // The package's own lines, with ours around the last.
            ExecReload: [
              '',
              '/usr/sbin/haproxy -Ws -f $CONFIG -c -q $EXTRAOPTS',
              keep('save'),
              '/bin/kill -USR2 $MAINPID',
              keep('taken'),
            ],
            // For restarts, as by an update of the package. The service stops and starts whatever comes of it.
            ExecStop: `-${keep('save')}`,
            ExecStartPost: `-${keep('forget')}`,
          },
        },
      }),
    ]
  if (facts.init !== 'sysv' && facts.init !== 'openrc') return []
  return [
    program,
    // The package's script reads it first. systemd, which reads it too, passes over lines without an equals sign.
    block('/etc/default/haproxy', {
      marker: 'hostwright: servers keep their states',
      content: `case \${1-} in reload | force-reload | restart) ${keep('save')} && trap '${keep('forget')}' EXIT || exit ;; esac`,
    }),
  ]
}

/**
 * The complete haproxy.cfg. Each setting of bootstrap.ini is on its own line, so that `product.set` can edit
 * it in place and a later provision would write the same file.
 */
export function haproxyConfig(
  settings: Readonly<Record<string, string>>,
  host: Pick<RunningHost, 'vars'>,
  inventory: Pick<InventoryView, 'groups' | 'group'>,
): string {
  const value = (name: string, otherwise: string) => settings[name] ?? otherwise
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
${backendsOf(host, inventory)
  .map(({ name, address }) => `    server ${name} ${address}`)
  .join('\n')}
`
}

/**
 * Its servers: all of a group, also those that this run does not touch.
 */
function backendsOf(
  { vars }: Pick<RunningHost, 'vars'>,
  { groups, group }: Pick<InventoryView, 'groups' | 'group'>,
): { name: string; address: string }[] {
  const known = new Set(groups)
  return (vars.maybeText('haproxy_backends') ?? defaultBackends)
    .split(',')
    .flatMap((text, index) => {
      const backend = text.trim()
      const [, name = '', port] = /^(.+):(\d+)$/.exec(backend) ?? []
      if (!known.has(name)) return [{ name: `stack${index + 1}`, address: backend }]
      return group(name).map(host => ({ name: host.name, address: `${host.address}:${port}` }))
    })
}
