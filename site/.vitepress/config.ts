/** The site is README and docs/ as they are: pages in the order of README's list, links checked, search in the page. */
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { slug } from '../../test/support/markdown.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The rows of README's table of documents. */
const pages = [...readme.matchAll(/^\| \[(?:docs\/)?([\w.-]+?)\.md\]\(([\w./-]+)\) \|/gm)].map(
  ([, , path]) => ({
    text: titleOf(path!),
    link: `/${path!.replace(/\.md$/, '')}`,
  }),
)

function titleOf(path: string): string {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  return /^# (.+)$/m.exec(text)?.[1] ?? path
}

export default defineConfig({
  title: 'hostwright',
  description: 'Provision, configure and upgrade hosts over SSH',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'cache',
  cleanUrls: true,
  lastUpdated: false,
  // Any other dead link fails the build.
  ignoreDeadLinks: [/LICENSE$/, /\.(ini|ts)$/],
  markdown: {
    // Pages are text: braces are no expressions of Vue's, and angle brackets no elements.
    html: false,
    // Anchors as where the repository is read.
    anchor: { slugify: slug },
    toc: { slugify: slug },
    config: md => {
      for (const rule of ['text', 'code_inline'] as const) {
        const render = md.renderer.rules[rule]!
        md.renderer.rules[rule] = (...of) => render(...of).replaceAll('{{', '&#123;&#123;')
      }
      // README is the first page of the site.
      md.core.ruler.push('readme', ({ tokens }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const to = token.attrGet('href')
          if (token.type === 'link_open' && to)
            token.attrSet('href', to.replace(/^((?:\.\.\/)*)README\.md(?=#|$)/, '$1index.md'))
        }
      })
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [{ text: 'hostwright', link: '/' }, ...pages],
  },
})
