import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProject, twoProjects } from '../../../lib/cli/project.ts'
import { temporaryDirectory } from '../../support/shells.ts'

/** A folder with these folders in it, and the project as it is seen from one of them. */
async function tree(...folders: string[]) {
  const root = await temporaryDirectory()
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
  return { root, from: (cwd: string) => findProject(join(root, cwd)) }
}

describe('a project', () => {
  test('is the nearest folder upward with recipes/ and inventories/, from deep inside too', async () => {
    const { root, from } = await tree('recipes', 'inventories/prod', 'src/a/b/c')
    for (const cwd of ['', 'recipes', 'inventories/prod', 'src/a/b/c'])
      expect(from(cwd)).toEqual({ recipes: root, inventories: root })
    expect(twoProjects(from(''))).toBeUndefined()
  })

  test('inside another one hides it', async () => {
    const inner = ['apps/web/recipes', 'apps/web/inventories', 'apps/web/src']
    const { root, from } = await tree('recipes', 'inventories', ...inner)
    const web = join(root, 'apps/web')
    expect(from('apps/web/src')).toEqual({ recipes: web, inventories: web })
    expect(from('apps')).toEqual({ recipes: root, inventories: root })
  })

  test.each([
    ['recipes', 'inventories'],
    ['inventories', 'recipes'],
  ] as const)('with only %s takes %s from a folder above, and says so', async (has, lacks) => {
    const { root, from } = await tree('recipes', 'inventories', `apps/web/${has}`)
    const web = join(root, 'apps/web')
    const found = from('apps/web')
    expect(found).toEqual({ [has]: web, [lacks]: root })
    const [recipes, inventories] = has === 'recipes' ? [web, root] : [root, web]
    expect(twoProjects(found)).toBe(
      `recipes are from ${recipes}/recipes, hosts from ${inventories}/inventories`,
    )
  })

  test.each(['recipes', 'inventories'] as const)('may have only %s', async has => {
    const { root, from } = await tree(has)
    expect(from('')[has]).toBe(root)
    expect(twoProjects({ [has]: root })).toBeUndefined()
  })

  test('may have links to the folders of another', async () => {
    const { root, from } = await tree('inventories', 'recipes', 'apps/web/recipes')
    const web = join(root, 'apps/web')
    await symlink('../../inventories', join(web, 'inventories'))
    expect(from('apps/web')).toEqual({ recipes: web, inventories: web })
  })

  test('ignores files, dangling links and links to themselves', async () => {
    const { root, from } = await tree('recipes', 'inventories', 'a', 'b', 'c')
    await writeFile(join(root, 'a/recipes'), '')
    await symlink('nowhere', join(root, 'b/recipes'))
    await symlink('recipes', join(root, 'c/recipes'))
    for (const cwd of ['a', 'b', 'c']) expect(from(cwd).recipes).toBe(root)
  })

  test('does not exist if no folder above has either', async () => {
    const { root } = await tree()
    // Whatever the machine has above its folder for temporary files, it is not below it.
    const { recipes, inventories } = findProject(root)
    for (const found of [recipes, inventories])
      expect(found === undefined || dirname(root).startsWith(found)).toBe(true)
  })
})
