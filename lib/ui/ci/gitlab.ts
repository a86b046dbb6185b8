/** The log of GitLab CI: markers of sections, which it folds. */
import { oneLine } from '../reports/texts.ts'
import type { Environment } from '../theme.ts'

export const isGitlab = (env: Environment): boolean => env.GITLAB_CI === 'true'

const clearLine = '\x1b[0K'

/** @param name letters, digits and _; the section’s end has the same */
export const sectionStart = (name: string, title: string, at: number): string =>
  `${clearLine}section_start:${seconds(at)}:${name}[collapsed=true]\r${clearLine}${oneLine(title)}\n`

export const sectionEnd = (name: string, at: number): string =>
  `${clearLine}section_end:${seconds(at)}:${name}\r${clearLine}\n`

const seconds = (at: number) => Math.floor(at / 1000)
