/** Versions of products, compared. Pure. */

/**
 * Which of two versions is newer: negative if `one` is older, 0 if neither is. Digits count as numbers, a tilde
 * sorts before the end, letters before other characters, and what stands before a colon is an epoch: Debian's
 * rules (deb-version(7)), which those of other package managers and of archives agree with in all but odd cases.
 * A hyphen and a word such as rc is a version before the release, as in semver: 2.0.0-rc.1.
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parts(one), parts(other)]
  return a.epoch - b.epoch || compareText(a.text, b.text)
}

/**
 * Whether an installed version is the wanted one. Some package managers let people leave out the epoch, before
 * the colon, and the release, behind the hyphen.
 */
export function isVersion(wanted: string, installed: string): boolean {
  if (wanted === installed) return true
  const upstream = wanted.includes(':') ? installed : installed.replace(/^\d+:/, '')
  return (
    upstream === wanted || (!wanted.includes('-') && /^(.*)-[^-]*$/.exec(upstream)?.[1] === wanted)
  )
}

function parts(version: string) {
  const [, epoch = '0', text = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? []
  return {
    epoch: Number(epoch),
    text: text.replace(/-(?=(alpha|beta|rc|pre|dev|snapshot)\b)/gi, '~'),
  }
}

function compareText(one: string, other: string): number {
  let [a, b] = [one, other]
  while (a !== '' || b !== '') {
    const [wordA, wordB] = [/^\D*/.exec(a)![0], /^\D*/.exec(b)![0]]
    const words = compareWords(wordA, wordB)
    if (words !== 0) return words
    const [digitsA, digitsB] = [
      /^\d*/.exec(a.slice(wordA.length))![0],
      /^\d*/.exec(b.slice(wordB.length))![0],
    ]
    const numbers = BigInt(digitsA || 0) - BigInt(digitsB || 0)
    if (numbers !== 0n) return numbers < 0n ? -1 : 1
    a = a.slice(wordA.length + digitsA.length)
    b = b.slice(wordB.length + digitsB.length)
  }
  return 0
}

function compareWords(one: string, other: string): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const difference = weight(one[index]) - weight(other[index])
    if (difference !== 0) return difference
  }
  return 0
}

function weight(char: string | undefined): number {
  if (char === undefined) return 0
  if (char === '~') return -1
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256
}
