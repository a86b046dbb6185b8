/**
 * What `ssh` asks while it logs in: it starts a program of ours (SSH_ASKPASS, ssh(1)), which hands the question
 * to this process over a socket and prints the answer. No answer is in a file, in arguments or in an environment.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { quote } from '../../shell/quote.ts'
import type { PrivateDirectory } from './private-directory.ts'

/** What ssh wants: an answer, a yes, or nothing but that somebody is told. */
export type QuestionKind = 'answer' | 'confirm' | 'notice'

export interface Askpass {
  /** For the environment of ssh. */
  readonly env: Readonly<Record<string, string>>
  /** Nothing is answered any more. */
  close(): void
}

/**
 * @param answer what to print for a question; undefined: nothing, and ssh takes it that nobody is there. A notice
 *   stays up until ssh takes it back, whatever is returned
 */
export async function startAskpass(
  directory: PrivateDirectory,
  answer: (question: string, kind: QuestionKind) => Promise<string | undefined>,
): Promise<Askpass> {
  const [program, path] = [directory.at('askpass'), directory.at('questions')]
  writeFileSync(program, programText(path))
  chmodSync(program, 0o700)
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    reply(socket, answer).catch(() => socket.destroy())
  })
  server.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  server.unref()
  return {
    // Older ones than 8.4 know no SSH_ASKPASS_REQUIRE: without a terminal a DISPLAY makes them ask so.
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':hostwright' },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function reply(
  socket: Socket,
  answer: (question: string, kind: QuestionKind) => Promise<string | undefined>,
) {
  const { question, kind } = JSON.parse(await allOf(socket)) as { question: string; kind?: string }
  if (kind === 'none') {
    await answer(question, 'notice')
    return
  }
  const given = await answer(question, kind === 'confirm' ? 'confirm' : 'answer')
  // `=` tells an empty answer from none.
  socket.end(given === undefined ? '' : `=${given}`)
}

/** Not as a stream is read to its end elsewhere: that would close the other half. */
const allOf = (socket: Socket) =>
  new Promise<string>(resolve => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
  })

/** Reads all of the answer before it prints any. */
const script = `
const [path, question] = process.argv.slice(1)
const socket = require('node:net').connect({ path, allowHalfOpen: true })
let answer = ''
const end = () => {
  if (answer[0] !== '=') process.exit(1)
  process.stdout.write(answer.slice(1) + '\\n')
}
socket.setEncoding('utf8').on('data', text => { answer += text }).on('end', () => { socket.destroy(); end() })
socket.on('error', () => process.exit(1))
socket.end(JSON.stringify({ question, kind: process.env.SSH_ASKPASS_PROMPT }))
`

/** The node that runs us, with nothing of the environment that would make it do more. */
const programText = (path: string) =>
  `#!/bin/sh
unset NODE_OPTIONS
exec ${quote(process.execPath)} -e ${quote(script)} -- ${quote(path)} "$1"
`
