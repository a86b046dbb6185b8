/** How a host’s login becomes another user, from its variables. */
import type { Become } from './inventory.ts'
import { passwordOf } from './password.ts'
import type { Settings, Surroundings } from './setting.ts'

const methods: Readonly<Record<string, Become['method']>> = {
  sudo: 'sudo',
  doas: 'doas',
  su: 'su',
  'ansible.builtin.sudo': 'sudo',
  'community.general.doas': 'doas',
  'ansible.builtin.su': 'su',
}

/** Undefined if the login works as itself: then a password for it may even be a template. */
export function becomeOf(settings: Settings, surroundings: Surroundings): Become | undefined {
  const method = settings.choice(['ansible_become_method'], methods) ?? 'sudo'
  if (!settings.truth(['ansible_become'])) return undefined
  const user = settings.word(['ansible_become_user', `ansible_${method}_user`]) ?? 'root'
  const names = ['ansible_become_password', 'ansible_become_pass', `ansible_${method}_pass`]
  const password = passwordOf(settings, names, 'become_password_from', surroundings)
  return { method, user, password }
}
