/**
 * What tests need beyond Node and a POSIX shell. Each row is a tag of vitest: a test, a `describe` or a
 * whole file says there what it needs, and nowhere else.
 *
 *     describe('swap files', { tags: ['overlay', 'cron'] }, () => …)
 *     /** @module-tag sshd *\/
 *
 * What is missing here is skipped and stands in the table at the end of a run; where `CI` is set it fails.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoViews } from '../../lib/lab/overlay.ts'
import { findSshd, sshdVersion } from '../../lib/lab/sshd.ts'
import { accountsBusybox } from './busybox.ts'
import { whereIs } from './where-is.ts'

export interface Requirement {
  /** How to come by it: a command, or a few words. */
  get: string
  /** Tests that need it take minutes in all, so `npm test` leaves them to `npm run test:all`. */
  late?: boolean
  /** What such tests see does not depend on the release of Debian that they run in (`--mode release`). */
  anywhere?: boolean
  /** Whether it is here, by trying it. A promise that is rejected says no. */
  here(): unknown
}

/** Rejects unless the command can be run, ends with 0, and prints what it should. */
function runs(command: readonly string[], prints = /^/): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const [program, ...words] = command
    const child = execFile(program!, words, { timeout: 10_000 }, (error, stdout, stderr) =>
      error ? reject(error) : resolve(prints.test(`${stdout}${stderr}`)),
    )
    child.stdin?.end()
  })
}

const isRoot = () => process.getuid?.() === 0
const allOf = async (...answers: unknown[]) => (await Promise.all(answers)).every(Boolean)

async function hasViews() {
  const directory = await mkdtemp(join(tmpdir(), 'hw-probe-'))
  try {
    return (await whyNoViews(directory)) === undefined
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Whether access lists and extended attributes can be set, and where temporary files are also kept. */
async function hasAcls() {
  const directory = await mkdtemp(join(tmpdir(), 'hw-probe-'))
  try {
    return await allOf(
      runs(['setfacl', '-d', '-m', 'u:1234:rwx', directory]),
      runs(['setfattr', '-n', 'user.hw', '-v', 'x', directory]),
      runs(['getcap', directory]),
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function hasSshd() {
  const path = await findSshd()
  return path !== undefined && (await sshdVersion(path)) > 0
}

/** A program of Debian's package of this name, found by running it. */
const packaged = (name: string, ...command: string[]): Requirement => ({
  get: `apt-get install ${name}`,
  here: () => runs(command),
})
const late = (requirement: Requirement): Requirement => ({ ...requirement, late: true })
const anywhere = (requirement: Requirement): Requirement => ({ ...requirement, anywhere: true })
const shell = (name: string, ...words: string[]) => packaged(name, ...words, '-c', 'exit 0')
const awk = (name: string, ...words: string[]) => packaged(name, ...words, 'BEGIN { exit 0 }')

/** Debian's own, which has Debian's packages. */
export const python = '/usr/bin/python3'

const versionlock = '/usr/lib/python3/dist-packages/dnf-plugins/versionlock.py'
const rpmTools = () => allOf(runs(['rpmbuild', '--version']), runs(['createrepo_c', '--version']))

export const requirements = {
  // Shells and awks that hosts have.
  dash: shell('dash', 'dash'),
  bash: shell('bash', 'bash'),
  busybox: shell('busybox', 'busybox', 'sh'),
  mksh: shell('mksh', 'mksh'),
  zsh: shell('zsh', 'zsh', '-f'),
  fish: shell('fish', 'fish'),
  csh: shell('csh', 'csh'),
  tcsh: shell('tcsh', 'tcsh'),
  mawk: awk('mawk', 'mawk'),
  gawk: awk('gawk', 'gawk'),

  // Programs.
  curl: packaged('curl', 'curl', '--version'),
  wget: {
    get: 'apt-get install wget',
    here: () => runs(['wget', '--version'], /GNU Wget/),
  },
  git: packaged('git', 'git', '--version'),
  npm: late({ get: 'install npm, which comes with Node', here: () => runs(['npm', '--version']) }),
  python3: packaged('python3', 'python3', '-c', 'import tarfile, zipfile, json, configparser'),
  pyyaml: packaged(
    'python3-yaml python3-ruamel.yaml',
    ...[python, '-c', 'import yaml, ruamel.yaml, tomllib'],
  ),
  ansible: late(packaged('ansible-core', 'ansible-vault', '--version')),
  testparm: packaged('samba-common-bin', 'testparm', '--version'),
  zip: {
    get: 'apt-get install zip unzip',
    here: () => allOf(runs(['zip', '-v']), runs(['unzip', '-v'])),
  },
  compressors: {
    get: 'apt-get install xz-utils zstd bzip2',
    here: () => allOf(runs(['xz', '-V']), runs(['zstd', '-V']), runs(['bzip2', '--help'])),
  },
  ps: packaged('procps', 'ps', '-e'),
  pgrep: packaged('procps', 'pgrep', '-x', '.*'),
  ip: packaged('iproute2', 'ip', 'address'),
  netns: {
    get: 'apt-get install iproute2 iptables nftables, as root, where network namespaces may be made',
    here: () =>
      runs([
        'unshare',
        '--net',
        'sh',
        '-ec',
        'ip link add hw0 type veth peer name hw1; iptables -L; nft list ruleset',
      ]),
  },
  flock: packaged('util-linux', 'flock', '--version'),
  script: packaged('bsdutils', 'script', '-qec', 'true', '/dev/null'),
  acl: { get: 'apt-get install acl attr libcap2-bin', here: hasAcls },
  perl: packaged('perl', 'perl', '-e', '1'),
  openssl: packaged('openssl', 'openssl', 'version'),
  age: packaged('age', 'age', '--version'),
  faketime: packaged('faketime', 'faketime', 'yesterday', 'true'),
  nc: {
    get: 'apt-get install busybox',
    // Any that there is; they share no option that ends well.
    here: () => whereIs('nc') ?? runs(['busybox', 'nc', '--help']),
  },
  dpkg: packaged('dpkg', 'dpkg-query', '--version'),
  services: {
    get: 'run them where systemd, OpenRC or /etc/init.d starts services',
    here: () =>
      ['/run/systemd/system', '/run/openrc'].some(path => existsSync(path)) ||
      readdirSync('/etc/init.d').some(name => !name.includes('.')),
  },
  strace: late(packaged('strace', 'strace', '-o', '/dev/null', 'true')),
  socat: packaged('socat', 'socat', '-V'),
  chromium: late(packaged('chromium', 'chromium', '--version')),
  haproxy: late(packaged('haproxy', 'haproxy', '-v')),
  cron: packaged('cron', 'sh', '-c', 'command -v crontab'),
  visudo: packaged('sudo', 'visudo', '-V'),
  sudo: packaged('sudo', 'sudo', '-V'),
  doas: packaged('doas', 'sh', '-c', 'command -v doas'),
  gpg: packaged('gpg gpg-agent', 'gpg', '--version'),
  'openssh-client': packaged('openssh-client', 'ssh', '-V'),

  // What the machine and its user may do.
  root: { get: 'run them as root', here: isRoot },
  linux: { get: 'run them on Linux', here: () => existsSync('/proc/self/mountinfo') },
  'dev-full': { get: 'run them where /dev/full is', here: () => existsSync('/dev/full') },
  'user-namespaces': {
    get: 'allow user namespaces',
    here: () => runs(['unshare', '--user', '--map-root-user', 'true']),
  },
  overlay: late({
    get: 'run them as root on Linux, where file systems can be mounted',
    here: hasViews,
  }),

  loop: late({
    get: 'apt-get install e2fsprogs mount, and run them where loop devices can be made',
    here: () => allOf(isRoot(), runs(['mke2fs', '-V']), runs(['losetup', '-f'])),
  }),

  // Whole systems and servers.
  sshd: late({ get: 'apt-get install openssh-server openssh-client', here: hasSshd }),
  systemd: late({
    get: 'apt-get install systemd, and mount cgroup2',
    here: () =>
      existsSync('/lib/systemd/systemd') &&
      / cgroup2 /.test(readFileSync('/proc/self/mounts', 'utf8')),
  }),
  logind: late({
    get: 'apt-get install dbus libpam-systemd',
    here: () =>
      allOf(
        runs(['dbus-daemon', '--version']),
        existsSync('/lib/systemd/systemd-logind'),
        readFileSync('/etc/pam.d/common-session', 'utf8').includes('pam_systemd.so'),
      ),
  }),
  openrc: late(packaged('openrc', 'openrc', '--version')),
  apt: late({
    get: 'apt-get install dpkg-dev',
    here: () => allOf(runs(['apt-get', '--version']), runs(['dpkg-scanpackages', '--version'])),
  }),
  // Programs of other distributions, and what is built for the tests: one release has them like the other.
  dnf: anywhere(
    late({
      get: 'apt-get install dnf rpm createrepo-c, and run .ci/dnf-versionlock',
      here: () => allOf(runs(['dnf', '--version']), existsSync(versionlock), rpmTools()),
    }),
  ),
  zypper: anywhere(
    late({
      get: 'apt-get install zypper rpm createrepo-c',
      here: () => allOf(runs(['zypper', '--version']), rpmTools()),
    }),
  ),
  pacman: anywhere(late(packaged('pacman-package-manager', 'pacman', '--version'))),
  podman: anywhere(
    late({
      get: 'apt-get install podman crun',
      here: () => allOf(runs(['podman', '--version']), runs(['crun', '--version'])),
    }),
  ),
  'accounts-busybox': anywhere(
    late({
      get: 'run .ci/busybox',
      here: () => runs([accountsBusybox, '--list'], /^crond$/m),
    }),
  ),
  // Missing nowhere: these are about time.
  'every-shell': anywhere(late({ get: 'nothing', here: () => true })),
  long: anywhere(late({ get: 'nothing', here: () => true })),
} satisfies Record<string, Requirement>

export type Requires = keyof typeof requirements

const rows = Object.entries(requirements) as [Requires, Requirement][]

/** What `npm test` leaves to `npm run test:all`. */
export const lateRequirements: readonly Requires[] = rows.flatMap(([name, row]) =>
  row.late ? [name] : [],
)

/** What runs leave out in another release of Debian than the machine's. */
export const sameAnywhere: readonly Requires[] = rows.flatMap(([name, row]) =>
  row.anywhere ? [name] : [],
)

/** What this machine lacks. */
export async function findMissing(): Promise<Requires[]> {
  const answers = rows.map(async ([name, row]) => {
    const here = await Promise.resolve()
      .then(() => row.here())
      .catch(() => false)
    return here ? [] : [name]
  })
  return (await Promise.all(answers)).flat()
}

/**
 * For what only shows on the way to be missing: fails where `CI` is set, elsewhere it is reported.
 * @param what what is missing, and why
 */
export function reportMissing(what: string): void {
  if (process.env.CI) throw new Error(`${what}; outside of CI the test goes on without it`)
  console.warn(what)
}
