import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { loadPrelude } from '../../../lib/remote/prelude.ts'
import { describeEach, shells } from '../../support/shells.ts'

describeEach(shells, 'the whole prelude under $name', ({ command: [program, ...words] }) => {
  test('has no syntax errors', () => {
    // A shell that reads from a pipe stops at a syntax error and never runs the last line.
    const input = `${loadPrelude()}hw_lines read\n`
    const output = execFileSync(program, words, { input, stdio: ['pipe', 'pipe', 'pipe'] })
    expect(output.toString()).toBe('read\n')
  })
})
