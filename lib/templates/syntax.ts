/** What a template says, as a tree. */
export type Expression = { line: number } & (
  | { is: 'constant'; value: unknown }
  | { is: 'name'; name: string }
  | { is: 'list' | 'tuple'; items: readonly Expression[] }
  | { is: 'dict'; pairs: readonly (readonly [Expression, Expression])[] }
  | { is: 'attribute'; of: Expression; name: string }
  | { is: 'index'; of: Expression; key: Expression }
  | { is: 'slice'; of: Expression; from?: Expression; to?: Expression; step?: Expression }
  | { is: 'call'; of: Expression; given: Arguments }
  | { is: 'filter'; name: string; of: Expression; given: Arguments }
  | { is: 'test'; name: string; of: Expression; given: Arguments }
  | { is: 'not'; of: Expression }
  | { is: 'and' | 'or'; left: Expression; right: Expression }
  | { is: 'sign'; sign: string; of: Expression }
  | { is: 'operator'; sign: string; left: Expression; right: Expression }
  | { is: 'compare'; first: Expression; rest: readonly { sign: string; with: Expression }[] }
  | { is: 'if'; when: Expression; yes: Expression; otherwise?: Expression }
)

export interface Arguments {
  args: readonly Expression[]
  named: readonly { name: string; value: Expression }[]
  /** `*list` and `**dict`. */
  rest?: Expression
  restNamed?: Expression
}

/** What a value is given to: a name, several, or a member of a namespace. */
export type Assignee =
  | { is: 'name'; name: string }
  | { is: 'names'; parts: readonly Assignee[] }
  | { is: 'member'; of: string; name: string }

export interface Parameter {
  name: string
  otherwise?: Expression
}

export interface Macro {
  name: string
  parameters: readonly Parameter[]
  /** The words in its body: whether it takes `varargs` and `kwargs`. */
  uses: ReadonlySet<string>
  body: readonly Statement[]
}

export type Statement = { line: number } & (
  | { is: 'data'; text: string }
  | { is: 'print'; value: Expression }
  | { is: 'if'; branches: readonly { when?: Expression; body: readonly Statement[] }[] }
  | {
      is: 'for'
      each: Assignee
      of: Expression
      when?: Expression
      recursive: boolean
      body: readonly Statement[]
      otherwise: readonly Statement[]
    }
  | { is: 'set'; to: Assignee; value: Expression }
  | { is: 'capture'; to: Assignee; filters: readonly FilterUse[]; body: readonly Statement[] }
  | { is: 'macro'; macro: Macro }
  | { is: 'callBlock'; call: Expression; macro: Macro }
  | { is: 'filterBlock'; filters: readonly FilterUse[]; body: readonly Statement[] }
  | { is: 'with'; sets: readonly { to: Assignee; value: Expression }[]; body: readonly Statement[] }
  | { is: 'include'; name: Expression; ignoreMissing: boolean; context: boolean }
  | {
      is: 'import'
      name: Expression
      context: boolean
      /** The one name of all, or those taken from it. */
      as?: string
      names?: readonly { name: string; as: string }[]
    }
)

export interface FilterUse {
  name: string
  given: Arguments
  line: number
}
