/** What a new project has. */
import type { Option } from './option.ts'

export const environment: Option = {
  flags: '--environment <name>',
  group: 'project',
  // No default here: at a terminal it is asked for, unless it was given.
  description: 'The folder in inventories/, beside the lab’s; default: production',
}
export const firstHosts: Option = {
  flags: '--hosts <hosts>',
  group: 'project',
  description: 'Its first hosts: web1,root@192.0.2.11',
  once: 'Join the hosts: --hosts web1,web2.',
}
export const ansible: Option = {
  flags: '--ansible <inventory>',
  group: 'project',
  description: 'Instead: an Ansible inventory, copied with its group_vars and host_vars',
}
export const ci: Option = {
  flags: '--ci <ci>',
  group: 'project',
  description: 'A pipeline for github, gitlab or none',
  default: 'github',
}
export const ownPackage: Option = {
  flags: '--package <package>',
  group: 'project',
  description: 'hostwright as npm takes it; default: this version',
}
export const noInstall: Option = {
  flags: '--no-install',
  group: 'project',
  description: 'Write the files only, do not run npm install',
}
