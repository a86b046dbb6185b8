/** What a login may be asked, and who answers. */
import type { Secret } from '../../shell/secret.ts'

/** Answers for one host. */
export interface Answers {
  /** The login's password, where there is one: tried once. */
  password?: Secret
  /** For becoming another user, as sudo, doas or su ask for it: tried once. */
  becomePassword?: Secret
  /**
   * The passphrase of a key file, asked for once a run, whichever host needs it first.
   * @param wrong what was answered before, and does not open it: it is asked for again
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

/** Nobody is there. */
export const noAnswers: Answers = { passphrase: async () => undefined, ask: async () => undefined }
