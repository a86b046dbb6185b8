/** Something is wrong in a template; who renders it adds the template and the line. */
export class TemplateFault extends Error {
  /** `undefined`: a value is missing, which callers may want to know. */
  readonly kind: 'syntax' | 'undefined' | 'value'

  constructor(message: string, kind: 'syntax' | 'undefined' | 'value' = 'value') {
    super(message)
    this.kind = kind
  }
}
