// Who may import whom (docs/architecture.md, "Layers"). A layer may import the ones above it in this
// list, never the ones below; nothing imports in a circle; a library belongs to one module or layer, or to the few that are named.
const layers = [
  'errors',
  'events',
  'make-directory',
  'read-file',
  'run-to-end',
  'private-file',
  'controller',
  'faults',
  'shell',
  'templates',
  'remote',
  'ini',
  'inventory',
  'bootstrap',
  'transport',
  'session',
  'resources',
  'facts',
  'heartbeat',
  'balancer',
  'callbacks',
  'recipe',
  'program',
  'report',
  'host',
  'rollout',
  'ui',
  'lab',
  'init',
  'cli',
  'testing',
]
const path = layer => `^lib/${layer}(/|\\.ts$)`

const order = layers.slice(0, -1).map((layer, index) => ({
  name: `${layer}-stays-below`,
  comment: `lib/${layer} may not import what stands later in the list of layers`,
  severity: 'error',
  from: { path: path(layer) },
  to: { path: layers.slice(index + 1).map(path) },
}))

/** `library` may be imported from `modules` only. */
const only = (library, modules) => ({
  name: `${library}-has-one-home`,
  severity: 'error',
  from: { path: '^(lib|recipes|tasks)/', pathNot: modules },
  to: { path: `node_modules/${library}/`, dependencyTypesNot: ['type-only'] },
})

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'lib-stands-alone',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(recipes|tasks|inventories)/' },
    },
    {
      name: 'recipes-use-the-public-api',
      severity: 'error',
      from: { path: '^(recipes|tasks)/' },
      to: { path: '^lib/', pathNot: '^lib/index\\.ts$' },
    },
    {
      name: 'tasks-know-no-recipes',
      severity: 'error',
      from: { path: '^tasks/' },
      to: { path: '^recipes/' },
    },
    ...order,
    only('node-ssh', ['^lib/transport/ssh/ssh\\.ts$']),
    only('ssh2', ['^lib/transport/', '^lib/lab/']),
    only('cac', ['^lib/cli/']),
    only('@xmldom/xmldom', ['^lib/ui/reports/junit\\.ts$']),
    only('listr2', ['^lib/ui/']),
    only('log-update', ['^lib/ui/']),
    only('zx', ['^lib/session/']),
    only('ini', ['^lib/ini/']),
    only('p-limit', ['^lib/(host|rollout|transport)/']),
    only('p-retry', ['^lib/(callbacks|heartbeat|host)/', '^lib/transport/connecting/']),
    only('@eslint-community/regexpp', ['^lib/resources/host-pattern\\.ts$']),
    only('re2js', ['^lib/shell/linear-pattern\\.ts$', '^lib/templates/regex\\.ts$']),
    only('yaml', ['^lib/resources/data/edit/', '^lib/inventory/readers/yaml\\.ts$']),
    only('jsonc-parser', ['^lib/resources/data/edit/']),
    only('toml-eslint-parser', ['^lib/resources/data/edit/']),
    only('diff', ['^lib/report/']),
    only('fastest-levenshtein', ['^lib/shell/nearest\\.ts$']),
    only('ssh-config', ['^lib/transport/config/parser\\.ts$']),
    only('jiti', ['^lib/recipe/']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
}
