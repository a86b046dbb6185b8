/** Measures whole processes, from start to exit, and computes medians. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The cost of a process and all children that it waited for, on this machine. */
export interface Cost {
  wallMs: number
  /** Processor time, user and system. Not known without GNU time. */
  cpuMs?: number
  /** Memory of the largest of the processes. */
  memoryMib?: number
}

export interface Measured extends Cost {
  stdout: string
}

/** GNU time: nothing else measures the cost of a process’s children. */
const gnuTime = '/usr/bin/time'
export const canAccount = existsSync(gnuTime)

export interface MeasureOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/** Runs a program to its end. @throws if it fails */
export async function measure(
  program: string,
  args: readonly string[],
  options: MeasureOptions = {},
): Promise<Measured> {
  if (!canAccount) return timed(program, args, options)
  const directory = mkdtempSync(join(tmpdir(), 'hostwright-measure-'))
  try {
    const file = join(directory, 'cost')
    const words = ['-q', '-o', file, '-f', '%U %S %M', program, ...args]
    const result = await timed(gnuTime, words, options)
    const [user, system, kib] = readFileSync(file, 'utf8').trim().split(' ').map(Number)
    return { ...result, cpuMs: (user! + system!) * 1000, memoryMib: kib! / 1024 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function timed(
  program: string,
  args: readonly string[],
  options: MeasureOptions,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint()
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('error', reject)
    child.on('close', code => {
      const wallMs = Number(process.hrtime.bigint() - start) / 1e6
      if (code === 0) return resolve({ wallMs, stdout })
      const said = `${stderr}${stdout}`.slice(-4000)
      reject(new Error(`${program} ${args.join(' ')}: exit status ${code}\n${said}`))
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The middle of each figure. */
export function middle(costs: readonly Cost[]): Cost {
  const of = (key: keyof Cost) => {
    const values = costs.flatMap(cost => cost[key] ?? [])
    return values.length > 0 ? median(values) : undefined
  }
  return { wallMs: of('wallMs')!, cpuMs: of('cpuMs'), memoryMib: of('memoryMib') }
}

/** Measures several things alternately, so that disturbances affect all of them. */
export async function inTurn<const Name extends string>(
  rounds: number,
  work: Readonly<Record<Name, () => Promise<Cost>>>,
): Promise<Record<Name, Cost>> {
  const names = Object.keys(work) as Name[]
  const costs = Object.fromEntries(names.map(name => [name, [] as Cost[]])) as Record<Name, Cost[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of names) costs[name].push(await work[name]())
  }
  return Object.fromEntries(names.map(name => [name, middle(costs[name])])) as Record<Name, Cost>
}
