/** The prompts of a login, and who answers them. */
import type { Secret } from '../../shell/secret.ts'

/** Answers for one host. */
export interface Answers {
  /** The login’s password, if there is one: tried once. */
  password?: Secret
  /** The password for sudo, doas or su: tried once. */
  becomePassword?: Secret
  /**
   * The passphrase of a key file, asked for once per run, whichever host needs it first.
   * @param wrong the previous answer, which was wrong: the person is asked again
   * @returns undefined: there is nobody to ask
   */
  passphrase(file: string, wrong?: Secret): Promise<Secret | undefined>
  /**
   * Asks a person, one question at a time.
   * @param question may come from a host: it is shown without control characters
   * @returns undefined: there is nobody to ask
   */
  ask(question: string): Promise<Secret | undefined>
}

/** Nobody answers. */
export const noAnswers: Answers = { passphrase: async () => undefined, ask: async () => undefined }
