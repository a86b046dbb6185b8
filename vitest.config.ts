import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,shell,resources,contract,e2e}/**/*.test.ts'],
    globalSetup: 'test/support/state-home.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Files run in parallel; the hosts of each have addresses and directories of their own.
    maxWorkers: 2,
  },
})
