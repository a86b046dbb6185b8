import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultLabDirectory, labDirectoryOf } from '../../../lib/lab/directory.ts'
import { labDown, labStatus, labUp } from '../../../lib/lab/lab.ts'
import { claimDirectory, type LabRecord, readRecord } from '../../../lib/lab/record.ts'

let base: string
let directory: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'hostwright-test-'))
  directory = join(base, 'lab')
})
afterEach(() => rm(base, { recursive: true, force: true }))

const record: LabRecord = {
  format: 1,
  kind: 'directory',
  server: 'embedded',
  user: 'root',
  hosts: [],
}

test('grants a directory to only one of many simultaneous claims', async () => {
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => claimDirectory(directory, record)),
  )
  expect(claims.filter(Boolean)).toHaveLength(1)
  expect(await readRecord(directory)).toEqual(record)
})

test('neither uses nor deletes a directory with other files in it', async () => {
  await mkdir(directory)
  await writeFile(join(directory, 'precious'), '')
  await expect(labUp({ hosts: 1, directory })).rejects.toMatchObject({ code: 'usage' })
  await expect(labDown({ directory })).rejects.toThrow('is not a lab directory')
  expect(existsSync(join(directory, 'precious'))).toBe(true)
})

test('does not trust a lab.json that it did not write', async () => {
  await mkdir(directory)
  await writeFile(join(directory, 'lab.json'), '{"name":"lab"}')
  await expect(labDown({ directory })).rejects.toThrow('is not a lab directory')
})

test('refuses a directory that others can write to', async () => {
  await mkdir(directory)
  await chmod(directory, 0o777)
  await expect(labUp({ hosts: 1, directory })).rejects.toThrow('others can write to it')
})

test('refuses an impossible number of hosts', async () => {
  for (const hosts of [0, 251, 1.5, Number.NaN]) {
    await expect(labUp({ hosts, directory })).rejects.toMatchObject({ code: 'invalid_value' })
  }
})

test('reports nothing and stops nothing if there is no lab', async () => {
  expect(await labStatus({ directory })).toBeUndefined()
  await labDown({ directory })
})

test('cleans up after a lab whose processes are gone', async () => {
  const gone = { pid: process.pid, started: 'before the last boot' }
  const host = { name: 'lab1', address: '127.0.0.1', port: 1, processes: [gone] }
  await claimDirectory(directory, { ...record, starting: gone, hosts: [host] })
  expect(await labStatus({ directory })).toMatchObject({ hosts: [{ name: 'lab1', ready: false }] })
  await labDown({ directory })
  expect(existsSync(directory)).toBe(false)
})

describe('a project’s inventories/lab', () => {
  let ofProject: string
  beforeEach(async () => {
    vi.stubEnv('HOSTWRIGHT_LAB', undefined)
    ofProject = join(base, 'inventories', 'lab')
    await mkdir(join(ofProject, 'group_vars'), { recursive: true })
    await writeFile(join(ofProject, 'group_vars', 'lab.yml'), 'greeting: hello\n')
  })
  afterEach(() => vi.unstubAllEnvs())

  test('is the lab’s directory if the project keeps nothing else there', async () => {
    expect(labDirectoryOf(base)).toBe(ofProject)
    await claimDirectory(ofProject, record)
    await writeFile(join(ofProject, 'hosts.ini'), '')
    expect(labDirectoryOf(base)).toBe(ofProject)
  })

  test('is left alone if it is an inventory, or if HOSTWRIGHT_LAB names another directory', async () => {
    vi.stubEnv('HOSTWRIGHT_LAB', directory)
    expect(labDirectoryOf(base)).toBe(directory)
    vi.stubEnv('HOSTWRIGHT_LAB', undefined)
    await writeFile(join(ofProject, 'hosts.ini'), '')
    expect(labDirectoryOf(base)).toBe(defaultLabDirectory())
    expect(labDirectoryOf(undefined)).toBe(defaultLabDirectory())
  })

  test('can be used after a clone with a umask of 002, and keeps what the project has there', async () => {
    await chmod(ofProject, 0o775)
    expect(await claimDirectory(ofProject, record)).toBe(true)
    await writeFile(join(ofProject, 'key'), '')
    await labDown({ directory: ofProject })
    expect(await readdir(ofProject)).toEqual(['group_vars'])
    expect(labDirectoryOf(base)).toBe(ofProject)
  })
})
