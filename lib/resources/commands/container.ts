import { createHash } from 'node:crypto'
import { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  commonOptions,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { variableAssignment } from './action.ts'

export interface ContainerOptions extends CommonOptions {
  /** What it is made of: `nginx:1.27`. Not with `absent`. */
  image?: string
  /** `running` (default), `stopped` (there, and not running) or `absent`. */
  state?: 'running' | 'stopped' | 'absent'
  /** `8080` for the same inside, `'8080:80'`, `'127.0.0.1:8080:80/tcp'`. */
  ports?: readonly (string | number)[]
  /** Environment variables. */
  env?: Readonly<Record<string, string | number | Secret>>
  /** `'/srv/data:/data:ro'`, `'name:/data'`. */
  volumes?: readonly string[]
  /** What it runs, instead of the image’s own command. */
  command?: readonly string[]
  /** The program before the command, instead of the image’s own. */
  entrypoint?: string
  network?: string
  labels?: Readonly<Record<string, string>>
  /** What happens when it ends; default: nothing. */
  restart?: 'no' | 'always' | 'unless-stopped' | 'on-failure' | `on-failure:${number}`
  /** User name or number inside, with a group behind a colon. */
  user?: string
  /** Directory inside to run in. */
  workdir?: string
  /** Name of the host inside. */
  hostname?: string
  /**
   * `missing` (default): pulled if it is not on the host. `always`: pulled each time, and the container
   * is made anew if that brought another image. `never`: it must be there.
   */
  pull?: 'missing' | 'always' | 'never'
  /** Further options of `docker create`: `['--memory', '512m']`. */
  args?: readonly string[]
  /** Default: docker where that is installed, else podman. */
  engine?: 'docker' | 'podman'
}

const optionKinds: OptionKinds<ContainerOptions> = {
  image: 'text',
  state: 'text',
  ports: 'list',
  env: 'values',
  volumes: 'texts',
  command: 'texts',
  entrypoint: 'text',
  network: 'text',
  labels: 'values',
  restart: 'text',
  user: 'text',
  workdir: 'text',
  hostname: 'text',
  pull: 'text',
  args: 'texts',
  engine: 'text',
}

/**
 * A container of docker or podman. It is made anew if, and only if, its specification is another than the
 * one it was made of, which it has a checksum of as a label: the new one is made first, then the old one
 * stops, and it is there again if the new one does not start. Values of `env` are in no process’s
 * arguments; they do show in `docker inspect`.
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * container('web', {
 *   image: 'nginx:1.27',
 *   ports: ['80:80'],
 *   volumes: ['/srv/www:/usr/share/nginx/html:ro'],
 *   restart: 'unless-stopped',
 * })
 */
export function container(name: string, options: ContainerOptions): Resource {
  checkOptions(`container ${name}`, options, optionKinds)
  const { state = 'running', pull = 'missing', image, engine } = options
  const title = `container ${name}`
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    throw invalidOption(title, 'this is not a valid name for a container')
  oneOf(title, 'state', state, ['running', 'stopped', 'absent'])
  oneOf(title, 'pull', pull, ['missing', 'always', 'never'])
  if (engine !== undefined) oneOf(title, 'engine', engine, ['docker', 'podman'])
  if (state === 'absent') checkAbsent(title, options)
  else if (image === undefined || !/^[A-Za-z0-9][\w./:@+-]*$/.test(image))
    throw invalidOption(title, `${JSON.stringify(image)} is not the name of an image`)
  const variables = readVariables(title, options.env ?? {})
  const args = image === undefined ? [] : createArgs(title, options, image, variables)
  const values = variables.filter(({ argument }) => !argument).map(({ text }) => text)
  const sum = createHash('sha256')
    .update(JSON.stringify([args, [...values].sort()]))
    .digest('hex')
  return declare({
    title,
    options,
    secrets: Object.values(options.env ?? {}).flatMap(value =>
      isSecret(value) ? [value.reveal()] : [],
    ),
    makes: ['anything'],
    need: { own: 'processes' },
    call: {
      name: 'hw_container',
      args: [name, state, ...words({ engine, sum, pull, image, env: values, argument: args })],
    },
  })
}

function oneOf(title: string, what: string, value: string, allowed: readonly string[]) {
  if (!allowed.includes(value)) {
    const list = allowed.filter(Boolean).join(', ')
    throw invalidOption(title, `${what} is ${JSON.stringify(value)}, not one of ${list}`)
  }
}

function checkAbsent(title: string, options: ContainerOptions) {
  for (const [key, value] of Object.entries(options)) {
    if (!['state', 'engine', ...commonOptions].includes(key) && value !== undefined)
      throw invalidOption(title, `a container that is absent has no ${key}`)
  }
}

interface Variable {
  name: string
  /** NAME=VALUE */
  text: string
  /** It goes as an argument: in the environment it would change what the engine does. */
  argument: boolean
}

/** Variables that the engine reads, or that some shells (bash) keep for themselves. */
const engines =
  /^(E?UID|PPID|GROUPS|RANDOM|SECONDS|LINENO|SHELLOPTS|BASH\w+|_|PATH|HOME|USER|TMPDIR|IFS|ENV|BASH_ENV|(LD|DOCKER|CONTAINERS?|PODMAN|XDG|BUILDAH|REGISTRY|GO|STORAGE)_\w+|GO\w+)$/

function readVariables(title: string, env: NonNullable<ContainerOptions['env']>): Variable[] {
  return Object.entries(env).map(([name, value]) => {
    const argument = engines.test(name)
    if (argument && isSecret(value))
      throw invalidOption(
        title,
        `the variable ${name} can’t be a secret: the engine itself reads it, or a shell`,
      )
    return { name, text: variableAssignment(title, name, value), argument }
  })
}

/** Options that are ours, or that a container which is to stay can’t have. */
const ours = /^(--name|--rm|--detach|-d|--cidfile|--pull|--replace|--env-file|--help|-h)(=|$)/

/** Arguments of `docker create`. */
function createArgs(
  title: string,
  options: ContainerOptions,
  image: string,
  variables: readonly Variable[],
): string[] {
  const { restart, network, user, workdir, hostname, entrypoint, args = [], command = [] } = options
  const odd = args.find(each => ours.test(each))
  if (odd) throw invalidOption(title, `the argument ${odd} is not for a recipe to give`)
  if (restart !== undefined && !/^(no|always|unless-stopped|on-failure(:\d+)?)$/.test(restart))
    throw invalidOption(title, `${JSON.stringify(restart)} is not a restart policy`)
  const all = [
    ...pair('--restart', restart),
    ...pair('--network', network),
    ...pair('--user', user),
    ...pair('--workdir', workdir === undefined ? undefined : checkPath(title, workdir)),
    ...pair('--hostname', hostname),
    ...pair('--entrypoint', entrypoint),
    ...(options.ports ?? []).flatMap(port => ['--publish', checkPort(title, port)]),
    ...(options.volumes ?? []).flatMap(volume => ['--volume', checkVolume(title, volume)]),
    ...Object.entries(options.labels ?? {}).flatMap(([key, value]) => [
      '--label',
      checkLabel(title, key, value),
    ]),
    ...variables.flatMap(({ name, text, argument }) => ['--env', argument ? text : name]),
    ...(options.pull === 'never' ? ['--pull', 'never'] : []),
    ...args,
    image,
    ...command,
  ]
  if (all.some(each => typeof each !== 'string' || each.includes('\0')))
    throw invalidOption(title, 'an option must be a string without NUL characters')
  return all
}

const pair = (option: string, value: string | undefined) =>
  value === undefined ? [] : [option, value]

function checkPort(title: string, port: string | number): string {
  const text = typeof port === 'number' ? `${port}:${port}` : port
  const found =
    /^(?:(?:[\d.]+|\[[0-9A-Fa-f:]+\]):)?(?:\d*(?:-\d+)?:)?\d+(?:-\d+)?(?:\/(?:tcp|udp|sctp))?$/
  if (!found.test(text) || (text.match(/\d{6,}/) ?? []).length > 0)
    throw invalidOption(title, `${JSON.stringify(port)} is not a port to publish: write '8080:80'`)
  return text
}

function checkVolume(title: string, volume: string): string {
  if (!/^(\/[^:\0-\x1f]*|[A-Za-z0-9][\w.-]*):\/[^:\0-\x1f]*(:[\w,=-]+)?$/.test(volume))
    throw invalidOption(title, `${JSON.stringify(volume)} is not a volume: write '/srv/data:/data'`)
  return volume
}

function checkLabel(title: string, key: string, value: string): string {
  if (!/^[A-Za-z0-9][\w./-]*$/.test(key) || key === 'hostwright.specification')
    throw invalidOption(title, `${JSON.stringify(key)} is not a valid name for a label`)
  return `${key}=${value}`
}
