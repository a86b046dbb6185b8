/** What the faults interrupt: a recipe of forty steps, and the programs of its host that it calls. */

/** Effects in the order of the recipe, but for handlers: those of other users, and `$`, as the others. */
export const effects = [
  'e1',
  'e2',
  'e3',
  'e4',
  'e5',
  'u1',
  'e6',
  'e7',
  'e8',
  'e9',
  'e10',
  'e11',
  'e12',
]
/** Handlers run at the end of their `converge`, before the commands that follow it. */
export const handlers = ['noted', 'reloaded']
/** The names that the effects have appended when all is well. */
export const inOrder = [...effects.slice(0, -2), ...handlers, ...effects.slice(-2)]

/** More than a pipe holds, so that it is read while it is written; `e4` prints it. */
export const bulk = 'a line of a file, which is sent as the host lacks it\n'.repeat(3000)

/** Steps of another user that are no effects, by title. */
export const byAnother: readonly string[] = ['file /var/hw/own', 'command echo made >/var/hw/made']

/** Of the host. */
export const logs = { effects: '/var/log/effects', boots: '/var/log/boots' } as const
export const gates = '/run/fault'
/** Has the process id of sshd. */
export const serverFile = '/run/server'
/** Stands for the kernel's boot id. */
export const bootFile = '/run/boot_id'
/** There until the host has been restarted. */
export const restartFlag = '/run/reboot-required'

/** Removed by the recipe. */
export const oldFile = '/var/hw-old'

export const recipe = `
import { command, directory, file, handler, line, link, reboot, recipe, task } from 'hostwright'
const bulk = ${JSON.stringify(bulk.slice(0, bulk.indexOf('\n') + 1))}.repeat(3000)
const at = name => '/etc/hw/' + name
const effect = (name, options) => command('effect ' + name, { title: name, ...options })
const noted = handler(effect('noted'))
const reloaded = handler(effect('reloaded'))
export default recipe({
  description: 'Forty steps',
  async run({ converge, read, $ }) {
    await converge(
      task('before', () => [
        directory('/etc/hw'), file(at('1'), { content: 'one', notify: noted }), effect('e1'), file(at('2'), { content: 'two' }),
        file(at('bulk'), { content: bulk }), effect('e2', { input: 'to be read' }), link(at('link'), { target: at('1') }), effect('e3'),
        line(at('lines'), { line: 'a = 1' }), effect('e4'), line(at('lines'), { line: 'b = 2', notify: reloaded }),
        file(at('3'), { content: 'three', notify: noted }), effect('e5'),
      ])(),
      task('by another user', () => [
        directory('/var/hw', { owner: 'nobody' }),
        file('/var/hw/own', { content: 'own', as: 'nobody' }), effect('u1', { as: 'nobody' }),
        command('echo made >/var/hw/made', { as: 'nobody', creates: '/var/hw/made' }),
      ])(),
      reboot({ ifExists: '${restartFlag}', command: 'restart', timeout: 60 }),
      task('after', () => [
        file(at('4'), { content: 'four', mode: 0o600 }), effect('e6'), effect('e7'), file(at('5'), { content: 'five' }),
        link(at('current'), { target: at('4') }), effect('e8'), file(at('1'), { mode: 0o640 }), file(at('6'), { content: 'six' }),
        effect('e9'), line(at('lines'), { line: 'c = 3' }), file(at('7'), { content: 'seven', notify: reloaded }),
        directory(at('empty')), line(at('lines'), { line: 'd = 4' }), effect('e10'), file(at('8'), { content: bulk }),
        file(at('9'), { content: 'nine', validate: 'test -s %s' }), file('${oldFile}', { absent: true }),
      ])(),
    )
    await $({ title: 'e11' })\`effect e11\`
    await read\`cat /etc/hw/1\`
    await $({ title: 'e12' })\`effect e12\`
  },
})
`

/** What is run afterwards, where a lock stays until somebody wants it. */
export const nextRecipe = `
import { recipe } from 'hostwright'
export default recipe({ description: 'Nothing', async run() {} })
`

/** Where something stops until it is let go: \`$1\` is its name, and \`reached\` says that it has come there. */
const gate = `gate() {
  [ -e "${gates}/$1" ] || return 0
  /bin/mv "${gates}/$1" ${gates}/reached || return 0
  while [ -e ${gates}/reached ]; do /bin/sleep 0.01; done
}
`

/** Programs of the host, by path. */
export const programs = {
  '/usr/local/bin/effect': `#!/bin/sh
${gate}gate "before-$1"
echo "$1" >>${logs.effects}
[ "$1" != e4 ] || head -c 70000 /etc/hw/bulk
gate "after-$1"
[ "$1" != e4 ] || tail -c +70001 /etc/hw/bulk
`,
  // As a restart does it: nothing outlives it but the server, which takes no connection for a while.
  '/usr/local/bin/restart': `#!/bin/sh
read -r server <${serverFile}
kill -STOP "$server"
rm -f ${restartFlag}
echo boot >>${logs.boots}
for each in /proc/[0-9]*; do
  case \${each#/proc/} in 1 | "$server" | $$) ;; *) kill -KILL "\${each#/proc/}" ;; esac
done 2>/dev/null
cat /proc/sys/kernel/random/uuid >${bootFile}
sleep 0.2
kill -CONT "$server"
`,
  // Stands before a program of its name, and is a gate when it is called for the n-th time.
  '/usr/local/lib/gated': `#!/bin/sh
${gate}me=\${0##*/}
echo >>"${gates}/calls-$me"
[ ! -e "${gates}/program-$me" ] || {
  read -r turn <"${gates}/program-$me"
  [ "$(/usr/bin/wc -l <"${gates}/calls-$me")" -ne "$turn" ] || gate program-gate
}
exec "/usr/bin/$me" "$@"
`,
} as const

/** What the prelude and the runner call around an effect, so that a fault can be between any two of them. */
export const gatedPrograms = ['ln', 'mv', 'sync', 'rm', 'mkdir', 'setsid', 'cat'] as const
