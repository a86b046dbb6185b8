/** Timing whole processes, and telling the middle of several. */
import { spawn } from 'node:child_process'

export interface Timing {
  wallMs: number
  stdout: string
}

/** Runs a program to its end. @throws if it fails */
export function time(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Timing> {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint()
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('error', reject)
    child.on('close', code => {
      if (code !== 0)
        return reject(
          new Error(`${program} ${args.join(' ')}: exit status ${code}\n${stderr}${stdout}`),
        )
      resolve({ wallMs: Number(process.hrtime.bigint() - start) / 1e6, stdout })
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
