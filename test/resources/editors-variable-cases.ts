/** Edits of variables and of /etc/hosts. */
import { aHost, anEnv, type EditorCase, sourced } from './editor-case.ts'

export const envCases: readonly EditorCase[] = [
  anEnv(
    'environment',
    { set: { LANG: 'de_DE.UTF-8', http_proxy: 'http://p:1', no_proxy: 'localhost,.lan' } },
    [
      '-LANG=C.UTF-8',
      '-http_proxy=http://proxy:3128',
      '+LANG=de_DE.UTF-8',
      '+http_proxy=http://p:1',
      '+no_proxy=localhost,.lan',
    ],
    sourced(
      'LANG http_proxy no_proxy',
      '-LANG=C.UTF-8',
      '-http_proxy=http://proxy:3128',
      '-no_proxy=',
      '+LANG=de_DE.UTF-8',
      '+http_proxy=http://p:1',
      '+no_proxy=localhost,.lan',
    ),
  ),
  anEnv(
    'default-grub',
    {
      set: {
        GRUB_CMDLINE_LINUX_DEFAULT: 'quiet',
        GRUB_CMDLINE_LINUX: 'console=ttyS0,115200 net.ifnames=0',
        GRUB_TIMEOUT: 1,
      },
    },
    [
      '-GRUB_TIMEOUT=5',
      '+GRUB_TIMEOUT=1',
      '-GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"',
      '-GRUB_CMDLINE_LINUX=""',
      '+GRUB_CMDLINE_LINUX_DEFAULT="quiet"',
      '+GRUB_CMDLINE_LINUX="console=ttyS0,115200 net.ifnames=0"',
    ],
  ),
  anEnv(
    'default-docker',
    { set: { DOCKER_OPTS: '--dns 1.1.1.1', TMPDIR: '/srv/tmp' }, unset: ['http_proxy'] },
    [
      `-DOCKER_OPTS='--dns 8.8.8.8 --dns 8.8.4.4'   # resolvers`,
      '-export http_proxy="http://127.0.0.1:3128/"',
      '-export TMPDIR=/mnt/docker; readonly TMPDIR',
      `+DOCKER_OPTS='--dns 1.1.1.1'   # resolvers`,
      '+export TMPDIR=/srv/tmp; readonly TMPDIR',
    ],
  ),
  anEnv(
    'dotenv',
    {
      set: {
        APP_NAME: `it's "new"`,
        APP_ENV: 'staging',
        APP_KEY: `base64:'x'`,
        GREETING: `it's "quoted" and costs $5`,
        EMPTY: '',
      },
      export: true,
    },
    [
      '-APP_NAME="My App"',
      '-APP_ENV=production',
      `-export APP_KEY='base64:3q2+7w=='`,
      `+APP_NAME="it's \\"new\\""`,
      '+APP_ENV=staging',
      `+export APP_KEY="base64:'x'"`,
    ],
    sourced(
      'APP_NAME APP_ENV APP_KEY GREETING LAST',
      '-APP_NAME=My App',
      '-APP_ENV=production',
      '-APP_KEY=base64:3q2+7w==',
      `+APP_NAME=it's "new"`,
      '+APP_ENV=staging',
      `+APP_KEY=base64:'x'`,
    ),
  ),
  anEnv('dotenv', { set: { PRIVATE_KEY: 'none', NEW: 'a b' }, export: true }, [
    '-PRIVATE_KEY="-----BEGIN RSA PRIVATE KEY-----',
    '-APP_ENV=not a setting, part of the key',
    '------END RSA PRIVATE KEY-----"',
    '+PRIVATE_KEY="none"',
    '+export NEW="a b"',
  ]),
  anEnv(
    'docker-env',
    { set: { MESSAGE: 'hello world # not a comment', TOKEN: 'new value' }, quoting: 'none' },
    ['-TOKEN="quotes are part"', '+TOKEN=new value'],
  ),
  anEnv(
    'empty.conf',
    { set: { A: '$x `id` "q" \\ \'s\'' } },
    [`+A="\\$x \\\`id\\\` \\"q\\" \\\\ 's'"`],
    sourced('A', '-A=', `+A=$x \`id\` "q" \\ 's'`),
  ),
]

export const hostsCases: readonly EditorCase[] = [
  aHost('hosts', '10.0.0.5', { names: ['db.example.com', 'db'] }, []),
  aHost('hosts', '10.0.0.5', { names: ['db.example.com', 'db', 'sql'] }, [
    '-10.0.0.5\tdb.example.com db  # primary',
    '+10.0.0.5\tdb.example.com db sql  # primary',
  ]),
  aHost('hosts', '10.0.0.7', { names: 'cache' }, [
    '-10.0.0.6\tdb2.example.com db2 cache',
    '+10.0.0.6\tdb2.example.com db2',
    '+10.0.0.7\tcache',
  ]),
  aHost('hosts', '10.0.0.8', { names: ['web1.example.com', 'web1'] }, [
    '-127.0.1.1\tweb1.example.com\tweb1',
    '+10.0.0.8\tweb1.example.com web1',
  ]),
  aHost('hosts', '127.0.0.1', { names: 'app.local' }, ['+127.0.0.1\tapp.local']),
  aHost('hosts', '::1', { names: 'ip6-loopback', exclusive: true }, [
    '-::1     localhost ip6-localhost ip6-loopback',
    '+::1     ip6-loopback',
  ]),
  aHost('hosts', '10.0.0.6', { absent: true }, ['-10.0.0.6\tdb2.example.com db2 cache']),
  aHost('hosts', '10.0.0.6', { names: 'DB2', absent: true }, [
    '-10.0.0.6\tdb2.example.com db2 cache',
    '+10.0.0.6\tdb2.example.com cache',
  ]),
  aHost('hosts-crlf', '192.168.1.11', { names: ['pi.lan'] }, ['+192.168.1.11       pi.lan\r']),
]
