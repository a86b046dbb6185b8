/**
 * The controller is killed while a host is drained: whatever goes on with it afterwards puts the host back.
 * @module-tag haproxy
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { balancer } from '../support/balancers.ts'
import { hostwright, startHostwright } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'
import { webServer } from '../support/web.ts'

const web = webServer()

const catalogue = `[server]
modes = provisioning, active, upgrading, maintenance
[product:app]
version = 1.0
upgrade = upgrade.sh
heartbeat = command: test -e {root}/good
heartbeat_interval = 100ms
balancer = lb
backend = app
balancer_socket = {root}/admin.sock
`

/** Each on a host of its own: after what it is killed, and what goes on. */
const cases = [
  { host: 'web1', after: 'on lb1: server app/web1 drain', next: ['resume', 'last'] },
  { host: 'web2', after: 'on lb2: server app/web2 maint', next: ['product.upgrade', 'app', '2.0'] },
  { host: 'web3', after: 'upgrade script of app', next: ['product.rollback', 'app'] },
  { host: 'web4', after: 'on lb1: server app/web4 ready', next: ['server.mode', 'active'] },
]

test('a controller that is killed leaves a note, by which resume, the same again, product.rollback and server.mode put the host back', async () => {
  web.pages['/health'] = { body: 'ok' }
  const directory = await temporaryDirectory()
  const address = new URL(web.url('/')).host
  const servers = Object.fromEntries(cases.map(({ host }) => [host, address]))
  const names = ['lb1', 'lb2']
  const lbs = await Promise.all(names.map(name => balancer(directory, name, servers)))
  const local = (name: string) =>
    `${name} connection=local bootstrap_dir=${join(directory, name, 'state')} root=${join(directory, name)}\n`
  const products = (host: string) => join(directory, host, 'state/products')
  for (const { host } of cases) {
    const place = join(directory, 'inventories', host)
    await mkdir(place, { recursive: true })
    const hosts = `${local(host)}[lb]\n${names.map(local).join('')}`
    await writeFile(join(place, 'hosts.ini'), hosts)
    await writeFile(join(place, 'bootstrap.ini'), catalogue)
    await writeFile(join(place, 'upgrade.sh'), 'true\n')
    await mkdir(products(host), { recursive: true, mode: 0o700 })
    await writeFile(join(directory, host, 'good'), '')
    await writeFile(join(products(host), 'app.ini'), '[product]\nversion = 1.0\n')
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}\n')
  const goOn = async ({ host, after, next }: (typeof cases)[number]) => {
    const how = { cwd: directory, env: { XDG_STATE_HOME: join(directory, host, 'xdg') } }
    const begun = startHostwright(['product.upgrade', 'app', '2.0', '-i', host, '--on', host], how)
    await begun.says(after)
    begun.child.kill('SIGKILL')
    await begun.ended
    const left = await readFile(join(products(host), 'app.drain'), 'utf8').catch(() => '')
    const where = next[0] === 'resume' ? [] : ['-i', host, '--on', host]
    const { status, stderr } = await hostwright([...next, ...where, '--wait-lock', '30s'], how)
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) })
    expect(await readdir(products(host))).not.toContain('app.drain')
    return left
  }
  const [note] = await Promise.all(cases.map(goOn))
  // Of the one that was killed first: the others may have been faster than the signal.
  expect(note).toContain('[balancers]\nlb1 = ready\nlb2 = ready')
  const up = cases.map(({ host }) => `${host} UP`)
  for (const lb of lbs) expect(await lb.servers()).toEqual(up)
})
