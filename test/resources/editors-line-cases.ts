/** Edits of files of lines. */
import { aBlock, aLine, type EditorCase, parsed, sshd } from './editor-case.ts'

export const lineCases: readonly EditorCase[] = [
  aLine(
    'sshd_config',
    { line: 'PermitRootLogin no', match: /^#?\s*PermitRootLogin\s/ },
    ['-#PermitRootLogin prohibit-password', '+PermitRootLogin no'],
    sshd('-permitrootlogin without-password', '+permitrootlogin no'),
  ),
  aLine(
    'sshd_config',
    { line: 'Port 22', match: /^Port\s+\d+$/ },
    ['-Port 2222', '+Port 22'],
    sshd(
      '-port 2222',
      '+port 22',
      '-listenaddress 0.0.0.0:2222',
      '-listenaddress [::]:2222',
      '+listenaddress 0.0.0.0:22',
      '+listenaddress [::]:22',
    ),
  ),
  aLine(
    'sshd_config',
    { line: 'MaxAuthTries 3', before: /^Match\s/ },
    ['+MaxAuthTries 3'],
    sshd('-maxauthtries 6', '+maxauthtries 3'),
  ),
  aLine('sshd_config', { match: /^X11Forwarding\s/, absent: true }, ['-X11Forwarding yes']),
  aLine('ssh_config', { line: '    User admin', match: /^\s*User\s/ }, [
    '-    User ops',
    '+    User admin',
  ]),
  aLine('ssh_config', { line: '    Port 2200', after: 'Host bastion' }, ['+    Port 2200']),
  aLine('sysctl.conf', { line: 'vm.swappiness = 1', match: /^\s*vm\.swappiness\s*=/ }, [
    '-vm.swappiness = 60',
    '+vm.swappiness = 1',
  ]),
  aLine(
    'crontab',
    { line: '*/5 *\t* * *\tapp\t/srv/app/bin/tick --fast', match: /\/srv\/app\/bin\/tick/ },
    ['-#*/5 *\t* * *\tapp\t/srv/app/bin/tick', '+*/5 *\t* * *\tapp\t/srv/app/bin/tick --fast'],
  ),
  aLine('crontab', { line: 'MAILTO=root', after: /^PATH=/ }, ['+MAILTO=root']),
  aLine('fstab', { match: /\sswap\s/, absent: true }, [
    '-UUID=0a1b2c3d-7777-8888-9999-aaaabbbbcccc none            swap    sw              0       0',
  ]),
  aLine('fstab', { line: 'tmpfs /tmp tmpfs rw,nosuid,nodev 0 0', match: /^\S+\s+\/tmp\s/ }, [
    '+tmpfs /tmp tmpfs rw,nosuid,nodev 0 0',
  ]),
  aLine('hosts', { line: '10.0.0.6 cache', match: /^10\.0\.0\.6\s/ }, [
    '-10.0.0.6\tdb2.example.com db2 cache',
    '+10.0.0.6 cache',
  ]),
  aLine('login.defs', { line: 'PASS_MAX_DAYS\t90', match: /^PASS_MAX_DAYS\s/ }, [
    '-PASS_MAX_DAYS\t99999',
    '+PASS_MAX_DAYS\t90',
  ]),
  aLine(
    'limits.conf',
    { line: '*               hard    nofile          65536', before: '# End of file' },
    ['+*               hard    nofile          65536'],
  ),
  aLine(
    'pam-common-auth',
    { line: 'auth\trequired\t\t\tpam_faillock.so preauth', before: /pam_unix\.so/ },
    ['+auth\trequired\t\t\tpam_faillock.so preauth'],
  ),
  aLine('nsswitch.conf', { line: 'hosts:          files dns', match: /^hosts:/ }, [
    '-hosts:          files mdns4_minimal [NOTFOUND=return] dns',
    '+hosts:          files dns',
  ]),
  aLine('resolv.conf', { line: 'nameserver 1.1.1.1', match: /^nameserver\s/, replace: 'only' }, [
    '-nameserver 9.9.9.9',
    '-nameserver 149.112.112.112',
    '+nameserver 1.1.1.1',
  ]),
  aLine('resolv.conf', { line: 'nameserver 1.1.1.1', match: /^nameserver\s/, replace: 'first' }, [
    '-nameserver 9.9.9.9',
    '+nameserver 1.1.1.1',
  ]),
  aLine('redis.conf', { line: 'save ""', match: /^save\s/, replace: 'all' }, [
    '-save 900 1',
    '-save 300 10',
    '-save 60 10000',
    '+save ""',
    '+save ""',
    '+save ""',
  ]),
  aLine('redis.conf', { line: 'maxmemory 1gb', match: /^maxmemory\s/, after: /^#\s*maxmemory\s/ }, [
    '+maxmemory 1gb',
  ]),
  aLine('postgresql.conf', { line: `listen_addresses = '*'`, match: /^#?listen_addresses\s*=/ }, [
    `-#listen_addresses = 'localhost'\t\t# what IP address(es) to listen on;`,
    `+listen_addresses = '*'`,
  ]),
  aLine(
    'pg_hba.conf',
    {
      line: 'host    all             all             10.0.0.0/8              scram-sha-256',
      after: /^host\s/,
    },
    ['+host    all             all             10.0.0.0/8              scram-sha-256'],
  ),
  aLine('dnsmasq.conf', { line: 'interface=eth0', match: /^#?interface=/ }, [
    '-#interface=',
    '+interface=eth0',
  ]),
  aLine('chrony.conf', { line: 'makestep 1 3', match: /^!?\s*makestep/ }, [
    '-! makestep 1 3',
    '+makestep 1 3',
  ]),
  aLine('exports', { match: /^\/srv\/nfs4\s/, absent: true }, [
    '-/srv/nfs4        gss/krb5i(rw,sync,fsid=0,crossmnt,no_subtree_check)',
  ]),
  aLine(
    'bashrc',
    { line: 'HISTSIZE=100000', match: /^HISTSIZE=/ },
    ['-HISTSIZE=1000', '+HISTSIZE=100000'],
    parsed,
  ),
  aLine(
    'sudoers',
    { line: '%sudo\tALL=(ALL:ALL) NOPASSWD: ALL', match: /^%sudo\s/ },
    ['-%sudo\tALL=(ALL:ALL) ALL', '+%sudo\tALL=(ALL:ALL) NOPASSWD: ALL'],
    { program: { tags: ['visudo'], script: 'visudo -cf "$1" | sed "s/.*: //"', changes: [] } },
  ),
  aLine('log4j.properties', { line: '! a new comment', match: '! an old comment' }, [
    '-! an old comment',
    '+! a new comment',
  ]),
  aLine('hosts-crlf', { line: '192.168.1.10    nas', match: /nas\.lan$/ }, [
    '-192.168.1.10    nas nas.lan\r',
    '+192.168.1.10    nas\r',
  ]),
  aLine('latin1-motd.conf', { line: 'motto = none', match: /^motto\s*=.*vu$/ }, [
    '-motto = d\xe9j\xe0 vu\r',
    '+motto = none\r',
  ]),
  aLine('one-line-no-final.conf', { line: 'other=2' }, ['+other=2']),
  aLine('empty.conf', { line: 'x' }, ['+x']),
  aLine('blank-lines-only.conf', { line: 'x' }, ['+x']),
  aLine('bom-only.ini', { line: 'x' }, ['+x']),
  aLine('bom-no-section.properties', { line: 'first=2', match: /^first=/ }, [
    '-\ufefffirst=1',
    '+\ufefffirst=2',
  ]),
  aLine('long-lines.conf', { line: 'hosts = none', match: /^hosts = .*host2499\.example\.com$/ }, [
    `-hosts = ${Array.from({ length: 2500 }, (_, i) => `host${i}.example.com`).join(',')}`,
    '+hosts = none',
  ]),
  aLine('control-characters.ini', { match: /\S\[1m$/, absent: true }, ['-bell=\x07\x1b[1m']),
  aLine('trailing-blanks.ini', { match: /^\s+$/, absent: true }, ['-   ']),
]

const rules = 'Match Group sftp\n\tForceCommand internal-sftp\n'

export const blockCases: readonly EditorCase[] = [
  aBlock(
    'sshd_config',
    { marker: 'sftp', content: rules },
    ['+# BEGIN sftp', '+Match Group sftp', '+\tForceCommand internal-sftp', '+# END sftp'],
    sshd(),
  ),
  aBlock(
    'nginx.conf',
    { marker: 'ANSIBLE MANAGED BLOCK', content: '\tgzip on;\n\tgzip_vary on;\n' },
    ['+\tgzip_vary on;'],
  ),
  aBlock('nginx.conf', { marker: 'ANSIBLE MANAGED BLOCK', absent: true }, [
    '-\t# BEGIN ANSIBLE MANAGED BLOCK',
    '-\tgzip on;',
    '-\t# END ANSIBLE MANAGED BLOCK',
  ]),
  aBlock('apache-vhost.conf', { marker: 'redirects', content: '\tRedirect gone /old' }, [
    '-\tRedirect permanent /old /new',
    '+\tRedirect gone /old',
  ]),
  aBlock(
    'apache-vhost.conf',
    { marker: 'redirects', content: '\tRedirect permanent /old /new\n' },
    [],
  ),
  aBlock(
    'server.xml',
    {
      marker: 'tls',
      comment: ['<!--', '-->'],
      content: '    <Connector port="8443" SSLEnabled="true"/>',
      after: /<Connector port="8080"/,
    },
    ['+<!-- BEGIN tls -->', '+    <Connector port="8443" SSLEnabled="true"/>', '+<!-- END tls -->'],
    {
      program: {
        tags: ['python3'],
        script:
          'python3 -c "import sys, xml.etree.ElementTree as e; [print(c.attrib[\'port\']) for c in e.parse(sys.argv[1]).iter(\'Connector\')]" "$1"',
        changes: ['+8443'],
      },
    },
  ),
  aBlock(
    'pg_hba.conf',
    { content: 'host all all 10.0.0.0/8 md5\nhost all all 10.1.0.0/16 md5\n', before: /^host\s/ },
    [
      '+# BEGIN hostwright',
      '+host all all 10.0.0.0/8 md5',
      '+host all all 10.1.0.0/16 md5',
      '+# END hostwright',
    ],
  ),
  aBlock('hosts-crlf', { marker: 'lab', content: '10.0.0.1 a\n\n10.0.0.2 b' }, [
    '+# BEGIN lab\r',
    '+10.0.0.1 a\r',
    '+\r',
    '+10.0.0.2 b\r',
    '+# END lab\r',
  ]),
  aBlock('only-comments.conf', { comment: '//', content: '' }, [
    '+// BEGIN hostwright',
    '+// END hostwright',
  ]),
  aBlock('no-final-newline.conf', { content: 'x=1' }, [
    '+# BEGIN hostwright',
    '+x=1',
    '+# END hostwright',
  ]),
  aBlock('latin1-motd.conf', { content: 'x', before: /^motto/ }, [
    '+# BEGIN hostwright\r',
    '+x\r',
    '+# END hostwright\r',
  ]),
  aBlock(
    'bashrc',
    { content: `export A='$x & \\1'\n` },
    ['+# BEGIN hostwright', `+export A='$x & \\1'`, '+# END hostwright'],
    parsed,
  ),
  aBlock('crontab', { marker: 'jobs', content: '0 0 * * * root true\n', after: /^# m h dom/ }, [
    '+# BEGIN jobs',
    '+0 0 * * * root true',
    '+# END jobs',
  ]),
]
