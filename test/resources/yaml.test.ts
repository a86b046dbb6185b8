import { yaml } from '../../lib/resources/data/yaml.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'

const config = `# config of the app
server:
    host:   example.org   # public
    ports: [80,  443]

    tls: &tls
        cert: 'a.pem'
users:
- name: ann
  admin: yes   # for now
- name: bob
motd: |
  hello
  world
old: 1
# the end
`

resourceTable(
  'yaml',
  [
    {
      name: 'keys, comments and styles of a file',
      given: `cat >app.yaml <<'END'\n${config}END`,
      wanted: at =>
        yaml(at('app.yaml'), {
          set: {
            'server.ports.2': 8443,
            'server.tls.key': 'no',
            'users.0.admin': false,
            'users.2': { name: 'cy', groups: ['a', 'b'] },
            motd: 'bye',
            'a.b': null,
          },
          unset: ['old', 'server.host'],
        }),
      holds: `diff - app.yaml <<'END'
# config of the app
server:
    ports: [80,  443, 8443]

    tls: &tls
        cert: 'a.pem'
        key: "no"
users:
- name: ann
  admin: false   # for now
- name: bob
- name: cy
  groups:
    - a
    - b
motd: bye
a:
  b: null
# the end
END`,
      drift: ['sed -i "s/8443/8444/" app.yaml', 'sed -i "s/^# the end/old:\\n&/" app.yaml'],
      note: /^server.ports.2, server.tls.key, users.0.admin, users.2, motd, a.b, no old, no server.host$/,
    },
    {
      name: 'a file that is not there, and one of several documents',
      given: `printf 'a: 1\\r\\n---\\r\\nb: 1\\r\\n' >two.yaml; chmod 600 two.yaml`,
      wanted: at => [
        yaml(at('new one.yml'), { set: [[['x.y', 'z'], 'a: b']] }),
        yaml(at('two.yaml'), { set: { c: [] }, document: 0 }),
      ],
      holds: `[ "$(cat "new one.yml")" = 'x.y:
  z: "a: b"' ] && printf 'a: 1\\r\\nc: []\\r\\n---\\r\\nb: 1\\r\\n' | cmp - two.yaml && [ "$(stat -c %a two.yaml)" = 600 ]`,
      drift: [`rm "new one.yml"`, `printf 'a: 1\\r\\n---\\r\\nb: 1\\r\\n' >two.yaml`],
      note: 'created',
    },
  ],
  { host: directoryHost },
)
