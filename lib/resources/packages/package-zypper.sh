# shellcheck shell=sh
# package-zypper.sh: packages by zypper; see package.sh.
# Needs: package package-rpm

# hw_package_zypper WANT HOLD NAME…: see hw_package_by.
hw_package_zypper() { hw_package_by zypper "$@"; }
# hw_gather_zypper IDS NAME…
hw_gather_zypper() { hw_gather_packages zypper "$@"; }

# Locks are stanzas with a line `solvable_name: name`.
hw_zypper_look() {
  hw_rpm_look "$@"
  [ -f /etc/zypp/locks ] || return 0
  while read -r hw_name hw_line; do
    [ "$hw_name" != solvable_name: ] || hw_lines "held $hw_line"
  done </etc/zypp/locks
}

# What it has fetched is used as it is: package.sh decides when to fetch. With --check its caches, logs
# and locks are elsewhere.
hw_zypper() {
  if [ -n "$hw_check" ]; then
    ZYPP_LOGFILE=/dev/null ZYPP_LOCKFILE_ROOT=$hw_scratch TMPDIR=$hw_scratch
    export ZYPP_LOGFILE ZYPP_LOCKFILE_ROOT TMPDIR
    [ -z "$hw_index" ] || set -- --cache-dir "$hw_index/zypp" "$@"
  fi
  zypper -n -q --no-refresh "$@"
}

# hw_zypper_plan NAME[=VERSION]…: lines `status | name | type | version | …`, the newest version first. Not
# by a dry run, which would write down what was installed by itself.
hw_zypper_plan() {
  hw_each=" $* "
  for hw_name in "$@"; do
    shift
    set -- "$@" "${hw_name%%=*}"
  done
  # Looking takes no lock.
  ZYPP_READONLY_HACK=1
  export ZYPP_READONLY_HACK
  hw_list=$(hw_zypper search -s --match-exact -t package -- "$@") || return
  hw_lines "$hw_list" | while IFS='|' read -r hw_line hw_name hw_line hw_version hw_line hw_file; do
    case $hw_want-$hw_file in available-*'(System Packages)'*) continue ;; esac
    hw_name=${hw_name# } hw_version=${hw_version# }
    hw_name=${hw_name%% *} hw_version=${hw_version%% *}
    case $hw_each in
      *" $hw_name="*)
        hw_line=${hw_each#*" $hw_name="}
        hw_package_matches "${hw_line%% *}" "$hw_version" || continue
        ;;
    esac
    hw_lines "$hw_name=$hw_version"
  done
}

hw_zypper_refresh() { hw_zypper refresh; }

hw_zypper_install() { hw_zypper install --oldpackage -- "$@"; }

hw_zypper_remove() { hw_zypper remove -- "$@"; }

hw_zypper_hold() {
  case $1 in held) hw_each=addlock ;; *) hw_each=removelock ;; esac
  shift
  hw_zypper "$hw_each" -- "$@"
}

hw_zypper_newer() { hw_rpm_newer "$@"; }
hw_zypper_offers() { hw_rpm_offers "$@"; }
