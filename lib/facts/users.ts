import { recordOf, sectionsOf } from './answer-sections.ts'
import { preludeFact } from './fact.ts'

export interface User {
  readonly name: string
  readonly uid: number
  /** Of its own group. */
  readonly gid: number
  /** Full name and the like. */
  readonly comment: string
  readonly home: string
  readonly shell: string
  /** Names of all groups it is in, its own first. */
  readonly groups: readonly string[]
}

export interface Group {
  readonly name: string
  readonly gid: number
  /** Names of the users that are in it beside those whose own group it is. */
  readonly members: readonly string[]
}

export interface Users {
  /** By name. */
  readonly users: Readonly<Record<string, User>>
  /** By name. */
  readonly groups: Readonly<Record<string, Group>>
}

/**
 * Users and groups of /etc/passwd and /etc/group; not those of a directory service.
 * @example const shell = (await facts(users)).users.deploy?.shell
 */
export const users = preludeFact<Users>('users', parseUsers)

/** Reads what lib/facts/users.sh prints. */
export function parseUsers(text: string): Users {
  const lines = sectionsOf(text)
  const groups = lines('group').flatMap((line): Group[] => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    // Lines of NIS, and comments, have no number.
    if (!/^\d+$/.test(gid)) return []
    return [{ name, gid: Number(gid), members: members.split(',').filter(each => each !== '') }]
  })
  const found = lines('passwd').flatMap((line): User[] => {
    const [name = '', , uid = '', gid = '', comment = '', home = '', shell = ''] = line.split(':')
    if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return []
    const own = groups.filter(group => group.gid === Number(gid))
    const others = groups.filter(({ members }) => members.includes(name))
    const names = [...new Set([...own, ...others].map(group => group.name))]
    return [{ name, uid: Number(uid), gid: Number(gid), comment, home, shell, groups: names }]
  })
  return {
    users: recordOf(found.map(user => [user.name, user])),
    groups: recordOf(groups.map(group => [group.name, group])),
  }
}
