/** Commands on lab hosts, by another way than hostwright's own: OpenSSH's client, or ssh2 without it. */
import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Client } from 'ssh2'

const hasSsh = await promisify(execFile)('ssh', ['-V']).then(
  () => true,
  () => false,
)

export interface Result {
  status: number | null
  stdout: string
  stderr: string
}

/** Variables of a host as hosts.ini has them; nothing in these needs quotes. */
export async function variables(lab: string, host: string): Promise<Record<string, string>> {
  const lines = (await readFile(join(lab, 'hosts.ini'), 'utf8')).split('\n')
  const words = lines.find(line => line.startsWith(`${host} `))!.split(' ')
  return Object.fromEntries(words.slice(1).map(word => word.split(/=(.*)/s, 2) as [string, string]))
}

/** Runs a command on a host with what its inventory says. */
export async function on(
  lab: string,
  host: string,
  command: string,
  input: string | Buffer = '',
): Promise<Result> {
  const known = await variables(lab, host)
  return hasSsh ? bySsh(known, command, input) : bySsh2(known, command, input)
}

async function bySsh(known: Record<string, string>, command: string, input: string | Buffer) {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${known.known_hosts_file}`,
    'GlobalKnownHostsFile=none',
  ].flatMap(option => ['-o', option])
  const at = ['-p', known.ansible_port!, `${known.ansible_user}@${known.ansible_host}`]
  const key = ['-i', known.ansible_ssh_private_key_file!]
  const child = spawn('ssh', ['-F', 'none', ...options, ...key, ...at, command])
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const closed = new Promise<number | null>(resolve => child.on('close', resolve))
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ])
  return { status, stdout, stderr }
}

async function bySsh2(known: Record<string, string>, command: string, input: string | Buffer) {
  const client = new Client()
  const privateKey = await readFile(known.ansible_ssh_private_key_file!)
  const knownHosts = await readFile(known.known_hosts_file!, 'utf8')
  try {
    return await new Promise<Result>((resolve, reject) => {
      client.on('error', reject)
      client.on('ready', () => {
        client.exec(command, (error, channel) => {
          if (error) return reject(error)
          let status: number | null = null
          channel.on('exit', code => {
            status = code
          })
          channel.end(input)
          Promise.all([text(channel), text(channel.stderr)]).then(
            ([stdout, stderr]) => resolve({ status, stdout, stderr }),
            reject,
          )
        })
      })
      client.connect({
        host: known.ansible_host!,
        port: Number(known.ansible_port),
        username: known.ansible_user!,
        privateKey,
        hostVerifier: (key: Buffer) => knownHosts.includes(key.toString('base64')),
      })
    })
  } finally {
    client.end()
  }
}
