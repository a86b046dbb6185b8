/** The recipe `thirty` as an Ansible playbook of 30 tasks, run by Ansible itself and with Mitogen. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cost, measure } from '../measure.ts'
import type { Hosts } from '../place.ts'

/** Where Debian's ansible-mitogen puts its strategies. */
const mitogenPlugins = '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy'

export interface Ansible {
  name: string
  /** Why it can't be measured here. */
  missing?: string
  run(round: number): Promise<Cost & { changed: number }>
}

/** @param folder for its files */
export function ansible(folder: string, hosts: Hosts, strategy: 'linear' | 'mitogen'): Ansible {
  const mitogen = strategy === 'mitogen'
  const version = spawnSync('ansible-playbook', ['--version'], { encoding: 'utf8' })
  const name = `${/core [\d.]+/.exec(version.stdout ?? '') ?? ''}${mitogen ? ', Mitogen' : ''}`
  const missing =
    version.error || version.status !== 0
      ? 'ansible-core is not installed'
      : mitogen && !existsSync(mitogenPlugins)
        ? 'ansible-mitogen is not installed'
        : undefined
  return {
    name: `Ansible ${name}`,
    missing,
    run: async round => {
      const place = join(folder, `ansible-${strategy}`)
      mkdirSync(place, { recursive: true })
      const file = (path: string, text: string) => {
        writeFileSync(join(place, path), text)
        return join(place, path)
      }
      const env = {
        ...process.env,
        ANSIBLE_CONFIG: file('ansible.cfg', config(hosts.hosts.length, mitogen, place)),
      }
      const playbook = file('playbook.json', JSON.stringify(playbookOf(round)))
      const inventory = file('hosts', inventoryOf(hosts))
      const words = ['-i', inventory, playbook]
      const { stdout, ...cost } = await measure('ansible-playbook', words, { cwd: place, env })
      const counts = [...stdout.matchAll(/\bchanged=(\d+)/g)].map(match => Number(match[1]))
      if (counts.length !== hosts.hosts.length) throw new Error(`no recap:\n${stdout.slice(-2000)}`)
      return { ...cost, changed: counts.reduce((sum, count) => sum + count, 0) }
    },
  }
}

/** As fast as it is by its own options. */
const config = (forks: number, mitogen: boolean, place: string) => `[defaults]
forks = ${forks}
gathering = explicit
host_key_checking = True
interpreter_python = /usr/bin/python3
retry_files_enabled = False
nocows = True
local_tmp = ${place}/tmp
${mitogen ? `strategy_plugins = ${mitogenPlugins}\nstrategy = mitogen_linear` : ''}
[ssh_connection]
pipelining = True
ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s -o BatchMode=yes -o IdentitiesOnly=yes
control_path_dir = ${place}/cp
`

function inventoryOf({ hosts }: Hosts): string {
  const lines = hosts.map(({ name, address, port, user, privateKeyFile, knownHostsFile }) =>
    [
      name,
      `ansible_host=${address} ansible_port=${port} ansible_user=${user}`,
      `ansible_ssh_private_key_file=${privateKeyFile}`,
      `ansible_ssh_common_args='-o UserKnownHostsFile=${knownHostsFile}'`,
    ].join(' '),
  )
  return `[lab]\n${lines.join('\n')}\n`
}

/** What recipes/thirty.js does, in the same order; in a folder of its own. */
function playbookOf(round: number) {
  const base = '/opt/bench-ansible'
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
  const tasks = [
    ...numbers(5).map(n => ({
      file: { path: `${base}/directory-${round}-${n}`, state: 'directory', mode: '0750' },
    })),
    ...numbers(10).map(n => ({
      copy: {
        dest: `${base}/file-${n}`,
        content: `round ${round}\n${`line of file ${n}\n`.repeat(20)}`,
      },
    })),
    // ansible-core has no module for INI files; its nearest is the one for lines.
    ...numbers(5).map(n => ({
      lineinfile: {
        path: `${base}/settings.ini`,
        regexp: `^key${n} *=`,
        line: `key${n} = value ${round}`,
        create: true,
      },
    })),
    ...numbers(5).map(n => ({
      command: { cmd: `touch ${base}/made-${round}-${n}`, creates: `${base}/made-${round}-${n}` },
    })),
    ...numbers(5).map(n => ({
      file: { path: `${base}/file-${n}`, mode: round % 2 ? '0600' : '0640' },
    })),
  ]
  return [{ hosts: 'all', gather_facts: false, tasks }]
}
