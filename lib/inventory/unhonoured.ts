/** Ansible variables that change how Ansible reaches a host, but have no effect here. Pure. */
import type { Host } from './inventory.ts'

const sshArguments = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args']

const inConfig = 'put it into ~/.ssh/config, or into a file that ssh_config_file names'

/** What to use instead, by name; undefined: there is no equivalent. */
const instead: ReadonlyMap<string, string | undefined> = new Map([
  ...sshArguments.map(name => [name, inConfig] as const),
  ['ansible_ssh_executable', 'the ssh in your PATH is used'],
  ['ansible_ssh_pkcs11_provider', inConfig],
  ['ansible_ssh_use_tty', undefined],
  ['ansible_host_key_checking', 'see --accept-new'],
  ['ansible_ssh_host_key_checking', 'see --accept-new'],
  ['ansible_paramiko_host_key_checking', 'see --accept-new'],
  ['ansible_paramiko_proxy_command', inConfig],
  ...['become', 'sudo', 'su', 'doas'].flatMap(method =>
    ['exe', 'flags'].map(word => [`ansible_${method}_${word}`, undefined] as const),
  ),
  ['ansible_sudo', 'write ansible_become=yes'],
  ['ansible_su', 'write ansible_become=yes ansible_become_method=su'],
  ['ansible_shell_executable', 'hostwright always uses sh'],
  ['ansible_shell_type', 'hostwright always uses sh'],
  ['ansible_proxy_command', inConfig],
  ['ansible_ssh_proxy_command', inConfig],
  ['ansible_docker_extra_args', undefined],
  ['ansible_podman_extra_args', undefined],
  ['ansible_podman_executable', undefined],
  ['ansible_chroot_exe', undefined],
])

/**
 * A warning about variables of these hosts that have no effect here.
 * @returns undefined: there are none
 */
export function unhonouredBy(hosts: readonly Host[]): string | undefined {
  // Grouped by text: usually all hosts have the same.
  const found = new Map<string, string[]>()
  for (const { name, vars } of hosts) {
    // No other is asked for: its template may fail.
    for (const variable of Object.keys(vars).filter(each => instead.has(each))) {
      const value = vars.maybeText(variable) ?? ''
      if (value === '') continue
      const advice = adviceFor(variable, value)
      const text = advice === undefined ? variable : `${variable} (${advice})`
      found.set(text, [...(found.get(text) ?? []), name])
    }
  }
  if (found.size === 0) return undefined
  const parts = [...found].map(([text, names]) => {
    const others = names.length > 1 ? ` and ${names.length - 1} more` : ''
    return `${text} of ${names[0]}${others}`
  })
  return `these Ansible variables have no effect: ${parts.join('; ')}`
}

/** Advice for the most common `ssh` options: how to write them in an inventory. */
function adviceFor(variable: string, value: string): string | undefined {
  if (!sshArguments.includes(variable)) return instead.get(variable)
  const option = (name: string) =>
    new RegExp(`-o\\s*["']?${name}\\s*[= ]\\s*["']?([^\\s"']+)`, 'i').exec(value)?.[1]
  const advice: string[] = []
  const jump = /(?:^|\s)-J\s*([^\s"']+)/.exec(value)?.[1] ?? option('ProxyJump')
  if (jump) advice.push(`write proxy_jump=${jump}`)
  if (option('ProxyCommand'))
    advice.push(`for ProxyCommand: ${inConfig}; for a jump host write proxy_jump`)
  if (option('StrictHostKeyChecking')) advice.push('for StrictHostKeyChecking: see --accept-new')
  const known = option('UserKnownHostsFile')
  // This is how ssh users disable known_hosts.
  if (known && known !== '/dev/null') advice.push(`write known_hosts_file=${known}`)
  const config = /(?:^|\s)-F\s*([^\s"']+)/.exec(value)?.[1]
  if (config) advice.push(`write ssh_config_file=${config}`)
  return advice.join('; ') || inConfig
}
