import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { file, secret, type TemplateHost, template } from '../../../lib/index.ts'
import { isSecret } from '../../../lib/shell/secret.ts'

const project = mkdtempSync(join(tmpdir(), 'hw-template-'))
afterAll(() => rmSync(project, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

const files: Readonly<Record<string, string>> = {
  'recipes/web.ts': '',
  'outside.j2': 'outside',
  'templates/haproxy.cfg.j2':
    "{% import 'lib/macros.j2' as m %}\n{% include 'head.j2' %}\n\n{% for name in servers %}\n{{ m.server(name, port) }}\n{% endfor %}\n",
  'templates/head.j2': '# for {{ site }}\n',
  'templates/lib/macros.j2':
    '{% macro server(name, port=80) -%}\nserver {{ name }}:{{ port }}\n{%- endmacro %}\n',
  'templates/wrong.j2': 'one\n{{ servers | join(",") }}\n{{ gone }}\n',
  'templates/deep.j2': "\n{% include 'wrong.j2' %}\n",
  'templates/syntax.j2': '{% for x in y %}\n',
  'templates/out.j2': "{% include '../outside.j2' %}",
  'templates/absolute.j2': "{% include '/etc/hostname' %}",
  'templates/link.j2': "{% include 'linked.j2' %}",
  'templates/none.j2': "{% include 'none' %}",
  'templates/none-known.j2': "{% include 'none' ignore missing %}.",
  'templates/self.j2': "{% include 'self.j2' %}",
  'templates/host.j2': '{{ name }}: {{ cpus }}\n',
}
for (const [path, text] of Object.entries(files)) {
  mkdirSync(join(project, dirname(path)), { recursive: true })
  writeFileSync(join(project, path), text)
}
symlinkSync('../outside.j2', join(project, 'templates/linked.j2'))

const vars = { servers: ['a', 'b'], port: 8080, site: 'shop' }
const inside = (folder = '') => vi.spyOn(process, 'cwd').mockReturnValue(join(project, folder))

describe('template', () => {
  it.each(['', 'recipes', 'templates/lib'])(
    'finds the template from the project’s folder, in %j',
    folder => {
      inside(folder)
      expect(template('templates/haproxy.cfg.j2', { vars })).toBe(
        '# for shop\nserver a:8080\nserver b:8080\n',
      )
    },
  )

  it('takes a URL, from any folder', () => {
    const url = pathToFileURL(join(project, 'templates/head.j2'))
    expect(template(url, { vars })).toBe('# for shop\n')
  })

  it.each([
    ['wrong.j2', "templates/wrong.j2:3: 'gone' is undefined"],
    ['deep.j2', "templates/wrong.j2:3: 'gone' is undefined"],
    ['syntax.j2', "templates/syntax.j2:1: there is no endfor for 'for'"],
    ['out.j2', 'templates/out.j2: includes ../outside.j2, which is not in templates'],
    ['absolute.j2', 'templates/absolute.j2: includes /etc/hostname, which is not in templates'],
    ['link.j2', 'templates/link.j2: includes linked.j2, which is not in templates'],
    ['none.j2', 'templates/none.j2:1: there is no template none'],
    ['self.j2', 'templates/self.j2:1: more than 100 levels deep'],
    ['gone.j2', 'templates/gone.j2: can’t be read (ENOENT)'],
  ])('refuses %s and names the template and the line', (name, why) => {
    inside()
    const refused = () => template(`templates/${name}`, { vars })
    expect(refused).toThrow(why)
    expect(refused).toThrow(expect.objectContaining({ code: 'template_invalid', exitCode: 2 }))
  })

  it('leaves out a template that may be missing', () => {
    inside()
    expect(template('templates/none-known.j2')).toBe('.')
  })

  it('sees nothing but its variables', () => {
    inside()
    const odd = Object.create({ gone: 'inherited' }) as Record<string, unknown>
    expect(() => template('templates/wrong.j2', { vars: Object.assign(odd, vars) })).toThrow(
      "'gone' is undefined",
    )
  })

  it('makes a secret of a text with a secret in it, which a file hides', () => {
    inside()
    const made = template('templates/head.j2', { vars: { site: secret('s3cret-site') } })
    expect(isSecret(made) && made.reveal()).toBe('# for s3cret-site\n')
    expect(file('/etc/x', { content: made }).secrets).toStrictEqual(['# for s3cret-site\n'])
  })

  it('is made for each host where its variables depend on it', () => {
    inside()
    const content = template('templates/host.j2', {
      vars: host => ({ name: host.name, cpus: host.facts.cpus }),
    })
    const host = {
      name: 'web1',
      groups: [],
      vars: {},
      facts: { cpus: 4 },
    } as unknown as TemplateHost
    const made = file('/etc/motd', { content }).forHost?.(host)
    expect(made?.text).toBe('web1: 4\n')
  })
})
