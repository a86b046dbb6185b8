/** An inventory from the text of a hosts.ini. */
import { assemble, type InventoryOptions } from '../../lib/inventory/draft.ts'
import type { Inventory } from '../../lib/inventory/inventory.ts'
import { readHostsIni } from '../../lib/inventory/readers/hosts-ini.ts'

export interface ParseOptions extends InventoryOptions {
  /** The file’s name in messages. Default: `file`. */
  shownAs?: string
}

export const parseInventory = (text: string, options: ParseOptions): Inventory =>
  assemble(readHostsIni(text, options.shownAs ?? options.file), options)
