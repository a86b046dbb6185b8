/** Passwords that stand in variables of the environment. */
import { type Secret, secret } from '../shell/secret.ts'

/** What one host may be given. */
export interface HostPasswords {
  login?: Secret
  /** Of the user that the login becomes, or of the login itself, as sudo asks for. */
  become?: Secret
}

/** The variables that passwords may stand in. */
export const passwordVariables = {
  login: 'HOSTWRIGHT_SSH_PASSWORD',
  become: 'HOSTWRIGHT_BECOME_PASSWORD',
} as const

/** Takes the passwords out of an environment, so that no program started later inherits them. */
export function takePasswords(env: Record<string, string | undefined>): HostPasswords {
  const take = (name: string) => {
    const value = env[name]
    delete env[name]
    return value ? secret(value) : undefined
  }
  return { login: take(passwordVariables.login), become: take(passwordVariables.become) }
}
