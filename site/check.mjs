/** Each link between pages of the built site leads to a page and, where it names one, to an anchor that is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const pages = new Map(
  readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.html') && name !== '404.html')
    .map(name => [`/${name.replace(/\.html$/, '')}`, readFileSync(join('dist', name), 'utf8')]),
)
const ids = new Map(
  [...pages].map(([page, html]) => [
    page,
    new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)),
  ]),
)
const faults = []
for (const [page, html] of pages)
  for (const [, href] of html.matchAll(/<a [^>]*href="([^"]+)"/g)) {
    const url = new URL(href.replaceAll('&amp;', '&'), `http://site${page}`)
    if (url.host !== 'site' || /\/LICENSE$|\.(ini|ts)$/.test(url.pathname)) continue
    const to = url.pathname === '/' ? '/index' : decodeURIComponent(url.pathname)
    const anchor = decodeURIComponent(url.hash.slice(1))
    if (!ids.has(to) && !existsSync(join('dist', to))) faults.push(`${page}: no page ${to}`)
    else if (anchor !== '' && !ids.get(to)?.has(anchor))
      faults.push(`${page}: no #${anchor} in ${to}`)
  }
for (const fault of new Set(faults)) console.error(fault)
console.log(`${pages.size} pages, ${new Set(faults).size} dead links`)
process.exitCode = faults.length > 0 || pages.size < 20 ? 1 : 0
