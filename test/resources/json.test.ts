import { json } from '../../lib/resources/data/json.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'

const daemon = `{
  // how logs are kept
  "log-driver" : "json-file",   /* the default */
  "log-opts": { "max-size":"5m",  "max-file": "3" },
  "dns": [
    "192.0.2.1", // first
    "192.0.2.2" // second
  ],
  "debug": true // for now
}
`

resourceTable(
  'json',
  [
    {
      name: 'keys of a file with comments',
      given: `cat >daemon.json <<'END'\n${daemon}END`,
      wanted: at =>
        json(at('daemon.json'), {
          set: { 'log-opts.max-size': '10m', 'dns.2': '192.0.2.3', features: { buildkit: true } },
          unset: ['debug'],
        }),
      holds: `diff - daemon.json <<'END'
{
  // how logs are kept
  "log-driver" : "json-file",   /* the default */
  "log-opts": { "max-size":"10m",  "max-file": "3" },
  "dns": [
    "192.0.2.1", // first
    "192.0.2.2", // second
    "192.0.2.3"
  ],
  "features": {
    "buildkit": true
  }
}
END`,
      drift: [
        'sed -i s/10m/11m/ daemon.json',
        `sed -i 's|^  // how|  "debug": 1,\\n&|' daemon.json`,
      ],
      note: /^log-opts.max-size, dns.2, features, no debug$/,
    },
  ],
  { host: directoryHost },
)

resourceTable(
  'json, read by Python',
  [
    {
      name: 'a file that is not there',
      wanted: at =>
        json(at('a b.json'), {
          set: [
            [
              ['a.b', 'c"d'],
              [1, { x: null }],
            ],
          ],
        }),
      holds: `python3 - <<'END'
import json
assert json.load(open('a b.json')) == {'a.b': {'c"d': [1, {'x': None}]}}
END`,
      drift: ['rm "a b.json"', ': >"a b.json"', 'echo {} >"a b.json"'],
      note: 'created',
    },
  ],
  { host: directoryHost, tags: ['python3'] },
)
