import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { reportNotTested, type Stage } from './test/support/not-tested.ts'
import {
  findMissing,
  lateRequirements,
  type Requires,
  requirements,
  sameAnywhere,
} from './test/support/requires.ts'
import { SlowestFirst } from './test/support/slowest-first.ts'

/** In CI all has to be there, but for what it has said it can't have. */
const fails = (name: string) =>
  process.env.CI && !process.env.HOSTWRIGHT_TEST_WITHOUT?.split(',').includes(name)

const files = (...folders: string[]) => folders.map(folder => `test/${folder}/**/*.test.ts`)

/**
 * `--mode early` leaves out what starts whole systems or takes long (`npm test`), `--mode late` runs just
 * that (`npm run test:all`); `--mode release` leaves out what is the same in each release of Debian. Without a
 * mode all runs that is asked for.
 */
export default defineConfig(async ({ mode }) => {
  const missing = await findMissing()
  const ways = Object.fromEntries(missing.map(name => [name, requirements[name].get]))
  const stages: readonly Stage[] = ['early', 'late', 'release']
  const stage = stages.find(each => each === mode) ?? 'all'
  const late = lateRequirements.join(' || ')
  const tagsFilter = {
    ...{ early: [`!(${late})`], late: [late], all: undefined },
    release: [`!(${sameAnywhere.join(' || ')})`],
  }[stage]
  const common = {
    tagsFilter,
    // A worker runs many files: nothing in lib has state of its own, and a process and its imports for each file
    // are a third of the time of the unit tests. What a file changes (environment, timers) it puts back.
    isolate: false,
    setupFiles: 'test/support/missing.ts',
    provide: { missing: ways },
    // Scripts of CI, where one in thirty thousand must not refuse a change: they print which passed only then, and
    // fail if there are more than a few.
    retry: process.env.HOSTWRIGHT_TEST_COUNTS ? 1 : 0,
  }
  return {
    // How long files take is remembered by stage: what one skips is the longest of the other.
    cacheDir: `node_modules/.vite/${stage}`,
    test: {
      globalSetup: 'test/support/state-home.ts',
      // Files run in parallel; the hosts of each have addresses and directories of their own. More than there are
      // cores, as tests of hosts wait for processes.
      maxWorkers: availableParallelism() + 2,
      sequence: { sequencer: SlowestFirst },
      // What was made of a file is kept for other runs: those of CI, one after the other, load the same.
      experimental: { fsModuleCache: true },
      reporters: ['default', reportNotTested(stage, missing)],
      tags: Object.entries(requirements).map(([name, { get }]) => ({
        name,
        description: get,
        ...(missing.includes(name as Requires) && !fails(name) && { skip: true }),
      })),
      projects: [
        { test: { ...common, name: 'unit', include: files('unit'), testTimeout: 5_000 } },
        {
          test: {
            ...common,
            name: 'hosts',
            include: files('shell', 'resources', 'contract', 'e2e', 'faults'),
            testTimeout: 60_000,
            hookTimeout: 60_000,
          },
        },
      ],
    },
  }
})
