/**
 * One file of 1 GiB to one host over SSH: how long it takes, and the most memory that hostwright has
 * in use meanwhile. Run after `npm run build`: `npx tsx test/bench/large-content.ts [MiB]`.
 */
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { formatTable } from '../../lib/ui/table.ts'

const mebi = 1_048_576
const mebibytes = Number(process.argv[2] ?? 1024)
const limit = 200
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'hostwright-bench-'))
process.env.XDG_STATE_HOME = join(directory, 'state')
const lab = join(directory, 'lab')
const project = join(directory, 'project')

const recipe = `import { directory, file, recipe } from 'hostwright'
export default recipe({
  description: 'A large file',
  async run({ converge, host }) {
    const place = \`\${host.root ?? ''}/srv/image\`
    await converge(directory(place.slice(0, place.lastIndexOf('/'))), file(place, { source: 'image' }))
  },
})
`

async function makeProject() {
  mkdirSync(join(project, 'recipes'), { recursive: true })
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(packageRoot, join(project, 'node_modules/hostwright'), 'dir')
  writeFileSync(join(project, 'package.json'), '{"type":"module"}\n')
  writeFileSync(join(project, 'recipes/image.ts'), recipe)
  const image = await open(join(project, 'image'), 'w')
  const piece = Buffer.alloc(mebi)
  for (let written = 0; written < mebibytes; written++) await image.write(randomFillSync(piece))
  await image.close()
}

/** One run: its time, and the most memory it had, as the kernel counts it. */
async function run(): Promise<{ seconds: number; peakMib: number; text: string }> {
  const start = performance.now()
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'dist/lib/cli/main.js'), 'image', '-i', 'lab', '--on', 'lab1'],
    {
      cwd: project,
      env: { ...process.env, HOSTWRIGHT_LAB: lab },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let text = ''
  child.stdout.on('data', chunk => (text += chunk))
  child.stderr.on('data', chunk => (text += chunk))
  let peakMib = 0
  // VmHWM is the peak so far: what is between two looks is not missed.
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peakMib = Math.max(peakMib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
    } catch {}
  }, 50)
  const [status] = (await once(child, 'close')) as [number]
  clearInterval(look)
  if (status !== 0) throw new Error(`exit status ${status}\n${text}`)
  return { seconds: (performance.now() - start) / 1000, peakMib, text }
}

try {
  await makeProject()
  const { kind, server } = await labUp({ hosts: 1, directory: lab })
  process.stderr.write(`1 host, ${kind}, ${server}, Node ${process.version}\n`)
  const rows: string[][] = []
  for (const what of ['sent', 'found as it is']) {
    const { seconds, peakMib } = await run()
    rows.push([
      `${mebibytes} MiB ${what}`,
      `${seconds.toFixed(1)} s`,
      `${Math.round(peakMib)} MiB`,
      `< ${limit} MiB`,
      peakMib < limit ? 'yes' : 'NO',
    ])
  }
  process.stdout.write(
    `${formatTable(['WHAT', 'TIME', 'PEAK MEMORY', 'WANTED', 'MET'], rows, {})}\n`,
  )
} finally {
  await labDown({ directory: lab })
  rmSync(directory, { recursive: true, force: true })
}
