/**
 * `npm run demo`: hostwright on three disposable hosts on this machine, from provisioning to a rolling
 * upgrade that is rolled back automatically. Each command is the real command line, shown before it runs.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { CallbackDocument } from '../callbacks/document.ts'
import { formatTable } from '../ui/table.ts'
import { paint, themeFor } from '../ui/theme.ts'
import { labDown } from './lab.ts'
import { packageRoot } from './package-root.ts'

const cli = fileURLToPath(new URL('../cli/main.js', import.meta.url))
const { stdout, env } = process
const theme = themeFor(stdout, env)
const title = (words: string) => stdout.write(`\n${paint(theme, `# ${words}`, 'bold')}\n`)

/** Receives the callbacks of the runs. */
async function receiveCallbacks(): Promise<{
  url: string
  received: CallbackDocument[]
  server: Server
}> {
  const received: CallbackDocument[] = []
  const server = createServer(async (request, response) => {
    received.push(JSON.parse(await text(request)) as CallbackDocument)
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/runs`, received, server }
}

/** Runs a command line as a person would; ends the demo if the exit code is not the expected one. */
function hostwright(line: string, variables: Record<string, string>, expected = 0): Promise<void> {
  stdout.write(`${paint(theme, `$ hostwright ${line}`, 'cyan')}\n`)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...line.split(' ')], {
      cwd: packageRoot(),
      env: { ...env, ...variables },
      stdio: 'inherit',
    })
    child.once('error', reject)
    child.once('exit', code => {
      if (code === expected) resolve()
      else reject(new Error(`hostwright ${line}: exit code ${code}, expected ${expected}`))
    })
  })
}

async function demo(directory: string): Promise<void> {
  const { url, received, server } = await receiveCallbacks()
  const run = (line: string, expected?: number) =>
    hostwright(line, { HOSTWRIGHT_LAB: directory, HOSTWRIGHT_CALLBACK_URL: url }, expected)
  try {
    title('Three disposable SSH hosts on this machine')
    await run('lab up 3')
    title('Provision them: release, config, service, heartbeat, mode')
    await run('server.provision app --on lab -i lab')
    title('Again: nothing is done twice')
    await run('server.provision app --on lab -i lab')
    title('Change a setting in place, on every host')
    await run('product.set deepfiler workers=8 --on lab -i lab --diff')
    title(
      'A rolling upgrade to a version that does not work: the first host is rolled back, the others are not touched',
    )
    await run('product.upgrade deepfiler 1.0.1-broken --on lab -i lab --serial 1', 4)
    title('A rolling upgrade to one that does: one host, then all')
    await run('product.upgrade deepfiler 1.1.0 --on lab -i lab --serial 1,100%')
    title('Take one host out for maintenance')
    await run('server.mode maintenance --on lab3 -i lab')
    await run('server.mode --on lab -i lab')
    title('Check every product’s heartbeat')
    await run('heartbeat --on lab -i lab')
    title('The callbacks that these runs posted')
    const rows = received.map(({ recipe, ok, exitCode, hosts }) => [
      recipe,
      ok ? 'ok' : `failed (${exitCode})`,
      hosts.map(({ host, status }) => `${host} ${status}`).join(', '),
    ])
    stdout.write(
      `${formatTable(['RECIPE', 'RESULT', 'HOSTS'], rows, { ...theme, columns: stdout.columns })}\n`,
    )
  } finally {
    server.close()
    title('Take the hosts down: nothing is left behind')
    await run('lab down')
  }
}

const directory = mkdtempSync(join(tmpdir(), 'hostwright-demo-'))
const lab = join(directory, 'lab')
// Ctrl-C also reaches the running command; the lab is stopped in any case.
process.on('SIGINT', () => {})
try {
  await demo(lab)
} catch (error) {
  process.stderr.write(`\nThe demo ended early: ${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  await labDown({ directory: lab })
  rmSync(directory, { recursive: true, force: true })
}
