import type { CallbackDocument } from '../../../lib/callbacks/document.ts'

export const document: CallbackDocument = {
  version: 1,
  type: 'run.completed',
  run: '20260804T101500-ab12',
  recipe: 'server.provision',
  environment: 'production',
  args: { role: 'web' },
  check: false,
  startedAt: '2026-08-04T10:15:00.000Z',
  endedAt: '2026-08-04T10:15:04.200Z',
  durationMs: 4200,
  ok: true,
  exitCode: 0,
  hosts: [],
  errors: [],
  decisions: [],
}
