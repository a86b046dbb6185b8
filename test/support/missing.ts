/**
 * Fails a file some of whose tests need what is missing, as where CI is set; elsewhere they are skipped.
 * For vitest's setupFiles: it runs in each file, so it loads nothing.
 */
import { beforeAll, inject, type RunnerTask } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** What is missing, and how to come by it. */
    missing: Record<string, string>
  }
}

const tagsToRun = (task: RunnerTask): string[] => {
  if (task.mode !== 'run' && task.mode !== 'queued') return []
  return task.type === 'test' ? (task.tags ?? []) : task.tasks.flatMap(tagsToRun)
}

// biome-ignore lint/correctness/noEmptyPattern: vitest looks at what it takes apart
beforeAll(({}, file) => {
  const tags = new Set(tagsToRun(file))
  const missing = Object.entries(inject('missing')).filter(([name]) => tags.has(name))
  if (missing.length === 0) return
  const each = missing.map(([name, get]) => `${name} (${get})`)
  throw new Error(`tests of this file need ${each.join(', ')}; outside of CI they are skipped`)
})
