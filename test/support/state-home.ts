/** Runs of tests keep their logs in a scratch place, not in the developer's home. For vitest's globalSetup. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function useScratchState(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'hostwright-state-'))
  process.env.XDG_STATE_HOME = directory
  return () => rmSync(directory, { recursive: true, force: true })
}
