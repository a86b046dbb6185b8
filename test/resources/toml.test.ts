import { toml } from '../../lib/resources/data/toml.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'

const config = `# written by hand
title = 'x'   # aligned
when = 1979-05-27T07:32:00Z
ratio = 0.5

[server]  # where it listens
  port = 80
  hosts = [
    "a", # first
    "b"  # second
  ]

# about clients
[clients]
inline = {a=1,  b = 2}
old = true

[[fruit]]
name = "apple"
`

resourceTable(
  'toml',
  [
    {
      name: 'keys, comments and tables of a file',
      given: `cat >app.toml <<'END'\n${config}END`,
      wanted: at =>
        toml(at('app.toml'), {
          set: {
            title: 'say "y"',
            ratio: 1,
            'server.port': 8080,
            'server.hosts.2': 'c',
            'server.tls': { cert: 'a.pem' },
            'clients.inline.c': 3,
            'fruit.1.name': 'pear',
            'log.level': 'info',
          },
          unset: ['clients.old', 'when'],
        }),
      holds: `diff - app.toml <<'END'
# written by hand
title = "say \\"y\\""   # aligned
ratio = 1.0

[server]  # where it listens
  port = 8080
  hosts = [
    "a", # first
    "b",  # second
    "c"
  ]
  tls = { cert = "a.pem" }

# about clients
[clients]
inline = {a=1,  b = 2, c = 3}

[[fruit]]
name = "apple"

[[fruit]]
name = "pear"

[log]
level = "info"
END`,
      drift: [
        'sed -i "s/port = .*/port = 81/" app.toml',
        'sed -i "s/^title/when = 1\\n&/" app.toml',
        'sed -i "s/info/debug/" app.toml',
      ],
      note: /^title, ratio, server.port, server.hosts.2, server.tls, clients.inline.c, fruit.1.name, log.level, no clients.old, no when$/,
    },
    {
      name: 'a file that is not there, and one with a byte order mark and CRLF',
      given: `printf '\\357\\273\\277a = 1\\r\\n[t]\\r\\nb = 2' >bom.toml`,
      wanted: at => [
        toml(at('new.toml'), { set: [[['a', 'b.c'], true]] }),
        toml(at('bom.toml'), { set: { 't.c': 'x' }, unset: ['a'] }),
      ],
      holds: `[ "$(cat new.toml)" = '[a]
"b.c" = true' ] && printf '\\357\\273\\277[t]\\r\\nb = 2\\r\\nc = "x"' | cmp - bom.toml`,
      drift: ['rm new.toml', `printf '\\357\\273\\277a = 1\\r\\n[t]\\r\\nb = 2' >bom.toml`],
      note: 'created',
    },
  ],
  { host: directoryHost },
)
