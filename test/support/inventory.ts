/** An inventory from the text of a hosts.ini. */
import { assemble, type InventoryOptions } from '../../lib/inventory/assemble.ts'
import { createDraft } from '../../lib/inventory/draft.ts'
import type { Inventory } from '../../lib/inventory/inventory.ts'
import { refuseUnsupported } from '../../lib/inventory/pattern.ts'
import { readHostsIni } from '../../lib/inventory/readers/hosts-ini.ts'
import { evaluate } from '../../lib/templates/engine.ts'

export interface ParseOptions extends InventoryOptions {
  /** The file’s name in messages. Default: `file`. */
  shownAs?: string
}

/** As a command that selects some of its hosts, or none, reads it. */
export function readInventory(text: string, options: ParseOptions): Inventory {
  const draft = createDraft()
  readHostsIni(draft, text, { path: options.file, shownAs: options.shownAs ?? options.file })
  return assemble(draft, { evaluate, ...options })
}

/** As a command that selects all hosts reads it: one that is not supported is refused. */
export function parseInventory(text: string, options: ParseOptions): Inventory {
  const inventory = readInventory(text, options)
  refuseUnsupported(inventory, inventory.hosts)
  return inventory
}
