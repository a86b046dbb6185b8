/** `hostwright lab up 3`: disposable SSH hosts on this machine. */
import { UsageError } from '../errors.ts'
import { labDirectoryOf } from '../lab/directory.ts'
import { labDown, labStatus, labUp } from '../lab/lab.ts'
import { unknownName } from '../shell/nearest.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place, RunCommand } from './command.ts'
import { parseCount } from './targets.ts'

export const lab: RunCommand = async ([what, number, ...more], _options, place) => {
  if (what === undefined || more.length > 0 || (what !== 'up' && number !== undefined)) {
    throw new UsageError('usage', 'what should the lab do?', {
      hint: 'lab up <number>, lab down, or lab status.',
    })
  }
  const directory = labDirectoryOf(place.project.inventories)
  switch (what) {
    case 'up': {
      const hosts = parseCount('lab up', number ?? '3')
      await labUp({
        ...{ hosts, directory },
        onProgress: line => place.stderr.write(`${line}\n`),
      })
      await show(place, directory)
      place.stderr.write('Next: hostwright server.provision app --on lab -i lab\n')
      return 0
    }
    case 'down': {
      const ended = await labDown({ directory })
      const text = ended > 0 ? `${count(ended)} stopped, and the lab removed.` : 'No lab was up.'
      place.stderr.write(`${text}\n`)
      return 0
    }
    case 'status':
      return show(place, directory)
    default:
      throw unknownName('lab command', what, ['up', 'down', 'status'])
  }
}

async function show(place: Place, directory: string): Promise<number> {
  const status = await labStatus({ directory })
  if (!status) {
    place.stderr.write('No lab is up. Start one: hostwright lab up 3\n')
    return 0
  }
  const { color, unicode } = themeFor(place.stdout, place.env)
  const rows = status.hosts.map(({ name, address, port, pid, ready }) => [
    name,
    `${address}:${port}`,
    String(pid),
    ready ? 'ready' : 'NOT READY',
  ])
  place.stdout.write(
    `${formatTable(['HOST', 'ADDRESS', 'PID', 'STATE'], rows, { color, unicode })}\n`,
  )
  const server = status.server === 'openssh' ? 'OpenSSH' : 'hostwright’s own server'
  const files = status.kind === 'overlay' ? 'separate file systems' : 'separate directories'
  place.stderr.write(`${count(status.hosts.length)} (${server}, ${files}) in ${directory}\n`)
  return 0
}

const count = (hosts: number) => (hosts === 1 ? '1 host' : `${hosts} hosts`)
