/** Runs of a recipe over hosts that are this machine, each with a state directory of its own. */
import { join } from 'node:path'
import type { Catalogue } from '../../lib/bootstrap/definitions.ts'
import type { RunEvent } from '../../lib/events.ts'
import type { RunOptions } from '../../lib/host/run-options.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import type { ArgumentTypes } from '../../lib/recipe/arguments.ts'
import { type RecipeOptions, type RunContext, recipe } from '../../lib/recipe/recipe.ts'
import { type RunResult, runRecipe } from '../../lib/rollout/run.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { expectComplete, recordEvents } from './run-events.ts'
import { temporaryDirectory } from './shells.ts'

export const localHost = (
  name: string,
  within: string,
  vars: Record<string, string> = {},
): Host => ({
  name,
  vars,
  groups: [],
  connection: 'local',
  address: '127.0.0.1',
  port: 22,
  bootstrapDir: join(within, `${name}-state`),
  root: '',
})

/** A host that nothing answers for. */
export const deadHost = (name: string, within: string): Host => ({
  ...localHost(name, within),
  connection: 'ssh',
  port: 1,
  user: 'nobody',
})

export type Local = Awaited<ReturnType<typeof local>>

/** A place for runs: its directory, and its hosts. */
export async function local(...names: string[]) {
  const directory = await temporaryDirectory()
  const stop = new AbortController()
  const kill = new AbortController()
  let runs = 0
  const hosts = (names.length > 0 ? names : ['h1']).map(name => localHost(name, directory))
  const run = async (
    what: RecipeOptions<ArgumentTypes> | RecipeOptions<ArgumentTypes>['run'],
    more: Partial<RunOptions> = {},
  ): Promise<RunResult & { seen: RunEvent[] }> => {
    const { events, seen } = recordEvents()
    const options = typeof what === 'function' ? { description: '', run: what } : what
    const result = await runRecipe({
      recipe: recipe(options),
      name: 'site',
      args: {},
      hosts,
      environment: 'test',
      catalogue: () => {
        throw new Error('there is no catalogue')
      },
      modules: new Map(),
      events,
      run: `r${++runs}`,
      check: false,
      diff: false,
      forks: 50,
      timeoutMs: 2000,
      connector: createConnector({ acceptNew: false }),
      waitLockMs: 0,
      owner: 'tester',
      controller: 'here',
      interrupts: { stop: stop.signal, kill: kill.signal },
      ...more,
    })
    expectComplete(seen)
    return { ...result, seen }
  }
  return { directory, at: (name: string) => join(directory, name), hosts, run, stop, kill }
}

/** A catalogue of products that need nothing but what a test says of them. */
export const catalogueOf = (
  products: Record<string, object>,
  roles: Record<string, string[]> = {},
): (() => Catalogue) => {
  const catalogue = {
    file: 'bootstrap.ini',
    directory: '/',
    modes: ['provisioning', 'active', 'upgrading', 'maintenance'],
    roles: new Map(
      Object.entries(roles).map(([name, members]) => [name, { name, products: members }]),
    ),
    products: new Map(
      Object.entries(products).map(([name, more]) => [
        name,
        { name, description: '', packages: [], scripts: {}, settings: new Map(), ...more },
      ]),
    ),
  }
  return () => catalogue as unknown as Catalogue
}

export type Run = (context: RunContext) => Promise<void>
