/** Directories on the controller. */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeDirectory } from '../../lib/make-directory.ts'
import { temporaryDirectory } from '../support/shells.ts'

const attempt = (path: string) => {
  try {
    makeDirectory(path)
    return true
  } catch {
    return false
  }
}

/** What the machine's own mkdir does with the path. */
const oracle = (path: string) => {
  try {
    execFileSync('mkdir', ['-p', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A folder with what can be in the way of a path. */
async function ground() {
  const place = await temporaryDirectory()
  writeFileSync(join(place, 'file'), '')
  mkdirSync(join(place, 'there'))
  symlinkSync('there', join(place, 'link'))
  symlinkSync('nowhere', join(place, 'dangling'))
  symlinkSync('circle', join(place, 'circle'))
  return place
}

const named = [
  ...['a', 'a/b/c/d', 'a/../b/c', 'a//b/', './a/./b', 'there', 'there/a', 'link', 'link/a/b'],
  ...['file', 'file/a', 'file/a/b', 'dangling', 'dangling/a', 'circle', 'circle/a'],
  ...['x'.repeat(256), `a/${'x'.repeat(256)}/b`],
]
const absolute = [
  ...['/', '/proc', '/proc/hw-x', '/proc/hw-x/y/z', '/proc/self/fd/hw-x/y', '/proc/sys/hw-x/y'],
  ...['/dev/null', '/dev/null/x', '/dev/null/x/y', '/sys/hw-x/y', ''],
]

describe('makeDirectory', () => {
  test.each(named)('makes %s exactly where mkdir -p does', async path => {
    const [ours, theirs] = [await ground(), await ground()]
    const expected = oracle(`${theirs}/${path}`)
    expect(attempt(`${ours}/${path}`)).toBe(expected)
    if (expected) expect(statSync(join(ours, path)).isDirectory()).toBe(true)
    expect(existsSync(join(ours, 'a'))).toBe(existsSync(join(theirs, 'a')))
  })

  test.each(absolute)('returns or fails for “%s” as mkdir -p does', path => {
    expect(attempt(path)).toBe(oracle(path))
  })

  test('says what is not a directory', async () => {
    const place = await ground()
    expect(() => makeDirectory(join(place, 'file/a/b'))).toThrow(
      `${join(place, 'file')} is not a directory`,
    )
  })

  test('gives each directory that it makes the mode, and says whether it made one', async () => {
    const place = await ground()
    expect(makeDirectory(join(place, 'a/b'), 0o700)).toBe(true)
    for (const each of ['a', 'a/b']) expect(lstatSync(join(place, each)).mode & 0o777).toBe(0o700)
    expect(makeDirectory(join(place, 'a/b'), 0o755)).toBe(false)
    expect(lstatSync(join(place, 'a/b')).mode & 0o777).toBe(0o700)
  })
})
