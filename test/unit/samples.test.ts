/**
 * Every sample of TypeScript in README and docs/ compiles against the public API, as a person who copies it would
 * compile it: whole files as they are, parts of a recipe with what a recipe has in scope.
 *
 * @module-tag long
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { readPage } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `run` gets, which parts of a recipe use as they are. */
const context: readonly string[] =
  '$ args check converge drain effect facts factsOf heartbeat host inventory on once output putBack read secrets warn'.split(
    ' ',
  )

/** Values that samples take from around them: what they are is said in the text, or plain from the name. */
const around: readonly string[] = (
  'aliases app archive authority config home kernel key leaked licence line path pgpass port program reload ' +
  'restart restartDocker restartNginx token version'
).split(' ')

interface Sample {
  page: string
  at: string
  directory: string
  /** The path that its first line says. */
  name?: string
  file: string
  text: string
}

/** A whole file has imports or exports. */
const isModule = (text: string) => /^(?:import|export) /m.test(text)
/** A member of a recipe. */
const isMember = (text: string) => /^(?:async )?\w+\(.*\) \{$|^\w+: /m.test(text.split('\n')[0]!)

function samples(): Sample[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const pages = [
    'README.md',
    ...docs.filter(name => name.endsWith('.md')).map(name => `docs/${name}`),
  ]
  return pages.flatMap(page =>
    readPage(readFileSync(join(root, page), 'utf8'))
      .blocks.filter(({ language }) => language === 'ts')
      .map(({ line, text }) => {
        const name = /^\/\/ ((?:recipes|tasks|test)\/[\w./-]+)\n/.exec(text)?.[1]
        const directory = join(root, 'samples', `${page}-${line}`)
        const file = join(directory, name ?? 'recipes/sample.ts')
        return { page, at: `${page}:${line}`, directory, name, file, text }
      }),
  )
}

/** The values of the public API, by name. */
function publicNames(): string[] {
  const program = ts.createProgram([join(root, 'lib/index.ts')], compilerOptions)
  const source = program.getSourceFile(join(root, 'lib/index.ts'))!
  const checker = program.getTypeChecker()
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(source)!)
    .map(each => (each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each))
    .filter(({ flags }) => flags & ts.SymbolFlags.Value)
    .map(({ name }) => name)
}

const compilerOptions: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(
    JSON.parse(readFileSync(join(root, 'templates/project/tsconfig.json'), 'utf8')),
    ts.sys,
    root,
  ).options,
  noEmit: true,
  rewriteRelativeImportExtensions: false,
  paths: {
    hostwright: [join(root, 'lib/index.ts')],
    'hostwright/testing': [join(root, 'lib/testing/index.ts')],
  },
}

/** A part of a recipe, as a file of its own. */
function complete({ text }: Sample, api: readonly string[]): string {
  if (isModule(text)) return text
  const declared = [...text.matchAll(/(?:const|let|function) (?:\{([^}]*)\}|(\w+))/g)].flatMap(
    ([, several, one]) => several?.split(',').map(name => name.trim()) ?? [one!],
  )
  const isFree = (name: string) =>
    !declared.includes(name) &&
    new RegExp(`(?<![\\w.$])${name.replace('$', '\\$')}(?![\\w$])`).test(text)
  // `product` is a type of arguments, and a function of the context: parts of a recipe mean the latter.
  const own = [...context, 'product'].filter(isFree)
  // The name of a resource is also what a variable may be called.
  const given = around.filter(
    name => isFree(name) && !(api.includes(name) && text.includes(`${name}(`)),
  )
  const taken = [...own, ...given]
  const imported = ['recipe', ...api.filter(name => isFree(name) && !taken.includes(name))]
  const body = isMember(text)
    ? `recipe({ description: '', async run() {}, ${text.trimEnd().replace(/,$/, '')} })`
    : text
  return `import { ${[...new Set(imported)].join(', ')}, type RunContext } from 'hostwright'
import { readFileSync } from 'node:fs'
${given.map(name => `declare const ${name}: any\n`).join('')}
export async function sample({ ${own.join(', ')} }: RunContext<any, any>) {
  void [recipe, readFileSync]
  ${body}
}
`
}

test('compile', { timeout: 120_000 }, () => {
  const api = publicNames()
  const all = samples()
  expect(all.length).toBeGreaterThan(60)
  const texts = new Map(all.map(sample => [sample.file, complete(sample, api)]))
  // What a page has had people write before is there, too.
  for (const { page, directory, name } of all)
    for (const other of all)
      if (other.page === page && other.name && other.name !== name)
        texts.set(join(directory, other.name), other.text)
  const host = ts.createCompilerHost(compilerOptions)
  const { fileExists, readFile, getSourceFile } = host
  // Folders of samples are in none: all are taken to be there.
  host.directoryExists = undefined
  host.fileExists = path => texts.has(path) || fileExists(path)
  host.readFile = path => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, version) => {
    const text = texts.get(path)
    return text === undefined
      ? getSourceFile(path, version)
      : ts.createSourceFile(path, text, version)
  }
  const program = ts.createProgram([...texts.keys()], compilerOptions, host)
  const faults = all.flatMap(({ at, file }) => {
    const source = program.getSourceFile(file)!
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ].map(
      ({ messageText, start = 0 }) =>
        `${at} (+${source.getLineAndCharacterOfPosition(start).line}): ${ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 200)}`,
    )
  })
  expect(faults).toEqual([])
})
