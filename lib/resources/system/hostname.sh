# shellcheck shell=sh
# hostname.sh: the host's own name, in its file and as it is now. Written by ourselves also where systemd
# runs: hostnamectl needs a message bus that answers, and comes to the same.
# Needs: text

# hw_hostname NAME [kept]: with `kept` in its file alone.
hw_hostname() {
  hw_first_line /etc/hostname || return
  if [ "$hw_found" != "$1" ]; then
    hw_shown_text /etc/hostname "$1$hw_newline" 'file' || return
  fi
  [ -z "${2-}" ] || return 0
  if [ -r /proc/sys/kernel/hostname ]; then
    read -r hw_found </proc/sys/kernel/hostname
  else
    hw_found=$(uname -n)
  fi
  hw_saw "name $hw_found"
  [ "$hw_found" != "$1" ] || return 0
  hw_also live
  [ -z "$hw_check" ] || return 0
  hw_act || return
  if [ -w /proc/sys/kernel/hostname ]; then
    hw_put "$1$hw_newline" >/proc/sys/kernel/hostname
  else
    command -v hostname >/dev/null || hw_without hostname hostname || return
    hostname "$1"
  fi || hw_fail 'could not set the kernel host name'
}
