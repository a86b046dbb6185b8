/**
 * The order in which files run: those that take longest first, so that no worker is busy long after the others.
 * What vitest remembers of the last run is not there in a clean clone, and size says little: a short file may boot
 * systems.
 */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** More than 20 s each with `npm run test:all`. */
export const slowest: readonly string[] = [
  'test/faults/faults.test.ts',
  'test/e2e/upgrade-faults.test.ts',
  'test/e2e/upgrade-faults-real.test.ts',
  'test/resources/half-done/files.test.ts',
  'test/resources/half-done/users.test.ts',
  'test/resources/half-done/system.test.ts',
  'test/resources/half-done/transfer.test.ts',
  'test/resources/half-done/systemd.test.ts',
  'test/contract/like-ssh.test.ts',
  'test/resources/leftovers.test.ts',
  'test/e2e/recipes.test.ts',
  'test/resources/systemd.test.ts',
  'test/resources/npm-package.test.ts',
  'test/resources/pkg.test.ts',
  'test/resources/pkg-runs.test.ts',
  'test/e2e/tutorial.test.ts',
  'test/resources/copy-tree.test.ts',
  'test/e2e/products.test.ts',
  'test/resources/lines.property.test.ts',
  'test/shell/session.test.ts',
  'test/resources/default-acl.test.ts',
  'test/resources/ini.test.ts',
  'test/e2e/haproxy.test.ts',
  'test/shell/contention.test.ts',
  'test/e2e/plan.test.ts',
  'test/e2e/secrets.test.ts',
  'test/e2e/nothing-left.test.ts',
  'test/resources/ini-readers.property.test.ts',
  'test/resources/take-over.test.ts',
  'test/resources/system.test.ts',
  'test/resources/env-file.test.ts',
  'test/resources/service.test.ts',
  'test/shell/ini.test.ts',
  'test/e2e/lock.test.ts',
  'test/resources/editors.test.ts',
  'test/e2e/lab.test.ts',
]

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const placeOf = ({ moduleId }: TestSpecification) =>
      slowest.indexOf(relative(this.ctx.config.root, moduleId))
    const listed = sorted.filter(file => placeOf(file) >= 0)
    const others = sorted.filter(file => placeOf(file) < 0)
    return [...listed.sort((a, b) => placeOf(a) - placeOf(b)), ...others]
  }
}
