/** Decisions as shown by --debug, one line each. */
import type { RunEvent } from '../events.ts'
import { escapeControls } from './escape.ts'

type DebugEvent = Extract<RunEvent, { type: 'debug' }>

/** `login: the server accepted key ~/.ssh/id_ed25519` */
export const debugText = ({ area, message }: DebugEvent): string =>
  `${area}: ${escapeControls(message)}`

/** The same with its host, for a terminal: `debug web1: login: …` */
export const debugLine = (event: DebugEvent): string =>
  `debug ${event.host === undefined ? '' : `${escapeControls(event.host)}: `}${debugText(event)}`
