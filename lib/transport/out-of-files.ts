import { errorCodes, UnreachableError } from '../errors.ts'

/** The error of a connection that could not be opened because this process, or this machine, may open no more files. */
export function outOfFiles(cause: unknown): UnreachableError | undefined {
  const { code } = cause as NodeJS.ErrnoException
  if (code !== 'EMFILE' && code !== 'ENFILE') return undefined
  const message = 'the controller has too many open files: this is not the host’s fault'
  return new UnreachableError('out_of_files', message, {
    cause,
    hint: errorCodes.out_of_files.next,
  })
}
