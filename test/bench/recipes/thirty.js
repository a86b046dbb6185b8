// 30 resources: 10 files, 5 directories, 5 INI keys, 5 commands with `creates`, 5 file modes. Another
// `round` changes every one of them.
import { command, directory, file, ini, optional, recipe, string } from 'hostwright'

const five = [1, 2, 3, 4, 5]
const ten = [...five, 6, 7, 8, 9, 10]

export default recipe({
  description: 'The bench’s 30 resources',
  args: { round: optional(string()) },
  async run({ converge, args, host }) {
    const round = args.round ?? '0'
    const base = `${host.root}/opt/bench`
    await converge(
      five.map(n => directory(`${base}/directory-${round}-${n}`, { mode: 0o750 })),
      ten.map(n =>
        file(`${base}/file-${n}`, {
          content: `round ${round}\n${`line of file ${n}\n`.repeat(20)}`,
        }),
      ),
      five.map(n =>
        ini(`${base}/settings.ini`, { section: 'server', set: { [`key${n}`]: `value ${round}` } }),
      ),
      five.map(n =>
        command(`touch ${base}/made-${round}-${n}`, { creates: `${base}/made-${round}-${n}` }),
      ),
      five.map(n => file(`${base}/file-${n}`, { mode: Number(round) % 2 ? 0o600 : 0o640 })),
    )
  },
})
