/** Growth as a chart: SVG without scripts or fonts of its own, readable on light and dark pages. */
import type { Point } from './growth.ts'

interface Panel {
  title: string
  axis: string
  points: readonly Point[]
}

const width = 380
const height = 260
const left = 56
const bottom = 44
const top = 40

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .ours { stroke: #0969da; fill: #0969da }
  .ssh { stroke: #bc4c00; fill: #bc4c00 }
  polyline.ours, polyline.ssh { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { stroke: #58a6ff; fill: #58a6ff }
    .ssh { stroke: #f0883e; fill: #f0883e }
  }
  text.ours, text.ssh { stroke: none }`

/** Powers of ten that hold all of the values. */
function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
}

const timeLabel = (value: number) => (value < 1000 ? `${value} ms` : `${value / 1000} s`)

/** Both axes are logarithmic: a straight line at 45° is cost in proportion. */
function panel({ title, axis, points }: Panel, offset: number): string {
  const times = points.flatMap(({ ours, ssh }) => [ours.wallMs, ssh.wallMs])
  const lines = decades(times)
  const scale = (value: number, from: number, to: number) =>
    to === from ? 0 : Math.log(value / from) / Math.log(to / from)
  const sizes = points.map(({ size }) => size)
  const x = (size: number) =>
    left + scale(size, Math.min(...sizes), Math.max(...sizes)) * (width - left - 24)
  const y = (value: number) =>
    height - bottom - scale(value, lines[0]!, lines.at(-1)!) * (height - bottom - top)
  const round = (value: number) => value.toFixed(1)
  const series = (name: 'ours' | 'ssh') => {
    const places = points.map(point => [round(x(point.size)), round(y(point[name].wallMs))])
    const dots = places.map(([cx, cy]) => `<circle class="${name}" cx="${cx}" cy="${cy}" r="3"/>`)
    const path = places.map(place => place.join(',')).join(' ')
    return `<polyline class="${name}" points="${path}"/>${dots.join('')}`
  }
  const grid = lines.map(
    value =>
      `<line class="grid" x1="${left}" x2="${width - 24}" y1="${round(y(value))}" y2="${round(y(value))}"/>` +
      `<text x="${left - 6}" y="${round(y(value) + 4)}" text-anchor="end">${timeLabel(value)}</text>`,
  )
  const ticks = sizes.map(
    size =>
      `<text x="${round(x(size))}" y="${height - bottom + 18}" text-anchor="middle">${size}</text>`,
  )
  return [
    `<g transform="translate(${offset} 0)">`,
    `<text class="title" x="${left}" y="18">${title}</text>`,
    ...grid,
    ...ticks,
    `<text x="${(left + width - 24) / 2}" y="${height - 6}" text-anchor="middle">${axis}</text>`,
    series('ssh'),
    series('ours'),
    '</g>',
  ].join('\n')
}

export function chart(panels: readonly Panel[]): string {
  const total = panels.length * width
  const legend = [
    `<text class="ours" x="${left}" y="${height + 16}">● hostwright</text>`,
    `<text class="ssh" x="${left + 110}" y="${height + 16}">● ssh host true, as many at once</text>`,
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height + 26}" width="${total}" role="img" aria-label="Time by number of hosts and of resources">
<style>${style}</style>
${panels.map((each, index) => panel(each, index * width)).join('\n')}
${legend.join('\n')}
</svg>
`
}
