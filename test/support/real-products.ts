/**
 * deepfiler and haproxy themselves, on a lab host behind OpenSSH, for tests of interrupted work: ways to interrupt a
 * run at its n-th place, and what there is to see afterwards.
 */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadCatalogue } from '../../lib/bootstrap/load.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { selectHosts } from '../../lib/inventory/pattern.ts'
import type { Recipe } from '../../lib/recipe/recipe.ts'
import { launchProxy } from './cutting-proxy.ts'
import { stopAt } from './fault-product.ts'
import type { Lab } from './lab.ts'
import { type LocalOptions, localIn } from './local-run.ts'
import { copyReleases, projectFor } from './project.ts'
import { hostPath } from './resource-hosts.ts'

const execute = promisify(execFile)

/** How a run is interrupted. What writes to a full disk, or to none, fails from there on. */
export const realFaults = ['shell killed', 'disk full', 'connection cut', 'Ctrl-C twice'] as const

export interface RealFault {
  kind: (typeof realFaults)[number]
  /** From 1: a record that is written through to the disk, or a step that begins. */
  at: number
}

/** It changes the config in both directions: only a copy brings back what was there. */
const upgrade = `set -eu
echo "$PREVIOUS_VERSION>$VERSION" >>"$HOME_DIR/scripts"
echo "; migrated to $VERSION" >>"$CONFIG"
`

/** Each write to the disk of bootstrap_dir passes here, and none waits for it. */
const sync = (state: string) => `#!/bin/sh
[ -f /run/fault ] || exit 0
read -r kind left </run/fault
echo "$kind $((left - 1))" >/run/fault
case $kind:$left in
  # The session's shell, which holds the lock.
  kill:1) read -r pid <${state}/bootstrap.pid && kill -9 "$pid" ;;
  full:1) cat /dev/zero >${state}/.fill 2>/dev/null ;;
esac
exit 0
`

export type RealProducts = Awaited<ReturnType<typeof realProducts>>

/**
 * @param lab with one overlay host
 * @param recipes by the word that `start` takes
 */
export async function realProducts(
  lab: Lab,
  recipes: Readonly<Record<string, [string, Recipe<never>]>>,
) {
  const catalogue = await readFile(join(lab.directory, 'bootstrap.ini'), 'utf8')
  const project = await projectFor(lab, {
    'inventories/x/bootstrap.ini': catalogue
      .replace('[product:deepfiler]', '[product:deepfiler]\nupgrade = upgrade\nkeep_releases = 2')
      .replace('[product:haproxy]', '[product:haproxy]\nheartbeat_interval = 200ms'),
    'inventories/x/upgrade': upgrade,
  })
  await copyReleases(lab, project, ['1.0.0', '1.1.0'])
  const { address, port, pid } = lab.status.hosts[0]!
  const proxy = await launchProxy({ address, port })
  const inventory = await loadInventory({
    inventory: project.path('inventories/x'),
    cwd: project.directory,
    pattern: 'all',
    overrides: {},
    labDirectory: lab.directory,
  })
  const [found] = selectHosts(inventory, 'lab1')
  const known = project.path('known')
  const keys = await readFile(found!.knownHostsFile!, 'utf8')
  await writeFile(known, keys.replaceAll(/^\S+/gm, `[${proxy.address}]:${proxy.port}`))
  const host = { ...found!, address: proxy.address, port: proxy.port, knownHostsFile: known }
  const loaded = await loadCatalogue(project.path('inventories/x'))
  const place = localIn(project.directory)
  const state = host.bootstrapDir

  /** On the host, beside hostwright and its connection. */
  const script = async (text: string) =>
    (
      await execute(
        'nsenter',
        [
          ...['--target', String(pid), '--mount', '--pid', '--uts'],
          ...['env', '-i', `PATH=${hostPath}`, 'sh', '-ec', text],
        ],
        { maxBuffer: 1 << 24 },
      )
    ).stdout
  await script(`mkdir -p ${state}; mount -t tmpfs -o size=2m,mode=700 none ${state}
cat >/usr/local/bin/sync <<'END'
${sync(state)}END
chmod 755 /usr/local/bin/sync`)

  /** Runs a recipe: `set deepfiler workers=9`. */
  const start = async (words: string, fault?: RealFault) => {
    const [word, ...rest] = words.split(' ')
    const [name, recipe] = recipes[word!]!
    const options: LocalOptions = {
      name,
      recipe: recipe as never,
      args: argumentsOf(word!, rest),
      hosts: [host],
      catalogue: () => loaded,
      timeoutMs: 20_000,
      // The shell of a run that was cut ends when its step has.
      waitLockMs: 60_000,
    }
    const stopping = fault?.kind === 'Ctrl-C twice' ? stopAt(fault.at) : undefined
    Object.assign(options, stopping?.options)
    let begun = 0
    if (fault?.kind === 'connection cut')
      options.watch = event => {
        if (event.type === 'step.start' && ++begun === fault.at) proxy.down('reset')
      }
    const onHost = { 'shell killed': 'kill', 'disk full': 'full' }[fault?.kind as string]
    if (onHost) await script(`echo ${onHost} ${fault!.at} >/run/fault`)
    const { outcomes } = await place.run(async () => {}, options)
    proxy.up()
    const left = await script(
      `if [ -f /run/fault ]; then cat /run/fault; fi; rm -f /run/fault ${state}/.fill`,
    )
    const { status, error } = outcomes[0]!
    return {
      status,
      code: error?.code,
      message: error?.message,
      hit: stopping?.hit() ?? (onHost ? Number(left.split(' ')[1]) < 1 : begun >= (fault?.at ?? 0)),
    }
  }

  return {
    start,
    script,
    stop: () => proxy.stop(),
    /** What there is to see of both. */
    look: async () => {
      const text = await script(
        `cd ${state}; cat server.ini; echo @; cat products/deepfiler.ini; echo @; cat products/haproxy.ini; echo @
ls products | grep '[.]intent$' || :; echo @; readlink /opt/deepfiler/current; echo @
cat /etc/deepfiler.ini; echo @; cat /etc/haproxy/haproxy.cfg; echo @; cat /opt/deepfiler/scripts 2>/dev/null || :; echo @
echo 'show info' | socat - /run/haproxy/admin.sock`,
      )
      const [server, deepfiler, haproxy, intents, current, config, haproxyConfig, scripts, info] =
        text.split(/^@\n/m)
      const { deepfiler_address: on, deepfiler_port: at } = await lab.variables('lab1')
      const answer = (await fetch(`http://${on}:${at}/heartbeat`).then(
        response => response.json(),
        () => ({}),
      )) as { version?: string; workers?: number }
      return {
        mode: /^mode = (.*)/m.exec(server!)?.[1],
        underWay: intents!.split('\n').filter(Boolean),
        current: current!.trim().replace('releases/', ''),
        recorded: /^version = (.*)/m.exec(deepfiler!)?.[1],
        running: answer.version,
        workers: answer.workers,
        config: config!,
        scripts: scripts!.split('\n').filter(Boolean),
        haproxyConfig: haproxyConfig!,
        maxconn: /^Maxconn: (\d+)/m.exec(info!)?.[1],
        /** The recorded one, else what bootstrap.ini has. */
        wantedMaxconn: /^maxconn = (.*)/m.exec(haproxy!)?.[1] ?? '2000',
      }
    },
  }
}

function argumentsOf(word: string, rest: string[]): Record<string, unknown> {
  if (word === 'set') return { product: rest[0], settings: rest.slice(1) }
  if (word === 'provision') return { role: 'web' }
  if (word === 'mode') return { mode: rest[0] }
  return { product: 'deepfiler', version: rest[0] }
}
