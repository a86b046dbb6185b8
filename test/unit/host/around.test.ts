/** What is around the work on a host. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { AroundContext, RunContext } from '../../../lib/index.ts'
import { StepError } from '../../../lib/index.ts'
import { inventoryOf, local, localHost } from '../../support/local-run.ts'

/** A run that takes its host out of service at a balancer, and puts it back. */
async function drained(run: (context: RunContext) => Promise<void>) {
  const place = await local('web1')
  const lb = localHost('lb1', place.directory)
  const note = (what: string) => `echo ${what} >>${place.at('noted')}`
  const result = await place.run(
    {
      description: '',
      run,
      async aroundHost({ on, work }: AroundContext) {
        await on('lb1').effect('drain', note('drain'))
        try {
          await work()
        } finally {
          await on('lb1').read`test -e ${place.at('noted')}`
          await on('lb1').effect('put back', note('back'))
        }
      },
    },
    {
      inventory: inventoryOf([...place.hosts, lb]),
      watch: event => {
        if (event.type === 'step.start' && event.title === 'long') place.stop.abort()
      },
    },
  )
  return { ...result, noted: (await readFile(place.at('noted'), 'utf8')).trim().split('\n') }
}

describe('aroundHost', () => {
  test('works between what it does before and after', async () => {
    const { exitCode, noted, seen } = await drained(
      async ({ effect }) => void (await effect('work', 'true')),
    )
    expect({ exitCode, noted }).toEqual({ exitCode: 0, noted: ['drain', 'back'] })
    const titles = seen.flatMap(event =>
      event.type === 'step.end' && event.effect ? [event.title] : [],
    )
    expect(titles).toEqual(['drain', 'work', 'put back'])
  })

  test('puts its host back after the work has failed, which stays the error', async () => {
    const { exitCode, noted, outcomes } = await drained(async () => {
      throw new StepError('broken')
    })
    expect({ exitCode, noted }).toEqual({ exitCode: 4, noted: ['drain', 'back'] })
    expect(outcomes[0]!.error!.message).toBe('broken')
  })

  test('puts its host back after Ctrl-C too', async () => {
    const { exitCode, noted, outcomes } = await drained(async ({ effect }) => {
      await effect('long', 'sleep 0.2')
      await effect('never', 'true')
    })
    expect({ exitCode, noted }).toEqual({ exitCode: 130, noted: ['drain', 'back'] })
    expect(outcomes[0]!.status).toBe('interrupted')
  })

  test('that never works is an error of the recipe', async () => {
    const place = await local()
    const { outcomes } = await place.run({
      description: '',
      run: async () => {},
      aroundHost: async () => {},
    })
    expect(outcomes[0]!.error).toMatchObject({ code: 'recipe_invalid' })
  })

  test('reports also why the work failed, where putting back fails as well', async () => {
    const place = await local()
    const { outcomes, seen } = await place.run({
      description: '',
      run: async () => {
        throw new StepError('broken')
      },
      aroundHost: async ({ work }) => {
        await work().catch(() => {})
        throw new StepError('not put back')
      },
    })
    expect(outcomes[0]!.error!.message).toBe('not put back')
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'warning', message: 'the work had failed before: broken' }),
    )
  })
})
