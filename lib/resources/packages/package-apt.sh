# shellcheck shell=sh
# package-apt.sh: packages by apt and dpkg; see package.sh.
# Needs: package

# hw_package_apt WANT HOLD NAME…: see hw_package_by.
hw_package_apt() { hw_package_by apt "$@"; }
# hw_gather_apt IDS NAME…
hw_gather_apt() { hw_gather_packages apt "$@"; }

# One dpkg-query for all. A package is named with and without its architecture, as either may be asked for.
hw_apt_look() {
  # shellcheck disable=SC2016 # dpkg-query's own placeholders
  hw_list=$(dpkg-query -W -f '${db:Status-Status} ${db:Status-Want} ${Package} ${Architecture} ${Version}\n' -- "$@")
  IFS=$hw_newline
  set -f
  for hw_line in $hw_list; do
    IFS=' '
    # shellcheck disable=SC2086 # its words
    set -- $hw_line
    case $1 in
      installed | triggers-*) hw_lines "$3=$5" "$3:$4=$5" ;;
      unpacked | half-configured | half-installed) hw_lines "broken $3" "broken $3:$4" "$3=$5" "$3:$4=$5" ;;
      config-files) hw_lines "rest $3" "rest $3:$4" ;;
    esac
    [ "$2" != hold ] || hw_lines "held $3" "held $3:$4"
    IFS=$hw_newline
  done
  set +f
  IFS=" 	$hw_newline"
}

# apt-get, without questions, keeping config files that were edited, and waiting for another's lock. With
# --check it reads the index that was fetched for that, and writes neither caches nor logs.
hw_apt() {
  if [ -n "$hw_check" ]; then
    [ -z "$hw_index" ] || set -- -o "Dir::State::Lists=$hw_index/lists" "$@"
    set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Log::Planner=/dev/null \
      -o "Dir::Cache::archives=$hw_scratch/archives" "$@"
    TMPDIR=$hw_scratch
    export TMPDIR
  fi
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef "$@"
}

# It says `Inst name [old version] (new version and where from [architecture])`, and `Conf name (version …)`,
# which stands alone for a package that is only unpacked.
hw_apt_plan() {
  hw_list=$(hw_apt -s --allow-downgrades --allow-change-held-packages install "$@") || return
  IFS=$hw_newline
  set -f
  for hw_line in $hw_list; do
    case $hw_line in 'Inst '* | 'Conf '*) ;; *) continue ;; esac
    hw_name=${hw_line#???? }
    hw_name=${hw_name%% *}
    hw_version=${hw_line#*\(}
    hw_lines "$hw_name=${hw_version%% *}"
    hw_line=${hw_version##*\[}
    # shellcheck disable=SC2249
    case $hw_name in *:*) ;; *) hw_lines "$hw_name:${hw_line%%]*}=${hw_version%% *}" ;; esac
  done
  set +f
  IFS=" 	$hw_newline"
}

# A source that can't be fetched is a failure: apt-get alone warns and goes on with what it has.
hw_apt_refresh() {
  if [ -n "$hw_check" ]; then
    mkdir -p -- "$hw_index/lists/partial" "$hw_index/archives/partial" || return
  fi
  for hw_file in "$@"; do
    [ ! -f "$hw_file" ] || hw_apt -o "Dir::Etc::SourceList=$hw_file" -o Dir::Etc::SourceParts=/dev/null \
      -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update || return
  done
  [ $# -gt 0 ] || hw_apt -o APT::Update::Error-Mode=any update
}

# What an interrupted run left unpacked is configured first: apt-get does nothing before that. Where that fails, it
# says so itself, of the packages that are in its way.
hw_apt_finish() {
  hw_found=$(dpkg --audit) && [ -z "$hw_found" ] && hw_apt_is_whole && return
  DEBIAN_FRONTEND=noninteractive dpkg --force-confold --force-confdef --configure -a || :
}

# dpkg has written down all that it did.
hw_apt_is_whole() {
  for hw_each in /var/lib/dpkg/updates/[0-9]*; do
    [ ! -e "$hw_each" ] || return
  done
}

hw_apt_install() {
  hw_apt_finish
  hw_apt --allow-downgrades install "$@"
}

hw_apt_remove() {
  hw_apt_finish
  if [ "$hw_want" = purged ]; then hw_apt purge "$@"; else hw_apt remove "$@"; fi
}

hw_apt_hold() {
  case $1 in held) hw_each=hold ;; *) hw_each=unhold ;; esac
  shift
  apt-mark -q "$hw_each" "$@"
}

hw_apt_newer() { dpkg --compare-versions "$1" gt "$2"; }

# Lines `name | version | where from`. apt-get would take what is installed for available.
hw_apt_offers() {
  set -- "$2" madison -- "$1"
  hw_new=$1
  shift
  [ -z "$hw_check" ] || set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
  [ -z "$hw_check" ] || [ -z "$hw_index" ] || set -- -o "Dir::State::Lists=$hw_index/lists" "$@"
  apt-cache "$@" | {
    while IFS=' |' read -r hw_name hw_version hw_line; do
      [ "$hw_version" != "$hw_new" ] || exit 0
    done
    exit 1
  }
}
