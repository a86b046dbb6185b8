# shellcheck shell=sh
# package-dnf.sh: packages by dnf, or by yum where that is all there is; see package.sh.
# Needs: package package-rpm

# hw_package_dnf WANT HOLD NAME…: see hw_package_by.
hw_package_dnf() { hw_package_by dnf "$@"; }
# hw_gather_dnf IDS NAME…
hw_gather_dnf() { hw_gather_packages dnf "$@"; }

# A hold is a line of the plugin versionlock: `name-epoch:version-release.*`; yum's has the epoch first.
hw_dnf_look() {
  hw_rpm_look "$@"
  for hw_each in /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list; do
    [ -f "$hw_each" ] || continue
    while IFS= read -r hw_line; do
      case $hw_line in
        '' | '#'* | !*) ;;
        *)
          hw_line=${hw_line#[0-9]:}
          hw_lines "held ${hw_line%-*-*}"
          ;;
      esac
    done <"$hw_each"
  done
  [ -f /etc/dnf/versionlock.toml ] || return 0
  while IFS= read -r hw_line; do
    case $hw_line in name*=*\"*\"*)
      hw_line=${hw_line#*\"}
      hw_lines "held ${hw_line%%\"*}"
      ;;
    esac
  done </etc/dnf/versionlock.toml
}

# dnf waits for another's lock by itself. What it has fetched is used as it is: package.sh decides when
# to fetch. With --check its caches and logs are elsewhere.
hw_dnf() {
  hw_each=dnf
  command -v dnf >/dev/null || hw_each=yum
  if [ "$hw_each" = dnf ]; then
    set -- '--setopt=*.metadata_expire=-1' "$@"
    if [ -n "$hw_check" ]; then
      hw_dnf_cache=$hw_index/dnf
      [ -n "$hw_index" ] || hw_dnf_links
      set -- --setopt=logdir="$hw_scratch" --setopt=cachedir="$hw_dnf_cache" \
        --disableplugin=generate_completion_cache "$@"
    fi
  fi
  "$hw_each" -y -q "$@"
}

# hw_dnf_links: a cache that shows what the host's has: dnf writes to its cache also where it only reads.
hw_dnf_links() {
  hw_dnf_cache=$hw_scratch/seen
  [ ! -d "$hw_dnf_cache" ] || return 0
  mkdir -- "$hw_dnf_cache"
  for hw_file in /var/cache/dnf/*-*/ /var/cache/dnf/*.solv*; do
    [ ! -e "$hw_file" ] || ln -s -- "${hw_file%/}" "$hw_dnf_cache/"
  done
}

# hw_dnf_plan NAME[=VERSION]…: of installed packages `check-update` lists what is newer, of others `list`
# what is to be had. Both print `name.architecture version repository`; yum breaks long lines, so it is
# words that count.
hw_dnf_plan() {
  hw_found='' hw_ids=''
  for hw_each in "$@"; do
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    case $hw_want-$hw_version in
      latest-?*) hw_found="$hw_found $hw_each" ;;
      *) hw_ids="$hw_ids ${hw_each%%=*}" ;;
    esac
  done
  set -f
  if [ -n "$hw_found" ]; then
    # 100 says that there is something.
    # shellcheck disable=SC2086 # names
    hw_list=$(hw_dnf -C --disableplugin=versionlock check-update $hw_found) || [ $? -eq 100 ] || return
    # shellcheck disable=SC2086 # words
    hw_dnf_rows "$hw_found" ${hw_list%%Obsoleting*}
  fi
  if [ -n "$hw_ids" ]; then
    hw_each=--available
    command -v dnf >/dev/null || hw_each=available
    # shellcheck disable=SC2086
    hw_list=$(hw_dnf -C --disableplugin=versionlock list "$hw_each" --showduplicates $hw_ids) || return
    # shellcheck disable=SC2086
    hw_dnf_rows "$*" ${hw_list#Available ?ackages}
  fi
  set +f
}

# hw_dnf_rows WANTED WORD…: the rows of a list, the last one first: that is the newest.
hw_dnf_rows() {
  hw_each=" $1 " hw_list=''
  shift
  while [ $# -ge 3 ]; do
    hw_name=${1%.*}
    case $hw_each in
      *" $hw_name="*)
        hw_line=${hw_each#*" $hw_name="}
        hw_package_matches "${hw_line%% *}" "$2" || hw_name=
        ;;
      *" $1="*)
        hw_line=${hw_each#*" $1="}
        hw_package_matches "${hw_line%% *}" "$2" || hw_name=
        ;;
    esac
    [ -z "$hw_name" ] || hw_list="$hw_name=$2$hw_newline$1=$2$hw_newline$hw_list"
    shift 3
  done
  hw_put "$hw_list"
}

hw_dnf_refresh() {
  for hw_file in "$@"; do
    shift
    [ ! -f "$hw_file" ] || hw_each=${hw_file##*/}
    [ ! -f "$hw_file" ] || set -- "$@" --repo "${hw_each%.repo}"
  done
  if command -v dnf >/dev/null; then
    hw_dnf --refresh "$@" makecache
  else
    hw_dnf clean expire-cache && hw_dnf makecache
  fi
}

hw_dnf_install() {
  for hw_each in "$@"; do
    shift
    set -- "$@" "${hw_each%%=*}-${hw_each#*=}"
  done
  hw_dnf install "$@"
}

hw_dnf_remove() { hw_dnf remove "$@"; }

# A lock names a version: what was locked before is not what is to be now.
hw_dnf_hold() {
  hw_hold=$1
  shift
  hw_dnf versionlock list >/dev/null 2>&1 || hw_without 'dnf versionlock' python3-dnf-plugin-versionlock || return
  hw_dnf versionlock delete "$@" >/dev/null 2>&1
  [ "$hw_hold" = unheld ] || hw_dnf versionlock add "$@"
}

hw_dnf_newer() { hw_rpm_newer "$@"; }
hw_dnf_offers() { hw_rpm_offers "$@"; }
