/** Rows about settings for interactive use, which must not disturb our sessions. */
import { join } from 'node:path'
import { freePort, ownAddress, type Sshd } from '../../support/sshd.ts'
import { type Attempt, type Row, refused, type Servers, works } from './row.ts'

const withLines =
  (lines: readonly string[] | ((sshd: Sshd) => string[] | Promise<string[]>)) =>
  async (servers: Servers): Promise<Attempt> => {
    const sshd = await servers.sshd()
    return {
      config: sshd.sshConfig('target', typeof lines === 'function' ? await lines(sshd) : lines),
    }
  }

const forSessions = { differs: 'it says what a session of a person is: hostwright’s have a shell' }

export const habits: readonly Row[] = [
  works('RequestTTY force', withLines(['RequestTTY force'])),
  works('RemoteCommand', withLines(['RemoteCommand tmux attach']), forSessions),
  works(
    'SessionType none',
    withLines(['SessionType none', 'ForkAfterAuthentication yes']),
    forSessions,
  ),
  works('SessionType subsystem', withLines(['SessionType subsystem']), forSessions),
  works('StdinNull', withLines(['StdinNull yes'])),
  works('LocalCommand', withLines(['PermitLocalCommand yes', 'LocalCommand echo noise'])),
  works(
    'ControlMaster and ControlPersist',
    withLines(({ directory }) => [
      'ControlMaster auto',
      `ControlPath ${join(directory, 'mux')}`,
      'ControlPersist 1',
    ]),
  ),
  works(
    'a ControlPath that leads nowhere',
    withLines(({ directory }) => ['ControlMaster no', `ControlPath ${join(directory, 'nothing')}`]),
  ),
  works(
    'LocalForward and ExitOnForwardFailure',
    withLines(async ({ address }) => {
      const own = ownAddress()
      const port = await freePort(own)
      return [`LocalForward ${own}:${port} ${address}:1`, 'ExitOnForwardFailure yes']
    }),
  ),
  works(
    'LocalForward of a port in use, ExitOnForwardFailure',
    withLines(({ address, port }) => [
      `LocalForward ${address}:${port} ${address}:1`,
      'ExitOnForwardFailure yes',
    ]),
    { differs: 'forwards are for people: hostwright opens none' },
  ),
  works(
    'DynamicForward and RemoteForward',
    withLines(async () => [
      `DynamicForward ${await freePort('127.0.0.1')}`,
      `RemoteForward ${await freePort('127.0.0.1')} 127.0.0.1:1`,
    ]),
  ),
  works(
    'ForwardAgent and ForwardX11 without either',
    withLines(['ForwardAgent yes', 'ForwardX11 yes']),
  ),
  works('VisualHostKey', withLines(['VisualHostKey yes'])),
  works('LogLevel DEBUG3', withLines(['LogLevel DEBUG3'])),
  works('LogLevel QUIET', withLines(['LogLevel QUIET'])),
  refused(
    'LogLevel QUIET, a key that is not known',
    'host_key_unknown',
    withLines(['LogLevel QUIET', 'UserKnownHostsFile none']),
  ),
  refused(
    'LogLevel QUIET, a closed port',
    'connect_failed',
    withLines(async ({ address }) => ['LogLevel QUIET', `Port ${await freePort(address)}`]),
  ),
  works('GSSAPIAuthentication without a ticket', withLines(['GSSAPIAuthentication yes'])),
  works(
    'HostbasedAuthentication that the host does not accept',
    withLines(['HostbasedAuthentication yes']),
  ),
  works('UpdateHostKeys', withLines(['UpdateHostKeys yes'])),
  works('CheckHostIP, VerifyHostKeyDNS no', withLines(['CheckHostIP yes', 'VerifyHostKeyDNS no'])),
  works('EscapeChar', withLines(['EscapeChar none'])),
  works(
    'IPQoS, TCPKeepAlive no, RekeyLimit',
    withLines(['IPQoS none', 'TCPKeepAlive no', 'RekeyLimit 64K']),
  ),
  works('AddKeysToAgent without an agent', withLines(['AddKeysToAgent yes'])),
  works('BatchMode', withLines(['BatchMode yes'])),
  works(
    'CanonicalizeHostname',
    withLines(['CanonicalizeHostname yes', 'CanonicalizeFallbackLocal yes']),
  ),
  works('AddressFamily inet', withLines(['AddressFamily inet'])),
  refused(
    'AddressFamily inet6 of an IPv4 address',
    'connect_failed',
    withLines(['AddressFamily inet6']),
  ),
]
