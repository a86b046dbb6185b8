/**
 * Real package managers for tests: what makes a host of an overlay one of apt, dnf, zypper or pacman,
 * with a repository of its own in /srv/repository, so that no network is asked. The packages it offers
 * are built by the tests, each in a few milliseconds.
 */
import { beforeAll } from 'vitest'
import type { Requires } from './requires.ts'
import { overlayHost, type ResourceHost } from './resource-hosts.ts'

/** One package manager, and how a test makes it do things behind hostwright's back. Scripts of `sh`. */
export interface PackageManager {
  name: 'apt' | 'dnf' | 'zypper' | 'pacman' | 'apk'
  /** What it takes. */
  tags: readonly Requires[]
  /** Makes the host one of this package manager. */
  setUp: string
  /** Functions `offer NAME VERSION [SCRIPT]`: a package, with a script to run at its end; `publish`. */
  functions: string
  /** Fetches the index. */
  refresh: string
  /** Prints the versions that are installed, `name version`, of the names behind it. */
  list: string
  install: string
  remove: string
  /** Holds hwalpha, and ends that. */
  hold: string
  unhold: string
  /** Version as the package manager writes it: with the release where it has one. */
  version(version: string): string
}

const deb: PackageManager = {
  name: 'apt',
  tags: ['overlay', 'apt'],
  setUp: `rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list`,
  functions: `offer() {
  rm -rf /srv/build && mkdir -p /srv/build/DEBIAN /srv/build/etc
  printf '%s\\n' "Package: $1" "Version: $2" 'Architecture: all' 'Maintainer: t <t@t.t>' 'Description: t' >/srv/build/DEBIAN/control
  echo "$2" >"/srv/build/etc/$1.conf"
  echo "/etc/$1.conf" >/srv/build/DEBIAN/conffiles
  [ -z "\${3-}" ] || { printf '#!/bin/sh\\n%s\\n' "$3" >/srv/build/DEBIAN/postinst; chmod 755 /srv/build/DEBIAN/postinst; }
  dpkg-deb -Znone -b /srv/build "/srv/repository/$1_$2.deb" >/dev/null
}
publish() { cd /srv/repository; dpkg-scanpackages -m . >Packages 2>/dev/null; }`,
  refresh: 'apt-get -qq update 2>/dev/null',
  list: `dpkg-query -W -f '\${db:Status-Status} \${Package} \${Version}\\n' 2>/dev/null | sed -n 's/^installed hw/hw/p'`,
  install:
    'DEBIAN_FRONTEND=noninteractive apt-get -qq -y --allow-downgrades install >/dev/null 2>&1',
  remove: 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y remove >/dev/null 2>&1',
  hold: 'apt-mark -q hold hwalpha >/dev/null',
  unhold: 'apt-mark -q unhold hwalpha >/dev/null',
  version: version => version,
}

const rpm = `offer() {
  mkdir -p /srv/build
  printf '%s\\n' "Name: $1" "Version: $2" 'Release: 1' 'Summary: t' 'License: MIT' 'BuildArch: noarch' 'Provides: /bin/sh' \\
    '%description' t \${3+%post} \${3+"$3"} '%files' >/srv/build/spec
  rpmbuild --quiet -bb --define '_rpmdir /srv/repository' --define '_rpmfilename %%{NAME}-%%{VERSION}.rpm' \\
    --define '_topdir /srv/build' /srv/build/spec
}
publish() { createrepo_c -q /srv/repository; }`

/** Debian's rpm has its database in the home directory, which dnf and zypper have not. */
const rpmDatabase = "mkdir -p /etc/rpm /var/lib/rpm; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros"

const repository = (extra: string) => `[test]
name=test
baseurl=file:///srv/repository
gpgcheck=0
enabled=1
${extra}`

const listRpms = "rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' 'hw*'"

const dnf: PackageManager = {
  name: 'dnf',
  tags: ['overlay', 'dnf'],
  setUp: `rm -f /usr/bin/apt-get /usr/bin/zypper /usr/bin/pacman
${rpmDatabase}
mkdir -p /etc/yum.repos.d
rm -f /etc/yum.repos.d/*
cat >/etc/yum.repos.d/test.repo <<'END'
${repository('')}
END
echo 12 >/etc/dnf/vars/releasever`,
  functions: rpm,
  refresh: 'dnf -q --refresh makecache',
  list: listRpms,
  install: 'dnf -q -y install >/dev/null',
  remove: 'dnf -q -y remove >/dev/null',
  hold: 'dnf -q versionlock add hwalpha >/dev/null',
  unhold: 'dnf -q versionlock delete hwalpha >/dev/null',
  version: version => `${version}-1`,
}

const zypper: PackageManager = {
  name: 'zypper',
  tags: ['overlay', 'zypper'],
  setUp: `rm -f /usr/bin/apt-get /usr/bin/dnf /usr/bin/pacman
${rpmDatabase}
mkdir -p /etc/zypp/repos.d /var/lib/zypp
# It makes this one when it first looks at what is installed.
: >/var/lib/zypp/AutoInstalled
rm -f /etc/zypp/repos.d/* /etc/zypp/locks
cat >/etc/zypp/repos.d/test.repo <<'END'
${repository('autorefresh=0')}
END`,
  functions: rpm,
  refresh: 'zypper -n -q refresh',
  list: listRpms,
  install: 'zypper -n -q --no-refresh install --oldpackage >/dev/null',
  remove: 'zypper -n -q --no-refresh remove >/dev/null',
  hold: 'zypper -n -q addlock hwalpha >/dev/null',
  unhold: 'zypper -n -q removelock hwalpha >/dev/null',
  version: version => `${version}-1`,
}

const pacman: PackageManager = {
  name: 'pacman',
  tags: ['overlay', 'pacman'],
  setUp: `rm -f /usr/bin/apt-get /usr/bin/dnf /usr/bin/zypper
printf '%s\\n' '[options]' 'Architecture = auto' 'SigLevel = Never' '[test]' 'Server = file:///srv/repository' >/etc/pacman.conf`,
  // The index is a tar of a directory a package; repo-add, which makes it elsewhere, is not in Debian's.
  functions: `offer() {
  rm -rf /srv/build "/srv/index/$1-"[0-9]* && mkdir -p /srv/build/usr/share/hw "/srv/index/$1-$2-1"
  cd /srv/build
  printf '%s\\n' "pkgname = $1" "pkgbase = $1" "pkgver = $2-1" 'pkgdesc = t' 'url = t' 'builddate = 1' 'packager = t' 'size = 4' 'arch = any' >.PKGINFO
  echo "$2" >"usr/share/hw/$1"
  set -- "$1" "$2" "\${3-}" "/srv/repository/$1-$2-1-any.pkg.tar.gz"
  [ -z "$3" ] || printf 'post_install() {\\n%s\\n}\\n' "$3" >.INSTALL
  tar -czf "$4" .PKGINFO \${3:+.INSTALL} usr
  sum=$(sha256sum <"$4")
  printf '%%%s%%\\n%s\\n\\n' FILENAME "\${4##*/}" NAME "$1" VERSION "$2-1" CSIZE "$(stat -c %s "$4")" \\
    ISIZE 4 SHA256SUM "\${sum%% *}" ARCH any >"/srv/index/$1-$2-1/desc"
}
publish() {
  cd /srv/index
  tar -czf /srv/repository/test.db *
  # pacman fetches an index only if it is a second newer; and would take packages it fetched before.
  echo >>/srv/published
  touch -d "$(wc -l </srv/published) minutes" /srv/repository/test.db
  rm -f /var/cache/pacman/pkg/hw*
}`,
  refresh: 'pacman -Sy >/dev/null',
  list: '{ pacman -Q | grep ^hw ||:; }',
  install: 'pacman -S --noconfirm --needed >/dev/null 2>&1',
  remove: 'pacman -R --noconfirm >/dev/null',
  hold: "sed -i '1a IgnorePkg = hwalpha' /etc/pacman.conf",
  unhold: 'sed -i /IgnorePkg/d /etc/pacman.conf',
  version: version => `${version}-1`,
}

export const packageManagers: readonly PackageManager[] = [deb, dnf, zypper, pacman]

/** Makes an overlay host one of this package manager. */
async function setUpPackages(host: ResourceHost, manager: PackageManager) {
  // What is large and no business of these tests is taken out of what is looked at.
  await host.script(
    `for each in /root /home /opt; do mount -t tmpfs none $each; done
mkdir -p /srv/repository /srv/index
${manager.setUp}
cat >/srv/functions <<'END'
${manager.functions}
END`,
    '/',
  )
}

/** Begins a script that offers or installs packages. */
export const begin = '. /srv/functions\n'

/** Where package managers keep what they fetch, and their logs. */
export const caches =
  /^\/var\/(cache|log|lib\/apt\/lists|lib\/pacman\/sync|lib\/pacman d|lib\/dnf)|^\/run\/zypp|^\/srv\/repository\/repodata|^\/(run|tmp) /

/**
 * An overlay host of this package manager. To be called in a `describe`.
 * @param ignored lines of snapshots that are not looked at
 */
export function packageHost(
  manager: PackageManager,
  ignored = /$^/,
): ReturnType<typeof overlayHost> {
  const host = overlayHost()
  beforeAll(() => setUpPackages(host, manager))
  // rpm writes to the journal of its database also where it only reads; so does zypper to /var/tmp.
  const own = /^\/var\/lib\/rpm\/rpmdb\.sqlite-(shm|wal) |^\/var\/tmp /
  return {
    ...host,
    snapshot: async at =>
      (await host.snapshot(at))
        .split('\n')
        .filter(line => !own.test(line) && !ignored.test(line))
        .join('\n'),
  }
}

/** A command with its operands, before what redirects it. */
export const operands = (command: string, words: string) =>
  command.replace(/( [>#].*)?$/, ` ${words}$1`)
