/**
 * Completion in the shells themselves, at a terminal: what a person types, and what stands on the line after Tab.
 *
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostwright } from '../support/cli.ts'
import { python } from '../support/requires.ts'
import { temporaryDirectory } from '../support/shells.ts'

const program = fileURLToPath(new URL('../../bin/hostwright.mjs', import.meta.url))

let project: string
beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'hostwright-complete-')))
  const write = async (name: string, text: string) => {
    await mkdir(join(project, name, '..'), { recursive: true })
    await writeFile(join(project, name), text)
  }
  await write(
    'inventories/production/hosts.ini',
    '[web]\nweb1\nweb2\n[dbs]\nquarantine\n[eu:children]\nweb\n',
  )
  await write('recipes/greetings.js', '')
  await mkdir(join(project, 'bin'))
  await symlink(program, join(project, 'bin/hostwright'))
})
afterAll(() => rm(project, { recursive: true, force: true }))

/**
 * Types at a terminal: waits for the prompt, types, presses Tab, waits until the line shows what is expected, then ends
 * the shell.
 */
const typing = `
import os, pty, re, select, signal, sys, time
keys, expected = sys.argv[1], sys.argv[2]
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[3], sys.argv[3:])
seen = ''
def wait(text, from_):
    global seen
    until = time.time() + 30
    while text not in re.sub(r'\\x1b\\[[0-9;?]*[a-zA-Z]|\\x1b[=>]|\\r|\\x08', '', seen[from_:]):
        if time.time() > until or not select.select([terminal], [], [], 30)[0]: return False
        try: seen += os.read(terminal, 4096).decode(errors='replace')
        except OSError: return False
    return True
found = wait('ready>', 0)
at = len(seen)
os.write(terminal, keys.encode())
found = found and wait(expected, at)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
sys.stdout.write(seen[at:] if not found else '')
sys.exit(0 if found else 1)
`

/** Each shell without the files of who runs the tests, with its prompt and the completion. */
const shells = {
  bash: {
    words: ['bash', '--norc', '--noprofile', '-i'],
    file: '.inputrc',
    set: 'set bell-style none\n',
    begin: 'source <(hostwright complete bash)\nPS1="ready""> "\n',
  },
  zsh: {
    words: ['zsh', '-i'],
    file: '.zshrc',
    set: 'autoload -U compinit; compinit -u -D\nsource <(hostwright complete zsh)\nPS1="ready""> "\n',
    begin: '',
  },
  fish: {
    words: ['fish', '-i'],
    file: '.config/fish/config.fish',
    set: 'hostwright complete fish | source\nfunction fish_prompt; printf "ready""> "; end\n',
    begin: '',
  },
} as const

describe.for(Object.entries(shells))('in %s', ([name, { words, file, set, begin }]) => {
  const rows = [
    ['a recipe of the project', 'hostwright gree', 'hostwright greetings'],
    ['an option', 'hostwright greetings --acc', '--accept-new'],
    ['a host after --on', 'hostwright exec --on quar', '--on quarantine'],
    ['a group in the middle of a pattern', 'hostwright exec --on web:dbs:e', 'web:dbs:eu'],
    ['a group in quotes', "hostwright exec --on 'web:&e", "'web:&eu"],
    ['a value in the same word', 'hostwright exec --on=quar', '--on=quarantine'],
    ['an environment', 'hostwright exec -i prod', '-i production'],
    ['a command under a name', 'hostwright callbacks dr', 'callbacks drop'],
  ] as const
  test.for(rows)(
    `completes %s`,
    { tags: ['python3', name as 'bash'] },
    async ([, typed, shown]) => {
      const home = await temporaryDirectory()
      const rc = join(home, file)
      await mkdir(join(rc, '..'), { recursive: true })
      await writeFile(rc, set)
      // bash reads what it begins with where --norc leaves ~/.bashrc out.
      const start = join(home, 'start')
      await writeFile(start, begin)
      const shell = name === 'bash' ? ['bash', '--noprofile', '--rcfile', start, '-i'] : words
      const child = spawn(python, ['-c', typing, `${typed}\t`, shown, ...shell], {
        cwd: project,
        env: {
          PATH: `${join(project, 'bin')}:${process.env.PATH}`,
          HOME: home,
          ...{ XDG_CONFIG_HOME: join(home, '.config'), XDG_STATE_HOME: join(home, 'state') },
          ...{ INPUTRC: name === 'bash' ? rc : '/dev/null', TERM: 'dumb', LANG: 'C.UTF-8' },
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.setEncoding('utf8').on('data', text => {
        output += text
      })
      const status = await new Promise(settle => child.once('close', settle))
      expect(output).toBe('')
      expect(status).toBe(0)
    },
  )
})

test('nothing that stands on the line, or in an inventory, is run', {
  tags: ['bash'],
}, async () => {
  const hosts = join(project, 'inventories/evil/hosts.ini')
  await mkdir(join(hosts, '..'), { recursive: true })
  await writeFile(hosts, "'$(touch BAD)' ansible_host=x\n`touch BAD`\n")
  const { stdout } = await hostwright(['complete', 'bash'])
  const line = 'hostwright exec -i evil --on $(touch BAD) --on '
  const script = `${stdout}
COMP_LINE='${line}' COMP_POINT=${line.length}
_hostwright hostwright '' ''
printf '%s\\n' "\${COMPREPLY[@]}"`
  const child = spawn('bash', ['-c', script], {
    cwd: project,
    env: { PATH: `${join(project, 'bin')}:${process.env.PATH}`, HOME: project },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await new Promise(settle => child.once('close', settle))
  expect(existsSync(join(project, 'BAD'))).toBe(false)
  expect(await readFile(hosts, 'utf8')).toContain('BAD')
})
