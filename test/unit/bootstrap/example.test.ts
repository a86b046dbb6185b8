import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseCatalogue, roleKeys, serverKeys } from '../../../lib/bootstrap/catalogue.ts'
import { loadCatalogue } from '../../../lib/bootstrap/load.ts'
import { productKeys } from '../../../lib/bootstrap/product-section.ts'
import { settingKeys } from '../../../lib/bootstrap/setting-section.ts'

const root = new URL('../../../', import.meta.url)

test('the example catalogue is valid and its scripts exist', async () => {
  const catalogue = await loadCatalogue(fileURLToPath(new URL('inventories/example', root)))
  expect(catalogue.roles.get('web')!.products).toEqual(['haproxy', 'deepfiler', 'appstack'])
  expect(catalogue.products.get('haproxy')!.settings.get('timeout_server')!.key).toBe(
    'timeout server',
  )
})

describe('the reference', async () => {
  const reference = await readFile(new URL('docs/bootstrap-ini.md', root), 'utf8')

  test.each([
    ['server', serverKeys],
    ['role', roleKeys],
    ['product', productKeys],
    ['setting', settingKeys],
  ])('documents every key of [%s]', (form, keys) => {
    const chapter = reference.split(/^##+ /m).find(part => part.startsWith(`\`[${form}`))
    const rows = [...chapter!.matchAll(/^\| `(\w+)`/gm)].map(row => row[1])
    expect(rows).toEqual([...keys])
  })

  test('has valid examples', () => {
    const examples = [...reference.matchAll(/^ *```ini\n( *; bootstrap\.ini\n.*?)^ *```/gms)]
    expect(examples).toHaveLength(2)
    for (const [, text] of examples)
      expect(() => parseCatalogue(text!, { file: 'bootstrap.ini' })).not.toThrow()
  })
})
