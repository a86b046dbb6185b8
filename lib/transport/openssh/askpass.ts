/**
 * Prompts of `ssh` during the login: it starts our program (SSH_ASKPASS, ssh(1)), which passes the prompt to
 * this process over a socket and prints the answer. Answers are never in a file, arguments or an environment.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { quote } from '../../shell/quote.ts'
import type { PrivateDirectory } from './private-directory.ts'

/** What ssh needs: an answer, a confirmation, or just a notice. */
export type QuestionKind = 'answer' | 'confirm' | 'notice'

export interface Askpass {
  /** Environment variables for ssh. */
  readonly env: Readonly<Record<string, string>>
  /** Stops answering. */
  close(): void
}

/**
 * @param answer returns the text to print for a prompt; undefined: nothing, so ssh assumes that nobody is
 *   there. A notice stays until ssh removes it, whatever is returned
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
    // Versions before 8.4 lack SSH_ASKPASS_REQUIRE: without a terminal, a DISPLAY has the same effect.
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
  // `=` distinguishes an empty answer from none.
  socket.end(given === undefined ? '' : `=${given}`)
}

/** Not with a stream helper, which would close the other half. */
const allOf = (socket: Socket) =>
  new Promise<string>(resolve => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
  })

/** Reads the whole answer before printing it. */
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

/** The running node, without environment variables that change its behaviour. */
const programText = (path: string) =>
  `#!/bin/sh
unset NODE_OPTIONS
exec ${quote(process.execPath)} -e ${quote(script)} -- ${quote(path)} "$1"
`
