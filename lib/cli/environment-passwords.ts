/** Passwords from environment variables. */
import { type Secret, secret } from '../shell/secret.ts'

/** The passwords of one host. */
export interface HostPasswords {
  login?: Secret
  /** For becoming another user: the one that sudo, doas or su asks for. */
  become?: Secret
}

/** The variables. */
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
