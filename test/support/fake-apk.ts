/**
 * Alpine's apk as a recorded contract, as no Debian package has the real one: a program that writes down
 * its arguments and answers as apk-tools 2.14 does, after apk(8), apk-add(8), apk-del(8), apk-info(8),
 * apk-policy(8), apk-version(8), apk-update(8) and apk-world(5). Its state: /lib/apk/db/fake-installed, lines `name=version`; the
 * repository's index is /srv/repository/index, of which `update` takes a copy; --cache-dir is where.
 */
import type { PackageManager } from './package-hosts.ts'

const program = `#!/bin/sh
printf '%s\\n' "$*" >>/dev/shm/apk.log
db=/lib/apk/db/fake-installed cache=/var/cache/apk world=/etc/apk/world
simulate= upgrade= info= verb= words=
while [ $# -gt 0 ]; do
  case $1 in
    --wait) shift ;;
    --cache-dir) cache=$2; shift ;;
    --simulate) simulate=1 ;;
    --upgrade) upgrade=1 ;;
    --purge | -e | -v | -t) ;;
    -*) echo "ERROR: unrecognized option '$1'" >&2; exit 1 ;;
    *) if [ -z "$verb" ]; then verb=$1; else words="$words $1"; fi ;;
  esac
  shift
done
if [ "$verb" != info ] && [ -z "$simulate" ] && [ -e /srv/apk.busy ]; then
  echo 'ERROR: Unable to lock database: Resource temporarily unavailable' >&2
  echo 'ERROR: Failed to open apk database: Resource temporarily unavailable' >&2
  rm /srv/apk.busy
  exit 99
fi
[ -z "$simulate" ] || { cp $db /dev/shm/db; cp $world /dev/shm/world; db=/dev/shm/db world=/dev/shm/world; }
# of NAME FILE: its version there, the last one.
of() { sed -n "s/^$1=//p" "$2" 2>/dev/null | tail -n 1; }
case $verb in
  info)
    status=0
    for name in $words; do
      version=$(of "$name" $db)
      if [ -n "$version" ]; then echo "$name-$version"; else status=1; fi
    done
    exit $status
    ;;
  version) # -t A B
    set -- $words
    newest=$(printf '%s\\n' "$1" "$2" | sort -V | tail -n 1)
    if [ "$1" = "$2" ]; then echo '='; elif [ "$newest" = "$1" ]; then echo '>'; else echo '<'; fi
    ;;
  policy)
    for name in $words; do
      echo "$name policy:"
      { sed -n "s/^$name=//p" $db; sed -n "s/^$name=//p" "$cache/index"; } | sort -uV | while read -r version; do
        echo "  $version:"
        [ "$(of "$name" $db)" != "$version" ] || echo '    lib/apk/db/installed'
        ! grep -qx "$name=$version" "$cache/index" || echo '    https://dl-cdn.alpinelinux.org/alpine/v3.19/main'
      done
    done
    ;;
  update) mkdir -p "$cache"; cp /srv/repository/index "$cache/index"; echo 'OK: 3 distinct packages available' ;;
  add)
    for word in $words; do
      name=\${word%%=*} has=$(of "\${word%%=*}" $db)
      version=$(of "$name" "$cache/index")
      [ "$name" = "$word" ] || version=\${word#*=}
      grep -qx "$name=$version" "$cache/index" 2>/dev/null || [ "$name=$has" = "$word" ] || {
        printf 'ERROR: unable to select packages:\\n  %s (no such package):\\n    required by: world[%s]\\n' "$name" "$word" >&2
        exit 1
      }
      sed -i "/^$name\\(=.*\\)*$/d" $world
      echo "$word" >>$world
      if [ -z "$has" ]; then
        echo "(1/1) Installing $name ($version)"
      elif [ "$has" != "$version" ] && { [ -n "$upgrade" ] || [ "$name" != "$word" ]; }; then
        newest=$(printf '%s\\n' "$has" "$version" | sort -V | tail -n 1)
        case $newest in "$version") echo "(1/1) Upgrading $name ($has -> $version)" ;; *) echo "(1/1) Downgrading $name ($has -> $version)" ;; esac
      else continue; fi
      sed -i "/^$name=/d" $db
      echo "$name=$version" >>$db
    done
    echo 'OK: 10 MiB in 20 packages'
    ;;
  del)
    for name in $words; do
      sed -i "/^$name=/d" $db
      sed -i "/^$name\\(=.*\\)*$/d" $world
      echo "(1/1) Purging $name (1.0-r0)"
    done
    ;;
esac`

/** A host whose package manager is that. */
export const apkContract: PackageManager = {
  name: 'apk',
  tags: ['overlay'],
  setUp: `rm -f /usr/bin/apt-get /usr/bin/dnf /usr/bin/zypper /usr/bin/pacman
mkdir -p /lib/apk/db /etc/apk
: >/lib/apk/db/fake-installed
: >/etc/apk/world
cat >/usr/bin/apk <<'PROGRAM'
${program}
PROGRAM
chmod 755 /usr/bin/apk`,
  functions: `offer() { echo "$1=$2-r0" >>/srv/repository/index; }
publish() { :; }`,
  refresh: 'apk update >/dev/null',
  list: "tr = ' ' </lib/apk/db/fake-installed",
  install: 'apk add >/dev/null',
  remove: 'apk del >/dev/null',
  hold: 'apk add "hwalpha=$(sed -n s/^hwalpha=//p /lib/apk/db/fake-installed)" >/dev/null',
  unhold: 'sed -i s/^hwalpha=.*/hwalpha/ /etc/apk/world',
  version: version => `${version}-r0`,
}
