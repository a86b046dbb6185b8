/** Edits of INI files of servers and of systemd. */
import {
  anIni,
  bare,
  type EditorCase,
  equals,
  inline,
  inlineSemicolon,
  python,
  valueless,
} from './editor-case.ts'

export const serverCases: readonly EditorCase[] = [
  anIni(
    'php.ini',
    { section: 'PHP', set: { memory_limit: '256M' }, inlineComments: true },
    ['-memory_limit = 128M', '+memory_limit = 256M'],
    python({ PHP: { memory_limit: '256M' } }, inlineSemicolon),
  ),
  anIni(
    'php.ini',
    { section: 'PHP', set: { error_log: '"/var/log/php; a.log"' }, inlineComments: true },
    [
      '-error_log = "syslog; local"\t; where errors go',
      '+error_log = "/var/log/php; a.log"\t; where errors go',
    ],
  ),
  anIni(
    'php.ini',
    {
      section: 'opcache',
      set: { 'opcache.memory_consumption': 256, 'opcache.enable': 1 },
      inlineComments: true,
    },
    [
      '-opcache.memory_consumption=128 ; in MB',
      '+opcache.memory_consumption=256 ; in MB',
      '+opcache.enable=1',
    ],
    python(
      { opcache: { 'opcache.memory_consumption': '256', 'opcache.enable': '1' } },
      inlineSemicolon,
    ),
  ),
  anIni(
    'php.ini',
    { section: 'Date', set: { 'date.timezone': 'Europe/Berlin' } },
    ['+date.timezone=Europe/Berlin'],
    python({ Date: { 'date.timezone': 'Europe/Berlin' } }, { ...equals, comment_prefixes: [';'] }),
  ),
  anIni(
    'php.ini',
    { section: 'Date', set: { 'date.timezone': 'Europe/Berlin' }, uncomment: true },
    ['-;date.timezone =', '+date.timezone = Europe/Berlin'],
    python({ Date: { 'date.timezone': 'Europe/Berlin' } }, { ...equals, comment_prefixes: [';'] }),
  ),
  anIni(
    'php.ini',
    { section: 'PHP', set: { output_handler: 'x', memory_limit: '1G' }, uncomment: true },
    ['-;output_handler =', '+output_handler = x', '-memory_limit = 128M', '+memory_limit = 1G'],
    python(
      { PHP: { output_handler: 'x', memory_limit: '1G' } },
      { ...equals, comment_prefixes: [';'] },
    ),
  ),
  anIni(
    'journald.conf',
    { section: 'Journal', set: { Storage: 'persistent', SystemMaxUse: '1G' }, uncomment: true },
    ['-#Storage=auto', '+Storage=persistent', '-#SystemMaxUse=', '+SystemMaxUse=1G'],
    python({ Journal: { Storage: 'persistent', SystemMaxUse: '1G' } }, equals),
  ),
  anIni(
    'grafana.ini',
    { section: 'server', set: { protocol: 'https', logs: '/l' }, uncomment: true },
    // The comment of another section is not one of this.
    ['-;protocol = http', '+protocol = https', '+logs = /l'],
    python({ server: { protocol: 'https', logs: '/l' } }, equals, 'TOP'),
  ),
  anIni(
    'php-fpm-pool.conf',
    {
      section: 'www',
      set: { 'pm.max_requests': ['1', '2'] },
      uncomment: true,
      continued: 'indent',
    },
    ['-;pm.max_requests = 500', '+pm.max_requests = 1', '+pm.max_requests = 2'],
  ),
  anIni(
    'setup.cfg',
    { section: 'options', set: { pinned: 'x' }, uncomment: true, continued: 'indent' },
    // Within a value is no place for a key, however the comment is read.
    ['+pinned = x'],
    python({ options: { pinned: 'x' } }),
  ),
  anIni(
    'php.ini',
    { section: 'opcache', absent: true },
    ['-', '-[opcache]', '-;opcache.enable=1', '-opcache.memory_consumption=128 ; in MB'],
    python({ opcache: null }, { ...equals, comment_prefixes: [';'] }),
  ),
  anIni(
    'php-fpm-pool.conf',
    { section: 'www', set: { 'env[PATH]': '/bin', 'pm.max_children': 20 } },
    [
      '-pm.max_children = 5',
      '+pm.max_children = 20',
      '-env[PATH] = /usr/local/bin:/usr/bin:/bin',
      '+env[PATH] = /bin',
    ],
    python({ www: { 'env[PATH]': '/bin', 'pm.max_children': '20' } }, equals),
  ),
  anIni(
    'my.cnf',
    {
      section: 'mysqld',
      set: { 'bind-address': '0.0.0.0', max_connections: 500 },
      bare: ['skip-networking', 'skip-name-resolve'],
    },
    [
      '-bind-address\t\t= 127.0.0.1',
      '+bind-address\t\t= 0.0.0.0',
      '+max_connections\t\t= 500',
      '+skip-networking',
    ],
    python(
      { mysqld: { 'bind-address': '0.0.0.0', max_connections: '500', 'skip-networking': bare } },
      valueless,
    ),
  ),
  anIni('my.cnf', { section: 'mysqld', unset: ['skip-external-locking', 'sql_mode'] }, [
    '-skip-external-locking',
    '-sql_mode = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"',
  ]),
  anIni('my.cnf', { section: 'mysqldump', bare: ['quick', 'max_allowed_packet'] }, [
    '-max_allowed_packet\t= 16M',
    '+max_allowed_packet',
  ]),
  anIni(
    'my.cnf',
    { section: 'mysqldump', absent: true },
    ['-[mysqldump]', '-quick', '-quote-names', '-max_allowed_packet\t= 16M', '-'],
    python({ mysqldump: null }, valueless),
  ),
  anIni(
    'mariadb-server.cnf',
    { section: 'mysqld', set: { log_error: '/srv/error.log' }, inlineComments: true },
    ['-log_error = /var/log/mysql/error.log # rotated', '+log_error = /srv/error.log # rotated'],
    python({ mysqld: { log_error: '/srv/error.log' } }, { ...inline, allow_no_value: true }),
  ),
  anIni(
    'mariadb-server.cnf',
    { section: 'embedded', set: { 'max-connections': 5 } },
    ['+max-connections                 = 5'],
    python({ embedded: { 'max-connections': '5' } }, valueless),
  ),
  anIni(
    'smb.conf',
    { section: 'homes', set: { 'read only': 'no', 'create mask': '0700' } },
    ['-   read only = yes', '+   read only = no', '+   create mask = 0700'],
    python({ homes: { 'read only': 'no', 'create mask': '0700' } }, equals),
  ),
  anIni(
    'smb.conf',
    { section: 'global', set: { 'passwd chat': '*ok*' }, continued: 'backslash' },
    [
      '-   passwd chat = *Enter\\snew\\s*\\spassword:* %n\\n \\',
      '-      *Retype\\snew\\s*\\spassword:* %n\\n \\',
      '-      *password\\supdated\\ssuccessfully* .',
      '+   passwd chat = *ok*',
    ],
    python({ global: { 'passwd chat': '*ok*' } }, equals),
  ),
  anIni(
    'smb.conf',
    { section: 'printers', absent: true },
    [
      '-',
      '-[printers]',
      '-   comment = All Printers',
      '-   path = /var/tmp',
      '-   printable = yes',
    ],
    python({ printers: null }, equals),
  ),
  anIni(
    'nginx.service',
    { section: 'Service', set: { TimeoutStopSec: 30, LimitNOFILE: 65536 } },
    ['-TimeoutStopSec=5', '+TimeoutStopSec=30', '+LimitNOFILE=65536'],
    python({ Service: { TimeoutStopSec: '30', LimitNOFILE: '65536' } }, equals),
  ),
  anIni(
    'nginx.service',
    { section: 'Unit', set: { After: ['network-online.target', 'nss-lookup.target'] } },
    [
      '-After=network-online.target remote-fs.target nss-lookup.target',
      '+After=network-online.target',
      '+After=nss-lookup.target',
    ],
    python({ Unit: { After: 'nss-lookup.target' } }, equals),
  ),
  anIni(
    'continued.service',
    { section: 'Service', set: { ExecStart: '/usr/bin/app --quiet' }, continued: 'backslash' },
    [
      '-ExecStart=/usr/bin/app \\',
      '-    --listen 127.0.0.1:8080 \\',
      '-    --log /var/log/app.log \\',
      '-    --verbose',
      '+ExecStart=/usr/bin/app --quiet',
    ],
    python({ Service: { ExecStart: '/usr/bin/app --quiet' } }, equals),
  ),
  anIni(
    'continued.service',
    {
      section: 'Service',
      set: {
        ExecStart: '/usr/bin/app --listen 127.0.0.1:8080 --log /var/log/app.log --verbose',
        Environment: 'A=1 B=2',
      },
      continued: 'backslash',
    },
    [],
  ),
  anIni('continued.service', { section: 'Service', unset: ['ExecStart'], continued: 'backslash' }, [
    '-ExecStart=/usr/bin/app \\',
    '-    --listen 127.0.0.1:8080 \\',
    '-    --log /var/log/app.log \\',
    '-    --verbose',
  ]),
  anIni(
    'continued.service',
    {
      section: 'Service',
      set: { Environment: ['A=1 B=2', 'C=3'], User: 'app' },
      continued: 'backslash',
    },
    ['+Environment=C=3', '+User=app'],
  ),
  anIni(
    'override.conf',
    { section: 'Service', set: { ExecStart: ['', '/usr/bin/dockerd -H fd://'] } },
    [],
  ),
  anIni(
    'override.conf',
    {
      section: 'Service',
      set: {
        ExecStart: ['', '/usr/bin/dockerd --debug'],
        Environment: ['HTTP_PROXY=http://proxy:3128'],
      },
    },
    [
      '-ExecStart=/usr/bin/dockerd -H fd://',
      '-Environment=NO_PROXY=localhost',
      '+ExecStart=/usr/bin/dockerd --debug',
    ],
    python(
      {
        Service: {
          ExecStart: '/usr/bin/dockerd --debug',
          Environment: 'HTTP_PROXY=http://proxy:3128',
        },
      },
      equals,
    ),
  ),
  anIni(
    'override.conf',
    { section: 'Service', set: { Environment: ['A=1', 'NO_PROXY=localhost', 'B=2'] } },
    ['-Environment=HTTP_PROXY=http://proxy:3128', '+Environment=A=1', '+Environment=B=2'],
    python({ Service: { Environment: 'B=2' } }, equals),
  ),
  anIni(
    'backup.timer',
    { section: 'Timer', set: { OnCalendar: ['', '*-*-* 03:00:00'] } },
    ['-OnCalendar=*-*-* 02:00:00', '+OnCalendar=', '+OnCalendar=*-*-* 03:00:00'],
    python({ Timer: { OnCalendar: '*-*-* 03:00:00' } }, equals),
  ),
  anIni(
    'app.socket',
    { section: 'Socket', set: { ListenStream: '[::1]:9090' } },
    ['-ListenStream=[::1]:8080', '+ListenStream=[::1]:9090'],
    python({ Socket: { ListenStream: '[::1]:9090' } }, equals),
  ),
  anIni(
    'app.socket',
    { section: 'Socket', unset: ['ListenStream'] },
    ['-ListenStream=/run/app.sock', '-ListenStream=127.0.0.1:8080', '-ListenStream=[::1]:8080'],
    python({ Socket: { ListenStream: null } }, equals),
  ),
  anIni(
    'journald.conf',
    { section: 'Journal', set: { Storage: 'persistent' }, separator: '=' },
    ['+Storage=persistent'],
    python({ Journal: { Storage: 'persistent' } }, equals),
  ),
  anIni(
    'eth0.network',
    { section: 'Network', set: { DNS: ['9.9.9.9', '1.1.1.1'] } },
    ['-DNS=149.112.112.112', '+DNS=1.1.1.1'],
    python({ Network: { DNS: '1.1.1.1' } }, equals),
  ),
  anIni(
    'eth0.network',
    { section: 'Address', absent: true },
    ['-[Address]', '-Address=192.0.2.10/24', '-', '-[Address]', '-Address=2001:db8::10/64', '-'],
    python({ Address: null }, equals),
  ),
  anIni(
    'wg0.conf',
    { section: 'Interface', set: { ListenPort: 51821 } },
    ['-ListenPort = 51820', '+ListenPort = 51821'],
    python({ Interface: { ListenPort: '51821' } }, equals),
  ),
  anIni(
    'wg0.conf',
    { section: 'Peer', set: { AllowedIPs: '10.8.0.4/32' } },
    ['-AllowedIPs = 10.8.0.3/32', '+AllowedIPs = 10.8.0.4/32'],
    python({ Peer: { AllowedIPs: '10.8.0.4/32' } }, equals),
  ),
]
