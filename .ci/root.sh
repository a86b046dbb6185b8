# shellcheck shell=bash
# Root file systems of Debian’s releases, for legs of CI. Sourced by .ci/bare and .ci/release; as root
# on Debian, with debootstrap. Where packages and npm's come from is taken from this machine's configuration.

# alone COMMAND…: in namespaces of its own, which end with it and with us: nothing is left, neither process nor
# mount, whatever ends us.
alone() {
  local status=0
  # Not in the foreground, where a signal would have to wait for its end.
  unshare --mount --pid --uts --fork --kill-child --propagation private "$@" &
  inner=$!
  wait "$inner" || status=$?
  inner=''
  return "$status"
}
inner=''
trap '[ -z "$inner" ] || kill -KILL "$inner"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# inside ROOT USER SCRIPT: it is their root, not a chroot: who enters the namespaces (nsenter) must not get to this
# machine.
inside() {
  # shellcheck disable=SC2016 # for sh
  alone sh -euc '
    mount --bind "$0" "$0"
    cd "$0"
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --rbind /sys sys
    mount -t tmpfs -o mode=1777 tmp tmp
    mount -t tmpfs -o mode=755 run run
    home=$(sed -n "s/^$1:.*:\(.*\):.*/\1/p" etc/passwd)
    chown -R "$(sed -n "s/^$1:[^:]*:\([^:]*:[^:]*\):.*/\1/p" etc/passwd)" "./$home" srv/hostwright.git
    pivot_root . .
    umount -l .
    exec env -i LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
      ${NODE_EXTRA_CA_CERTS:+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} ${CI:+"CI=$CI"} \
      setpriv --reuid "$1" --regid "$1" --init-groups bash -euc "cd; $2"' "$@"
}

# copy ROOT FILE…: to the same path in the root, where there is such a file.
copy() {
  local root=$1 file
  shift
  for file in "$@"; do
    [ ! -f "$file" ] || install -D -m 644 "$file" "$root$file"
  done
}

# own_release: this machine's.
# shellcheck source=/dev/null
own_release() (. /etc/os-release && printf %s "$VERSION_CODENAME")

# mirror: where apt has Debian from.
mirror() {
  # shellcheck disable=SC2016 # for apt-get
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    sed -n "/^$(own_release) /{s///p;q}"
}

# make_root ROOT RELEASE [PACKAGE…]: minbase with those packages, Node, npm, a user `person`, and a bare clone of
# this repository.
make_root() {
  local root=$1 release=$2 proxy='' npm
  shift 2
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  # Nobody needs it after a power cut.
  install -D -m 644 /dev/stdin "$root/etc/dpkg/dpkg.cfg.d/unsafe" <<<force-unsafe-io
  http_proxy=${proxy:-${http_proxy-}} alone debootstrap --variant=minbase --include=git,ca-certificates \
    "$release" "$root" "$(mirror)" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log"
    return 1
  }
  npm=$(npm root -g)/npm
  install -m 755 "$(node -p process.execPath)" "$root/usr/bin/node"
  mkdir -p "$root/usr/lib/node_modules"
  cp -R "$npm" "$root/usr/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  copy "$root" /etc/resolv.conf /etc/hosts "$(npm config get cafile)" "${NODE_EXTRA_CA_CERTS-}"
  useradd --root "$root" --create-home --shell /bin/bash person
  cat "$(npm config get globalconfig)" "$(npm config get userconfig)" 2>/dev/null |
    tee "$root/root/.npmrc" >"$root/home/person/.npmrc" || :
  # As packs, which are few and have no inodes in common with another repository.
  git clone -q --bare --no-local . "$root/srv/hostwright.git"
  [ $# -eq 0 ] || inside "$root" root "apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $*" >>"$root.log" 2>&1 || {
    tail -n 20 "$root.log"
    return 1
  }
}

# test_in ROOT USER COUNTS SECONDS COMMAND: npm ci, then the command, in a clean clone of that user's; the counts
# go to a file.
test_in() {
  local root=$1 user=$2 counts=$3 seconds=$4 command=$5 status=0
  rm -f "$root/srv/counts"
  install -m 666 /dev/null "$root/srv/counts"
  inside "$root" "$user" "rm -rf clone
    git clone -q /srv/hostwright.git clone
    cd clone
    npm ci --no-audit --no-fund
    export HOSTWRIGHT_TEST_COUNTS=/srv/counts
    time timeout -k 5 $seconds bash -c $(printf %q "$command")" || status=$?
  cp "$root/srv/counts" "$counts"
  return "$status"
}
