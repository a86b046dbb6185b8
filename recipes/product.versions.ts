import {
  compareVersions,
  findRole,
  isVersion,
  optional,
  product,
  recipe,
  StepError,
} from '../lib/index.ts'
import { hasVersion, installedVersion } from '../tasks/product.ts'

interface Versions {
  product: string
  /** Whether it is a package or an archive, so that the host could be asked. */
  looked: boolean
  installed?: string
  recorded?: string
  /** The version in bootstrap.ini. */
  file?: string
  underWay?: boolean
}

export default recipe({
  description: 'Show versions: installed, recorded, in bootstrap.ini, and where they differ',
  args: { product: optional(product('default: every product of the server’s role')) },
  examples: ['product.versions --on all', 'product.versions deepfiler --on web'],
  lock: false,

  async run(context) {
    const { args, catalogue, host, output, state } = context
    const role = state.server?.role ?? host.vars.maybeText('role')
    if (args.product === undefined && role === undefined) {
      throw new StepError('this host has no role, so it has no products', {
        hint: 'Run server.provision first, or name a product.',
      })
    }
    const names = args.product ? [args.product] : findRole(catalogue, role!).products
    const found: Versions[] = []
    for (const name of names) {
      const each = context.product(name)
      if (!hasVersion(each)) continue
      found.push({
        product: name,
        looked: each.definition.packages.length > 0 || each.definition.archive !== undefined,
        installed: await installedVersion(each, context),
        recorded: each.recorded?.version,
        file: each.definition.version,
        underWay: state.intents.has(name) || undefined,
      })
    }
    output(found)
  },

  report: outcomes => ({
    header: ['HOST', 'PRODUCT', 'INSTALLED', 'RECORDED', 'BOOTSTRAP.INI', 'STATE'],
    rows: outcomes.flatMap(({ host, data }) =>
      ((data ?? []) as Versions[]).map(each => [
        host,
        each.product,
        each.installed ?? '-',
        each.recorded ?? '-',
        each.file ?? '-',
        stateOf(each),
      ]),
    ),
  }),
})

function stateOf({ looked, installed: found, recorded, file, underWay }: Versions): string {
  if (underWay) return 'under way'
  // Of what scripts install there is only the record.
  const installed = looked ? found : recorded
  if (installed === undefined) return 'not installed'
  if (file !== undefined && !isVersion(file, installed))
    return compareVersions(installed, file) < 0 ? 'behind' : 'ahead'
  if (recorded !== undefined && !isVersion(recorded, installed)) return 'not as recorded'
  return 'ok'
}
