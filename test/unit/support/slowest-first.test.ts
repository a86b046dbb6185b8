import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { slowest } from '../../support/slowest-first.ts'

test('each file that is to run first is there, once', () => {
  expect(slowest.filter(path => !existsSync(path))).toEqual([])
  expect(new Set(slowest).size).toBe(slowest.length)
})
