# shellcheck shell=sh
# timezone.sh: the host's time zone: the link /etc/localtime, and /etc/timezone, which Debian had up to 12.
# Needs: text link

# hw_timezone ZONE
hw_timezone() {
  if [ ! -f "/usr/share/zoneinfo/$1" ]; then
    if [ ! -d /usr/share/zoneinfo ]; then
      hw_without /usr/share/zoneinfo tzdata || return
    fi
    case $hw_package_manager in apt-get) hw_each='; old names are in the package tzdata-legacy' ;; *) hw_each= ;; esac
    hw_awaits path "/usr/share/zoneinfo/$1" "this host has no time zone $1$hw_each" || return
  fi
  command -v readlink >/dev/null || hw_without readlink coreutils || return
  hw_sweep_beside /etc/localtime
  hw_found=$(readlink /etc/localtime) || hw_found=
  hw_saw "localtime $hw_found"
  if [ "${hw_found##*/zoneinfo/}" != "$1" ]; then
    hw_also link
    if [ -z "$hw_check" ]; then
      hw_no_directory /etc/localtime || return
      ! hw_is_mount_point /etc/localtime || hw_fail "/etc/localtime is a mount point: the time zone is that of the machine that mounts it" || return
      hw_link_beside /etc/localtime "/usr/share/zoneinfo/$1" && hw_act && mv -f "$hw_temporary" /etc/localtime ||
        hw_give_up "can't make the link /etc/localtime" || return
      hw_temporary=
      hw_touch /etc/localtime
    fi
  fi
  if [ -e /etc/timezone ] || hw_timezone_is_written; then
    hw_shown_text /etc/timezone "$1$hw_newline" 'file'
  fi
}

# hw_timezone_is_written: whether this release's tzdata goes by /etc/timezone, where it does not have one yet:
# Debian up to 12 (`12.11`, `bookworm/sid`).
hw_timezone_is_written() {
  [ -r /etc/debian_version ] && read -r hw_found </etc/debian_version || return
  case $hw_found in
    [1-9] | [1-9].* | 1[0-2] | 1[0-2].* | buster/* | bullseye/* | bookworm/*) ;;
    *) return 1 ;;
  esac
}
