# shellcheck shell=sh
# timezone.sh: the host's time zone: the link /etc/localtime, and Debian's /etc/timezone.
# Needs: text

# hw_timezone ZONE
hw_timezone() {
  if [ ! -f "/usr/share/zoneinfo/$1" ]; then
    if [ -d /usr/share/zoneinfo ]; then
      hw_fail "this host has no time zone $1" || return
    fi
    # With --check its package may be installed by an earlier step.
    [ -n "$hw_check" ] || hw_without /usr/share/zoneinfo tzdata || return
  fi
  command -v readlink >/dev/null || hw_without readlink coreutils || return
  hw_found=$(readlink /etc/localtime) || hw_found=
  hw_saw "localtime $hw_found"
  if [ "${hw_found##*/zoneinfo/}" != "$1" ]; then
    hw_also link
    if [ -z "$hw_check" ]; then
      hw_no_directory /etc/localtime || return
      hw_temporary=/etc/.localtime.hw-$hw_token
      ln -s "/usr/share/zoneinfo/$1" "$hw_temporary" && mv -f "$hw_temporary" /etc/localtime ||
        hw_give_up "can't make the link /etc/localtime" || return
      hw_temporary=
      hw_touch /etc/localtime
    fi
  fi
  if [ -e /etc/timezone ] || [ -e /etc/debian_version ]; then
    hw_shown_text /etc/timezone "$1$hw_newline" 'file'
  fi
}
