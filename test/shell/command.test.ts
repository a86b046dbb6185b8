import { mkdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import { describeEach, shells, testHost } from '../support/shells.ts'
import { runCall } from './calls.ts'

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const text = (value: string) => Buffer.from(value)

describeEach(shells, 'hw_command under $name', shell => {
  test('does nothing where `creates` is there, also as a link that leads nowhere', async () => {
    const host = await testHost({ shell })
    const call = command(`ln -s nowhere made; echo ran`, {
      creates: host.at('made'),
      cwd: host.directory,
    }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed', stdout: text('ran\n') })
    expect(await host.run(call)).toMatchObject({ status: 'ok', stdout: text('') })
  })

  test.each([
    { unless: 'true', status: 'ok' },
    { unless: 'echo noise; echo noise >&2; false', status: 'changed' },
    { onlyIf: 'false', status: 'ok' },
    { onlyIf: 'echo noise; true', status: 'changed' },
    { onlyIf: 'true', unless: 'true', status: 'ok' },
    { onlyIf: 'cat', status: 'changed' },
  ])('runs by unless $unless, onlyIf $onlyIf: $status', async ({ status, ...conditions }) => {
    const host = await testHost({ shell })
    const call = command('echo ran', conditions).call
    const stdout = text(status === 'ok' ? '' : 'ran\n')
    expect(await host.run(call)).toMatchObject({ status, stdout, stderr: text('') })
    const checked = await host.run(call, { check: true })
    expect(checked).toMatchObject({ status, stdout: text(''), stderr: text('') })
  })

  test('input, directory and environment reach the command', async () => {
    const host = await testHost({ shell })
    await mkdir(host.at("it's a dir"))
    const call = command('pwd; echo "$A|$B"; cat', {
      cwd: host.at("it's a dir"),
      env: { A: `$x 'y' "z"`, B: '' },
      input: everyByte,
    }).call
    const { stdout } = await host.run(call)
    const head = text(`${host.at("it's a dir")}\n$x 'y' "z"|\n`)
    expect(stdout).toEqual(Buffer.concat([head, everyByte]))
  })

  test('its conditions are asked where it would run, with its environment', async () => {
    const host = await testHost({ shell })
    const unless = `[ "$PWD-$A" = '${host.directory}-a b' ]`
    const where = { cwd: host.directory, env: { A: 'a b' } }
    expect(await host.run(command('echo ran', { ...where, unless }).call)).toMatchObject({
      status: 'ok',
    })
    expect(await host.run(command('echo ran', { unless }).call)).toMatchObject({
      status: 'changed',
    })
  })

  test('a failure stops the segment, and the skipped steps carry none of its marks', async () => {
    const host = await testHost({ shell })
    const results = await host.segment([
      command('exit 7').call,
      command('echo not me').call,
      file(host.at('f'), { content: 'x' }).call,
    ])
    expect(results.map(({ status }) => status)).toEqual(['failed', 'skipped', 'skipped'])
    expect(results[0]).toMatchObject({ exitStatus: 7 })
    expect(results[1]).toMatchObject({ exitStatus: 0, code: '-', note: '' })
    expect(await host.run(command('echo again').call)).toMatchObject({ status: 'changed' })
  })

  test('a directory that is not there fails the step', async () => {
    const host = await testHost({ shell })
    const result = await host.run(command('echo x', { cwd: '/no/such' }).call)
    expect(result).toMatchObject({ status: 'failed', exitStatus: 1, stdout: text('') })
  })
})

describeEach(shells, 'hw_run under $name', shell => {
  test('gives both outputs byte for byte, with and without a final newline', async () => {
    const host = await testHost({ shell })
    await host.write('bytes', everyByte)
    const result = await host.run(
      runCall(`cat bytes; printf 'a\\nb' >&2`, { directory: host.directory }),
    )
    expect(result.stdout).toEqual(everyByte)
    expect(result.stderr).toEqual(text('a\nb'))
    const empty = await host.run(runCall(':'))
    expect(empty).toMatchObject({ stdout: text(''), stderr: text('') })
    const newlines = await host.run(runCall(`printf '\\n\\n'; printf '\\n' >&2`))
    expect(newlines).toMatchObject({ stdout: text('\n\n'), stderr: text('\n') })
  })

  test.each([
    ['exit 0', 0],
    ['exit 1', 1],
    ['exit 255', 255],
    ['no-such-program-here', 127],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -PIPE $$', 141],
    ['set -e; false; echo not here', 1],
  ])('reports the exit status of %s: %i', async (line, exitStatus) => {
    const host = await testHost({ shell })
    const result = await host.run(runCall(line))
    const status = exitStatus === 0 ? 'ok' : 'failed'
    expect(result).toMatchObject({ status, exitStatus, stdout: text('') })
    expect(await host.run(runCall('echo alive'))).toMatchObject({ stdout: text('alive\n') })
  })

  test('a command neither sees what is the prelude’s nor changes it', async () => {
    const host = await testHost({ shell })
    const result = await host.run(
      runCall(
        'set | grep ^hw_; env | grep -i hw_; command -v hw_file; trap; ' +
          'hw_nonce=x hw_dir=y; cd /; umask 000; exec 1>&-; trap "" TERM',
      ),
    )
    expect(result).toMatchObject({ status: 'ok', stdout: text('') })
    // In the session's own shell: commands have the login's umask.
    expect((await host.run({ name: 'umask', args: [] })).stdout.toString()).toMatch(/^0?022\n$/)
    const after = await host.run(runCall('pwd'))
    expect(after.stdout.toString()).not.toBe('/\n')
  })

  test('gives a command the locale of the login, not the prelude’s', async () => {
    const with_ = await testHost({ shell, env: { LC_ALL: 'C.UTF-8' } })
    expect(await with_.run(runCall('echo "$LC_ALL"'))).toMatchObject({ stdout: text('C.UTF-8\n') })
    const without = await testHost({ shell, as: ['env', '-u', 'LC_ALL'] })
    const result = await without.run(runCall('[ -n "$LC_ALL" ] || echo unset'))
    expect(result).toMatchObject({ stdout: text('unset\n') })
  })

  test('standard input is empty', async () => {
    const host = await testHost({ shell })
    const results = await host.segment([runCall('cat'), runCall('read x; echo $?')])
    expect(results.map(({ stdout }) => stdout.toString())).toEqual(['', '1\n'])
  })

  test('a command that does not read its input is none the worse for it', async () => {
    const host = await testHost({ shell })
    const input = Buffer.alloc(300_000, 'x')
    const results = await host.segment([
      runCall('true', { input }),
      runCall('exec <&-; echo closed', { input }),
      runCall('head -c 3', { input }),
      runCall('wc -c', { input }),
    ])
    expect(
      results.map(({ status, stdout, stderr }) => [status, `${stdout}${stderr}`.trim()]),
    ).toEqual([
      ['ok', ''],
      ['ok', 'closed'],
      ['ok', 'xxx'],
      ['ok', '300000'],
    ])
  })

  test('uses the shell that is wanted', async () => {
    const host = await testHost({ shell })
    const result = await host.run(runCall('echo "$0 $1"', { shell: 'echo' }))
    expect(result.stdout.toString()).toBe('-c echo "$0 $1"\n')
    const none = await host.run(runCall('true', { shell: '/no/such/shell' }))
    expect(none).toMatchObject({ status: 'failed', exitStatus: 127 })
  })

  test.each(['TERM', 'SIGKILL'])('is ended, with all it started, by kill %s', async signal => {
    const host = await testHost({ shell })
    const line = `sleep 600 & echo $! >${host.at('child')}; echo up; wait; echo not here`
    const ended = host.session.call(runCall(line), {
      mark: words => {
        if (words[0] === 'pid') pid = Number(words[2])
      },
      output: (_, chunk) => {
        if (chunk.toString().includes('up')) void host.session.kill(pid, signal)
      },
    })
    let pid = 0
    expect(await ended).toMatchObject({
      status: 'failed',
      exitStatus: signal === 'TERM' ? 143 : 137,
    })
    const child = (await readFile(host.at('child'), 'utf8')).trim()
    // Its own end is not waited for by anybody: it may take a moment on a busy machine.
    const state = `state=$(cut -d' ' -f3 /proc/${child}/stat 2>/dev/null) && [ "$state" != Z ]`
    const gone = await host.run(runCall(`while ${state}; do sleep 0.02; done; echo gone`))
    expect(gone.stdout.toString()).toBe('gone\n')
  })

  test('kill without an id ends whatever runs, and the session goes on', async () => {
    const host = await testHost({ shell })
    const ended = host.session.call(runCall('echo up; (sleep 600; echo nor here); echo not here'), {
      // Once: busybox may report on standard error what was ended, while the next step runs already.
      output: (_, chunk) => {
        if (chunk.toString().includes('up')) void host.session.kill()
      },
    })
    expect(await ended).toMatchObject({ status: 'failed', exitStatus: 143, stdout: text('up\n') })
    expect(await host.run(runCall('echo alive'))).toMatchObject({ stdout: text('alive\n') })
  })

  test('interrupt lets the running step end, and skips the rest', async () => {
    const host = await testHost({ shell })
    await host.run(runCall(`mkfifo '${host.at('go')}'`))
    let interrupted: Promise<void> | undefined
    const results = await host.session.segment(
      [
        {
          call: runCall(`echo up; read x <'${host.at('go')}'; echo done`),
          listener: {
            output: (_, chunk) => {
              if (!chunk.toString().includes('up')) return
              interrupted = host.session
                .interrupt()
                .then(() => host.write('go', ''))
                .then(() => {})
            },
          },
        },
        { call: runCall('echo not me') },
        { call: file(host.at('f'), { content: 'x' }).call },
      ],
      { check: false, diff: false },
    )
    await interrupted
    expect(results.map(({ status }) => status)).toEqual(['ok', 'skipped', 'skipped'])
    expect(results[0]!.stdout.toString()).toBe('up\ndone\n')
    expect(await host.run(runCall('echo nor me'))).toMatchObject({ status: 'skipped' })
  })
})
