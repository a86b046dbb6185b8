/** The account that runs this process. */
import { userInfo } from 'node:os'

/** The account's name, or its uid if it has none, as in some containers. */
export function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
