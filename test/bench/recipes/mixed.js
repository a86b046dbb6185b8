// As many resources as asked for, of the kinds that recipes are made of. Another `round` changes what can
// be another: of 20, all but the package and the user.
import {
  block,
  command,
  directory,
  envFile,
  file,
  group,
  ini,
  integer,
  line,
  link,
  optional,
  pkg,
  recipe,
  string,
  user,
} from 'hostwright'

const packages = ['bash', 'coreutils', 'sed', 'tar', 'gzip', 'grep', 'findutils', 'diffutils']

/** Twenty resources; the n-th of them. */
const kinds = [
  ...[0, 1, 2, 3].map(
    () =>
      (n, { base, round }) =>
        file(`${base}/file-${n}`, { content: `round ${round}\n${`line of ${n}\n`.repeat(20)}` }),
  ),
  (n, { base, round }) =>
    file(`${base}/file-${n}`, { content: `of ${n}\n`, mode: round % 2 ? 0o600 : 0o640 }),
  ...[0, 1, 2].map(
    () =>
      (n, { base, round }) =>
        directory(`${base}/directory-${round}-${n}`, { mode: 0o750 }),
  ),
  ...[0, 1].map(
    () =>
      (n, { base, round }) =>
        link(`${base}/link-${n}`, { target: `directory-${round}-${n}` }),
  ),
  (n, { base, round }) =>
    line(`${base}/lines`, { line: `${n} ${round}`, match: new RegExp(`^${n} `) }),
  (n, { base, round }) =>
    line(`${base}/more`, { line: `${n} ${round}`, match: new RegExp(`^${n} `) }),
  (n, { base, round }) =>
    block(`${base}/blocks`, { content: `of ${n}: ${round}`, marker: `number ${n}` }),
  ...[0, 1].map(
    () =>
      (n, { base, round }) =>
        ini(`${base}/settings.ini`, { section: `part ${n % 10}`, set: { [`key${n}`]: round } }),
  ),
  (n, { base, round }) =>
    envFile(`${base}/environment`, { set: { [`KEY_${n}`]: `value ${round}` } }),
  ...[0, 1].map(
    () =>
      (n, { base, round }) =>
        command(`touch ${base}/made-${round}-${n}`, { creates: `${base}/made-${round}-${n}` }),
  ),
  n => pkg(packages[n % packages.length]),
  (_, { root }) => (root === '' ? user('root', { shell: '/bin/bash' }) : group('root')),
]

export default recipe({
  description: 'So many resources of 20 kinds',
  args: { count: optional(integer()), round: optional(string()) },
  async run({ converge, args, host }) {
    const { count = 100, round = '0' } = args
    const base = `${host.root}/opt/mixed-${count}`
    const place = { base, round, root: host.root }
    await converge(
      directory(base),
      Array.from({ length: count - 1 }, (_, n) => kinds[n % kinds.length](n, place)),
    )
  },
})
