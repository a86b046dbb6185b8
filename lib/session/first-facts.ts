/** What the session's first answer says about its host. */

export interface Facts {
  /** `uname -s`: Linux, Darwin, FreeBSD … */
  readonly os: string
  /** ID of os-release: debian, ubuntu, rocky, alpine …; empty if there is none. */
  readonly distribution: string
  /** VERSION_ID of os-release: 12, 24.04 …; empty if there is none, as in Debian’s testing and unstable. */
  readonly version: string
  /** VERSION_CODENAME of os-release: trixie, noble …; empty if there is none. */
  readonly codename: string
  /** `uname -m`: x86_64, aarch64 … */
  readonly architecture: string
  /** apt, dnf, yum, apk, pacman, zypper, brew, or empty. */
  readonly packageManager: string
  /** systemd, openrc, sysv, or empty. */
  readonly init: string
  readonly hostname: string
  readonly cpus: number
  /** In MiB; 0 if unknown. */
  readonly memoryMib: number
}

/**
 * Reads the prelude's `name=value` lines. Values of os-release may be quoted.
 * @returns the facts and the process id of the session's shell
 */
export function parseFacts(text: string): { facts: Facts; pid: number } {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).replace(/^(["'])(.*)\1$/, '$2'))
  }
  const value = (name: string) => values.get(name) ?? ''
  return {
    pid: whole(value('pid')),
    facts: {
      os: value('os'),
      distribution: value('ID'),
      version: value('VERSION_ID'),
      codename: value('VERSION_CODENAME'),
      architecture: value('architecture'),
      packageManager: value('packageManager') === 'apt-get' ? 'apt' : value('packageManager'),
      init: value('init'),
      hostname: value('hostname'),
      cpus: whole(value('cpus')) || 1,
      memoryMib: Math.round(whole(value('memoryKib')) / 1024),
    },
  }
}

/** A host may say anything: what is not a whole number is 0. */
const whole = (text: string) => (/^\d{1,15}$/.test(text) ? Number(text) : 0)
