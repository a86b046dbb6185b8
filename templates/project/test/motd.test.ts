/** `npm test`: what the recipe does on a host that exists for this test. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { expectConverges, lab } from 'hostwright/testing'

const hosts = await lab()
after(() => hosts.stop())

test('motd greets whoever logs in', async () => {
  await expectConverges(hosts, ['motd', 'everybody'])
  const motd = await hosts.host('lab1').file('/etc/motd')
  assert.equal(motd?.content, 'hello everybody\n')
  assert.equal(motd.mode, 0o644)
})
