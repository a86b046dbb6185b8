/** Who runs this. */
import { userInfo } from 'node:os'

/** The account's name; its number where it has none, as in some containers. */
export function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
