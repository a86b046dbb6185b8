# shellcheck shell=sh
# sysctl.sh: values of the kernel, as a file that sets them at each start and as they are now.
#
# Outlives a step: hw_sysctl_values, a line `/proc/sys/KEY:VALUE` for each line of each key that was gathered;
# it holds while hw_gathered_names has `sysctl/KEY`.
# Needs: text

# hw_gather_sysctl IDS KEY…: the values of all steps of a segment, by one process.
hw_gather_sysctl() {
  shift
  for hw_each in "$@"; do
    shift
    hw_gathered_names="$hw_gathered_names sysctl/$hw_each "
    [ ! -r "/proc/sys/$hw_each" ] || set -- "$@" "/proc/sys/$hw_each"
  done
  hw_sysctl_values=
  [ $# -eq 0 ] || hw_sysctl_values=$hw_newline$(grep '' -- "$@" /dev/null 2>/dev/null)$hw_newline
}

# hw_sysctl PATH TEXT TAKE_OVER [KEY VALUE READ]…: KEY with slashes, as below /proc/sys; READ is how a kernel that takes
# VALUE for a number, or for a list of numbers, writes it.
hw_sysctl() {
  hw_own_text "$1" "$2" content "$3" || return
  shift 3
  while [ $# -gt 0 ]; do
    hw_sysctl_live "$1" "$2" "$3" || return
    shift 3
  done
}

hw_sysctl_live() {
  hw_key=/proc/sys/$1
  if [ ! -e "$hw_key" ]; then
    # A module that an earlier step loads may bring it.
    hw_awaits path "$hw_key" "the kernel of this host has no $1: does a module have to be loaded first?" || return
    hw_also "live $1"
    return
  fi
  hw_sysctl_known "$1" || hw_sysctl_read || hw_fail "can't read $hw_key" || return
  hw_saw "live $1 $hw_found"
  ! hw_sysctl_is "$2" "$3" || return 0
  hw_also "live $1"
  [ -z "$hw_check" ] || return 0
  hw_act || return
  # A key may change others with it.
  hw_sysctl_values=
  { hw_put "$2$hw_newline" >"$hw_key"; } 2>/dev/null || hw_fail "the kernel does not take $2 for $1" || return
  hw_sysctl_read && hw_sysctl_is "$2" "$3" || hw_fail "the kernel made $hw_found of $2 for $1"
}

# hw_sysctl_is VALUE READ: whether hw_found is one of them. A list may be given by its first fields (kernel.printk).
hw_sysctl_is() {
  case $hw_found in "$1" | "$1 "* | "$2" | "$2 "*) ;; *) return 1 ;; esac
}

# hw_sysctl_known KEY: what was gathered of hw_key into hw_found, fails where that no longer holds.
hw_sysctl_known() {
  [ -z "$hw_touched_all" ] || return
  case $hw_gathered_names in *" sysctl/$1 "*) ;; *) return 1 ;; esac
  case $hw_sysctl_values in *"$hw_newline$hw_key:"*) ;; *) return 1 ;; esac
  hw_line=${hw_sysctl_values#*"$hw_newline$hw_key:"}
  hw_rest=$hw_newline$hw_line hw_line=${hw_line%%"$hw_newline"*}
  # A value of several lines is read for itself.
  case ${hw_rest#*"$hw_newline$hw_line$hw_newline"} in "$hw_key:"*) return 1 ;; esac
  hw_sysctl_fields "$hw_line"
}

# hw_sysctl_read: the value at hw_key into hw_found. By cat: where sh is dash, its `read` gets one byte of a
# file that holds integers, as the kernel ends such a file where a second read(2) begins.
hw_sysctl_read() {
  hw_line=$(cat -- "$hw_key") || return
  hw_sysctl_fields "$hw_line"
}

# hw_sysctl_fields TEXT: its fields into hw_found, with one space between them.
hw_sysctl_fields() {
  hw_found=
  set -f
  for hw_each in $1; do
    hw_found=$hw_found${hw_found:+ }$hw_each
  done
  set +f
}

hw_sysctl_values=''
