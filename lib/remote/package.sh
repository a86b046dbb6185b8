# shellcheck shell=sh
# package.sh: packages of the distribution, by apt.

# hw_package WANT NAME…: the packages are installed (WANT present; `name=version` for that version) or
# not installed (absent).
hw_package() {
  hw_want=$1
  shift
  case $hw_package_manager in
    apt-get) ;;
    '') hw_fail 'no package manager that hostwright knows is on this host' tool_missing || return ;;
    *) hw_fail "packages on $hw_package_manager hosts are not supported yet, only apt" || return ;;
  esac
  hw_apt_pending "$hw_want" "$@"
  [ -n "$hw_pending" ] || return 0
  hw_note=${hw_pending# } hw_status=changed
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  # shellcheck disable=SC2086 # package names hold no spaces; the caller checked them
  if [ "$hw_want" = absent ]; then
    hw_apt remove $hw_pending
  else
    hw_apt_refresh $hw_pending && hw_apt install $hw_pending
  fi || hw_fail "apt-get could not make ${hw_pending# } $hw_want" || return
}

# hw_apt_pending WANT NAME…: those that are not as wanted into hw_pending. One dpkg-query for all, which
# names each with and without its architecture, as either may be asked for.
hw_apt_pending() {
  hw_want=$1
  shift
  # shellcheck disable=SC2016 # dpkg-query's own placeholders
  hw_installed=$hw_newline$(
    for hw_each in "$@"; do
      shift
      set -- "$@" "${hw_each%%=*}"
    done
    hw_each='${db:Status-Status} ${Package}'
    dpkg-query -W -f "$hw_each=\${Version}\\n$hw_each:\${Architecture}=\${Version}\\n" -- "$@" 2>/dev/null
  )$hw_newline
  hw_saw "$hw_installed"
  hw_pending=
  for hw_each in "$@"; do
    case $hw_each in
      *=*) hw_line="${hw_newline}installed $hw_each$hw_newline" ;;
      *) hw_line="${hw_newline}installed $hw_each=" ;;
    esac
    case $hw_installed in
      *"$hw_line"*) [ "$hw_want" = present ] || hw_pending="$hw_pending $hw_each" ;;
      *) [ "$hw_want" = absent ] || hw_pending="$hw_pending $hw_each" ;;
    esac
  done
}

# hw_apt_refresh NAME…: fetch the package lists if one of the packages is not in those we have.
hw_apt_refresh() {
  for hw_each in "$@"; do
    # `apt-cache madison` lists `name | version | source`, nothing for what is not to be had.
    case $hw_each in
      *=*) hw_line="| ${hw_each#*=} |" ;;
      *) hw_line='|' ;;
    esac
    case $(apt-cache madison "${hw_each%%=*}" 2>/dev/null) in
      *"$hw_line"*) ;;
      *)
        hw_apt update
        return
        ;;
    esac
  done
}

# hw_apt WORD NAME…: apt-get without questions, keeping config files that were edited, and waiting for
# another's lock instead of failing.
hw_apt() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q -y -o DPkg::Lock::Timeout=120 \
    -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef --allow-downgrades "$@"
}
