// The page is whole without it: it searches, shows all steps of a host, and says what is under the pointer.
const { span, titles, hosts } = JSON.parse(document.getElementById('steps').textContent)
const words = ['unchanged', 'changed', 'failed', 'unknown', 'skipped', 'no end']
const looks = ['ok', 'changed', 'failed', 'unknown', 'skipped', 'running']

const duration = milliseconds => {
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
const titleOf = number => titles[number] ?? '(in the run’s log)'

/** The steps of a host, from its numbers. */
const stepsOf = index => {
  const numbers = hosts[index] ?? []
  const steps = []
  let at = 0
  for (let next = 0; next < numbers.length; ) {
    const task = titleOf(numbers[next])
    const count = numbers[next + 1]
    next += 2
    for (let step = 0; step < count; step++, next += 4) {
      at += numbers[next + 2]
      steps.push({
        task,
        title: titleOf(numbers[next]),
        status: numbers[next + 1],
        at,
        took: numbers[next + 3],
      })
    }
  }
  return steps
}

const element = (name, text, className) => {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}

const tableOf = steps => {
  const table = element('table')
  const head = table.createTHead().insertRow()
  for (const name of ['Step', 'Status', 'Began', 'Took']) {
    const cell = element('th', name)
    cell.scope = 'col'
    head.append(cell)
  }
  const body = table.createTBody()
  let task
  for (const step of steps) {
    if (step.task !== task && step.task !== '') {
      task = step.task
      const cell = element('th', task)
      cell.colSpan = 4
      cell.scope = 'rowgroup'
      body.insertRow().append(cell)
    }
    const row = body.insertRow()
    const title = element('td')
    title.append(element('span', undefined, `dot ${looks[step.status]}`), step.title)
    row.append(
      title,
      element('td', words[step.status], `status ${looks[step.status]}`),
      element('td', `+${duration(step.at)}`),
      element('td', duration(step.took)),
    )
  }
  return table
}

for (const host of document.querySelectorAll('details.host')) {
  const open = () => {
    if (host.open && !host.querySelector('table')) {
      const steps = stepsOf(host.dataset.host)
      host.append(steps.length > 0 ? tableOf(steps) : element('p', 'No steps.', 'quiet'))
    }
  }
  host.addEventListener('toggle', open)
}

// A link to something that is closed opens it.
const follow = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1))
  if (!target) return
  if (target instanceof HTMLDetailsElement) {
    target.open = true
    target.querySelector('summary').focus()
  }
  target.scrollIntoView({ block: 'start' })
}
addEventListener('hashchange', follow)
follow()

// What is under the pointer.
const tip = document.getElementById('tip')
const rows = [...document.querySelectorAll('.rows li')]
for (const [index, row] of rows.entries()) {
  let steps
  row.querySelector('svg').addEventListener('pointermove', event => {
    steps ??= stepsOf(index)
    const box = event.currentTarget.getBoundingClientRect()
    const time = ((event.clientX - box.left) / box.width) * span
    const near = (3 / box.width) * span
    const bad = step => step.status === 2
    const under = steps.filter(step => step.at - near <= time && time <= step.at + step.took + near)
    const step = under.find(bad) ?? under.find(each => each.status !== 0) ?? under[0]
    const place = `${row.dataset.find}, +${duration(time)}`
    tip.textContent = step
      ? `${place}: ${[step.task, step.title].filter(Boolean).join(' › ')}, ${words[step.status]}, ${duration(step.took)}`
      : place
  })
}

// Search.
const input = document.getElementById('find')
const found = document.getElementById('found')
const none = document.getElementById('none')
const items = [...document.querySelectorAll('[data-find]')].map(item => {
  const extra = item.dataset.host === undefined ? [] : stepsOf(item.dataset.host)
  const titlesOf = new Set(extra.flatMap(step => [step.task, step.title]))
  return { item, text: [item.textContent, ...titlesOf].join('\n').toLowerCase() }
})
const search = () => {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  let shown = 0
  for (const { item, text } of items) {
    item.hidden = !wanted.every(word => text.includes(word))
    if (!item.hidden) shown++
  }
  found.textContent = wanted.length === 0 ? '' : `${shown} of ${items.length}`
  none.hidden = shown > 0
}
input.parentElement.hidden = false
input.addEventListener('input', search)
addEventListener('keydown', event => {
  if (event.key === '/' && document.activeElement !== input) {
    event.preventDefault()
    input.focus()
  }
  if (event.key === 'Escape' && document.activeElement === input) {
    input.value = ''
    search()
  }
})

// Light and dark: as the system has it until somebody chooses.
const button = document.getElementById('theme')
const dark = matchMedia('(prefers-color-scheme: dark)')
const isDark = () =>
  (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark'
const name = () => {
  button.textContent = isDark() ? 'Light' : 'Dark'
}
button.hidden = false
button.addEventListener('click', () => {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark'
  name()
})
dark.addEventListener('change', name)
name()
