/** A host of a test: what a recipe has done there is asked of the host itself. */
import { connect } from 'node:net'
import { BootstrapError } from '../errors.ts'
import { quote } from '../shell/quote.ts'
import { type Ended, hostwright } from './command-line.ts'

export interface FileOnHost {
  /** As UTF-8. */
  content: string
  /** Permission bits: 0o644. */
  mode: number
  owner: string
  group: string
}

export interface TestHost {
  /** lab1, lab2 … */
  name: string
  /** Reachable from this machine: http://${address}:8080. */
  address: string
  /** What recipes have as `host.root`: empty, or the directory that is the root of this host. */
  root: string
  /** Runs a line in the host's shell; never throws for its exit code. */
  run(line: string): Promise<Ended>
  /** A regular file, through links; undefined: there is none. `path` is below the host’s root. */
  file(path: string): Promise<FileOnHost | undefined>
  /** Whether the init system of the host, or its init script, says that the service runs. */
  isRunning(service: string): Promise<boolean>
  /** Whether something accepts connections on this TCP port of the host. */
  listens(port: number): Promise<boolean>
}

/** Where a host is, and how to reach it. */
export interface TestHostPlace {
  name: string
  address: string
  root: string
  /** The directory of its lab. */
  inventory: string
}

/** What ends the output of a line, before its exit code: no program prints it by chance. */
const mark = 'hostwright/testing: exit code '

export function createTestHost({ name, address, root, inventory }: TestHostPlace): TestHost {
  const run = async (line: string): Promise<Ended> => {
    const command = `(${line}\n)\nprintf '%s%s' ${quote(mark)} "$?"`
    const exec = ['exec', '--on', name, '-i', inventory, '--no-journal', '--log', 'none']
    const ended = await hostwright([...exec, '--', command])
    const at = ended.stdout.lastIndexOf(mark)
    if (at < 0)
      throw new BootstrapError('lab_failed', `${name} can’t be asked`, { output: ended.stderr })
    return {
      exitCode: Number(ended.stdout.slice(at + mark.length)),
      stdout: ended.stdout.slice(0, at),
      stderr: ended.stderr,
    }
  }
  return {
    ...{ name, address, root, run },
    file: async path => {
      const at = quote(root + path)
      // GNU and busybox have -c, BSD has -f.
      const asked = `[ -f ${at} ] || exit 44; stat -L -c '%a %U %G' ${at} 2>/dev/null || stat -L -f '%Lp %Su %Sg' ${at}; cat ${at}`
      const { exitCode, stdout, stderr } = await run(asked)
      if (exitCode === 44) return undefined
      if (exitCode !== 0)
        throw new BootstrapError('lab_failed', `${name}: ${path} can’t be read`, { output: stderr })
      const [line = ''] = stdout.split('\n', 1)
      const [mode = '', owner = '', group = ''] = line.split(' ')
      return {
        content: stdout.slice(line.length + 1),
        ...{ mode: Number.parseInt(mode, 8), owner, group },
      }
    },
    isRunning: async service => {
      const at = quote(service)
      const asked = `if [ -d /run/systemd/system ]; then systemctl is-active --quiet ${at}
elif command -v rc-service >/dev/null; then rc-service ${at} status
elif [ -x ${quote(`/etc/init.d/${service}`)} ]; then ${quote(`/etc/init.d/${service}`)} status
else exit 44; fi >/dev/null 2>&1`
      const { exitCode } = await run(asked)
      if (exitCode === 44)
        throw new BootstrapError('lab_failed', `${name} has no service ${service}`, {
          hint: 'It has neither systemd nor OpenRC running, and no init script of that name: look with `run` or `listens`.',
        })
      return exitCode === 0
    },
    listens: port =>
      new Promise(settle => {
        const socket = connect({ host: address, port })
        const end = (answer: boolean) => {
          socket.destroy()
          settle(answer)
        }
        socket.once('connect', () => end(true)).once('error', () => end(false))
      }),
  }
}
