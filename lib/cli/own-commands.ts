/** hostwright's own commands: all that is known of each before it is loaded (command-source.ts does that). */
import type { CommandInfo } from './command.ts'
import {
  abortOptions,
  allOptions,
  applyOptions,
  attachOptions,
  callbacksDropOptions,
  callbacksOptions,
  callbacksSendOptions,
  execOptions,
  initOptions,
  listGroupsOptions,
  listHostsOptions,
  listRecipesOptions,
  listTasksOptions,
  logOptions,
  planOptions,
  reportOptions,
  resumeOptions,
  retryOptions,
  runsOptions,
  runsShowOptions,
  settleOptions,
  unlockOptions,
} from './options/commands.ts'
import type { Option } from './options/option.ts'

const exec: CommandInfo = {
  name: 'exec',
  usage: '-- <command>',
  description: 'Run one command on hosts',
  args: [
    [
      'command',
      'several words: a program and its arguments, unchanged; one word: a line for the host’s shell',
    ],
  ],
  examples: ['exec --on web1 -- uptime', "exec --on web -- 'df -h / | tail -1'"],
  options: execOptions,
  instead: {
    selection: 'exec runs one command: there are no tasks to select from.',
    diff: 'exec compares no files: leave --diff out.',
    step: 'exec is a single step: look first with --check.',
    'wait-lock': 'exec takes no lock: leave --wait-lock out.',
  },
  unknownOption: 'If it belongs to the command, write -- before the command.',
}

const changesNothing = 'plan changes nothing: give it to `hostwright apply`.'

const plan: CommandInfo = {
  name: 'plan',
  usage: '<recipe> [arguments]',
  description: 'Save what a recipe would do, for apply',
  args: [['recipe', 'the recipe with its arguments, as on its own command line']],
  examples: ['plan server.provision app --on web -i production -o plan.json'],
  options: planOptions,
  instead: {
    check: 'plan always checks: leave --check out.',
    step: 'plan changes nothing: there are no steps to confirm.',
    rollout: changesNothing,
    'callback-url': changesNothing,
  },
}

const inPlan = 'It is in the plan: make another one with `hostwright plan`.'

const apply: CommandInfo = {
  name: 'apply',
  usage: '<plan>',
  description: 'Do what a plan says; refuses hosts that have changed since',
  args: [['plan', 'the file that plan saved']],
  examples: ['apply plan.json', 'apply plan.json --on web1'],
  options: applyOptions,
  instead: {
    target: inPlan,
    selection: inPlan,
    check: 'apply does what the plan says: to look again, make another plan.',
    step: 'apply does what the plan says: run the recipe itself with --step.',
  },
}

const noHosts = 'It lists files and looks at no hosts: leave it out.'
const noConnection = 'It reads the inventory and connects to no host: leave it out.'
const onlyLooks = 'It only lists what would be done: leave it out.'

const lists: readonly CommandInfo[] = [
  {
    name: 'list recipes',
    usage: '',
    description: 'Show the recipes',
    args: [],
    examples: ['list recipes'],
    options: listRecipesOptions,
    instead: {
      target: noHosts,
      connection: noHosts,
      selection: noHosts,
      change: noHosts,
      rollout: noHosts,
      output: noHosts,
    },
  },
  {
    name: 'list hosts',
    usage: '',
    description: 'Show the hosts of an inventory; piped, one name a line',
    args: [],
    examples: ["list hosts -i production --on 'web:&eu'"],
    options: listHostsOptions,
    instead: {
      connection: noConnection,
      selection: 'It is about tasks: see `hostwright list tasks`.',
      change: noConnection,
      rollout: noConnection,
      output: noConnection,
    },
  },
  {
    name: 'list groups',
    usage: '',
    description: 'Show the groups of an inventory as a tree, with their hosts',
    args: [],
    examples: ['list groups -i production'],
    options: listGroupsOptions,
    instead: {
      connection: noConnection,
      selection: 'It is about tasks: see `hostwright list tasks`.',
      change: noConnection,
      rollout: noConnection,
      output: noConnection,
    },
  },
  {
    name: 'list vars',
    usage: '<host>',
    description: 'Show each variable of a host: its value, where it is from, and what it covers',
    args: [['host', 'a host of the inventory']],
    examples: ['list vars web1 -i production'],
    options: listGroupsOptions,
    instead: {
      on: 'The host comes behind `list vars`.',
      connection: noConnection,
      selection: 'It is about tasks: see `hostwright list tasks`.',
      change: noConnection,
      rollout: noConnection,
      output: noConnection,
    },
  },
  {
    name: 'list tasks',
    usage: '<recipe> [arguments]',
    description: 'Show the tasks and resources that a recipe would take',
    args: [['recipe', 'the recipe with its arguments, as on its own command line']],
    examples: ['list tasks server.provision app --on web1 --tags config'],
    options: listTasksOptions,
    instead: { change: onlyLooks, rollout: onlyLooks, output: onlyLooks },
  },
]

const list: CommandInfo = {
  ...under('list', lists, allOptions),
  usage: 'recipes|hosts|groups|vars|tasks',
  description: 'Show the recipes, hosts, groups and variables, or what a recipe would do',
}

const unlock: CommandInfo = {
  name: 'unlock',
  usage: '',
  description: 'Show who holds a host’s lock, and release it',
  args: [],
  examples: ['unlock --on web1', 'unlock --on web --yes'],
  options: unlockOptions,
  instead: {
    selection: 'unlock runs no recipe: there are no tasks to select from.',
    change: 'unlock runs no recipe: without --yes it takes only the locks of dead runs.',
    rollout: 'unlock runs no recipe and waits for no lock: leave it out.',
    'callback-url': 'unlock posts nothing: leave it out.',
  },
}

const settle: CommandInfo = {
  name: 'settle',
  usage: '<run>',
  description: 'Say what became of a command whose end is not known',
  args: [['run', 'the id of the run that began it']],
  examples: [
    "settle 20260131T020000Z-4f3a9c --on web1 --step 'command app migrate' --as done",
    "settle 20260131T020000Z-4f3a9c --on web1 --step 'command app migrate' --as not-done",
  ],
  options: settleOptions,
  instead: { selection: 'settle runs no recipe: name the step with --step.' },
}

const aboutRuns = 'It is about runs that have been: leave it out.'
const notOfRuns = {
  connection: aboutRuns,
  selection: aboutRuns,
  change: aboutRuns,
  rollout: aboutRuns,
  output: aboutRuns,
  target: 'A run has its hosts: name some of them with --on <pattern>.',
}

const runsShow: CommandInfo = {
  name: 'runs show',
  usage: '<run>',
  description: 'Show a run: who, when, arguments, and what was done on each host',
  args: [['run', 'its id, or the end of it that no other has; last for the newest']],
  examples: ['runs show last', 'runs show 4f3a9c --host web1', 'runs show last --html > run.html'],
  options: runsShowOptions,
  instead: { ...notOfRuns, on: 'Name one host with --host.' },
}

const runsList: CommandInfo = {
  name: 'runs',
  usage: '[show <run>]',
  description: 'Show the runs of this machine, the newest first, or one',
  args: [['show <run>', runsShow.description]],
  examples: ['runs', 'runs --failed --since 2d', 'runs --on web1', ...runsShow.examples],
  options: runsOptions,
  instead: notOfRuns,
}

const runs: CommandInfo = {
  ...runsList,
  options: allOptions,
  commands: [runsList, runsShow],
}

const report: CommandInfo = {
  name: 'report',
  usage: '<log>',
  description: 'Show a run from its log, or write reports of it',
  args: [['log', 'the file: see docs/output.md; /dev/stdin for standard input']],
  examples: ['report run.jsonl', 'report run.jsonl --report html=run.html,junit=run.xml'],
  options: reportOptions,
  instead: { ...notOfRuns, target: 'A log has its hosts: leave it out.' },
}

const ofTheRun = 'It stays as it was in the run: to change it, run the recipe itself.'
const inRun = {
  target: ofTheRun,
  selection: ofTheRun,
  change: ofTheRun,
  rollout: ofTheRun,
  'no-journal': 'The run goes on in its journal: leave it out.',
}
const log: CommandInfo = {
  name: 'log',
  usage: '',
  description: 'Show who changed what on hosts, and when, from what they keep themselves',
  args: [],
  examples: ['log --on web1', 'log --on web --since 2d --limit 200'],
  options: logOptions,
  instead: {
    selection: 'log runs no recipe: there are no tasks to select from.',
    change: 'log changes nothing: leave it out.',
    rollout: 'log changes nothing and takes no lock: leave it out.',
    output: 'log keeps no journal and posts nothing: leave it out.',
  },
}

const runArgument = [['run', 'its id, or the end of it; last for the newest']] as const

const resume: CommandInfo = {
  name: 'resume',
  usage: '<run>',
  description: 'Go on with a run that was interrupted or is lost',
  args: runArgument,
  examples: ['resume last', 'resume 4f3a9c --max-fail 1'],
  options: resumeOptions,
  instead: inRun,
}

const goOn: CommandInfo = {
  name: 'continue',
  usage: '<run>',
  description: 'Go on with a rollout that is paused',
  args: runArgument,
  examples: ['continue last', 'continue 4f3a9c --max-fail 1'],
  options: resumeOptions,
  instead: inRun,
}

const abort: CommandInfo = {
  name: 'abort',
  usage: '<run>',
  description: 'End a rollout that is paused, interrupted or lost; with --rollback, go back',
  args: runArgument,
  examples: ['abort last', 'abort 4f3a9c --rollback'],
  options: abortOptions,
  instead: inRun,
}

const retry: CommandInfo = {
  name: 'retry',
  usage: '<run>',
  description: 'Run again, on the hosts that failed or were not reached',
  args: runArgument,
  examples: ['retry last'],
  options: retryOptions,
  instead: inRun,
}

const attach: CommandInfo = {
  name: 'attach',
  usage: '<run>',
  description: 'Watch a run that is at work, as its own terminal shows it',
  args: runArgument,
  examples: ['attach last', 'attach last --output json'],
  options: attachOptions,
  instead: { ...notOfRuns, output: 'It only watches: leave it out.' },
}

const ofThisMachine = 'It is about callbacks on this machine: leave it out.'
const notOfCallbacks = {
  target: ofThisMachine,
  connection: ofThisMachine,
  selection: ofThisMachine,
  change: ofThisMachine,
  rollout: ofThisMachine,
  output: ofThisMachine,
}

const callbackList: readonly CommandInfo[] = [
  {
    name: 'callbacks',
    usage: '[send|drop]',
    description: 'Show the callbacks that wait to be delivered, send them, or drop them',
    args: [],
    examples: ['callbacks'],
    options: callbacksOptions,
    instead: notOfCallbacks,
  },
  {
    name: 'callbacks send',
    usage: '[id …]',
    description: 'Send those that wait, in their order; default: all',
    args: [['id', 'its id, or the end of it that no other has']],
    examples: ['callbacks send', 'callbacks send 4f3a9c'],
    options: callbacksSendOptions,
    instead: notOfCallbacks,
  },
  {
    name: 'callbacks drop',
    usage: '[id …]',
    description: 'Forget those with these ids, or --all',
    args: [['id', 'its id, or the end of it that no other has']],
    examples: ['callbacks drop 4f3a9c', 'callbacks drop --all'],
    options: callbacksDropOptions,
    instead: notOfCallbacks,
  },
]

const callbacks: CommandInfo = {
  ...callbackList[0]!,
  args: callbackList
    .slice(1)
    .map(
      ({ name, usage, description }) =>
        [`${name.slice('callbacks '.length)} ${usage}`, description] as const,
    ),
  examples: callbackList.flatMap(({ examples }) => examples),
  options: allOptions,
  commands: callbackList,
}

const noOptions = 'The lab is on this machine and takes no options.'

const labs: readonly CommandInfo[] = (
  [
    ['lab up', '[number]', 'Start hosts lab1, lab2 …; writes an inventory: -i lab', 'lab up 3'],
    ['lab down', '', 'Stop them and remove their files', 'lab down'],
    ['lab status', '', 'Show them', 'lab status'],
  ] as const
).map(([name, usage, description, example]) => ({
  name,
  usage,
  description,
  args: [],
  examples: [example],
  options: [],
  unknownOption: noOptions,
}))

const lab: CommandInfo = {
  ...under('lab', labs, []),
  usage: 'up [number]|down|status',
  description: 'Disposable SSH hosts on this machine',
  examples: [
    'lab up 3',
    'server.provision app --on lab -i lab',
    'exec --on lab1 -i lab -- hostname',
    'lab down',
  ],
  unknownOption: noOptions,
}

const init: CommandInfo = {
  name: 'init',
  usage: '[directory]',
  description: 'Start a project: a recipe, a task, a test, inventories',
  args: [['directory', 'default: this one']],
  examples: [
    'init greetings',
    'init greetings --environment production --hosts web1,root@192.0.2.11',
    'init greetings --ansible ../ansible/inventory --ci gitlab',
  ],
  options: initOptions,
  unknownOption: 'init touches no host.',
}

const test: CommandInfo = {
  name: 'test',
  usage: '[words]',
  description: 'Run the tests of this project',
  args: [['words', 'only files with one of these in their path; default: all in test/']],
  examples: ['test', 'test motd'],
  options: [],
  unknownOption: 'The tests say themselves what they run, and on which hosts.',
}

const complete: CommandInfo = {
  name: 'complete',
  usage: 'bash|zsh|fish|powershell',
  description: 'Print what makes a shell complete commands, options and hosts',
  args: [],
  examples: ['complete bash', 'complete fish >~/.config/fish/completions/hostwright.fish'],
  options: [],
}

/** A name with several commands under it. Each of them refuses itself what it does not take. */
function under(name: string, commands: readonly CommandInfo[], options: readonly Option[]) {
  return {
    name,
    args: commands.map(
      each =>
        [`${each.name.slice(name.length + 1)} ${each.usage}`.trim(), each.description] as const,
    ),
    examples: commands.flatMap(({ examples }) => examples),
    options,
    commands,
  }
}

/** In the order of the overview. */
export const ownCommands = {
  exec,
  plan,
  apply,
  list,
  runs,
  report,
  log,
  resume,
  continue: goOn,
  abort,
  retry,
  attach,
  callbacks,
  settle,
  unlock,
  lab,
  init,
  test,
  complete,
}
