# shellcheck shell=sh
# sysctl.sh: values of the kernel, as a file that sets them at each start and as they are now.
# Needs: text

# hw_sysctl PATH TEXT [KEY VALUE]…: KEY with slashes, as below /proc/sys.
hw_sysctl() {
  hw_shown_text "$1" "$2" content || return
  shift 2
  while [ $# -gt 0 ]; do
    hw_sysctl_live "$1" "$2" || return
    shift 2
  done
}

hw_sysctl_live() {
  hw_key=/proc/sys/$1
  if [ ! -e "$hw_key" ]; then
    # With --check a module that an earlier step loads may bring it.
    [ -n "$hw_check" ] || hw_fail "the kernel of this host has no $1: does a module have to be loaded first?" || return
    hw_also "live $1"
    return
  fi
  hw_sysctl_read || hw_fail "can't read $hw_key" || return
  hw_saw "live $1 $hw_found"
  [ "$hw_found" != "$2" ] || return 0
  hw_also "live $1"
  [ -z "$hw_check" ] || return 0
  { hw_put "$2$hw_newline" >"$hw_key"; } 2>/dev/null || hw_fail "the kernel does not take $2 for $1" || return
  hw_sysctl_read && [ "$hw_found" = "$2" ] || hw_fail "the kernel made $hw_found of $2 for $1"
}

# hw_sysctl_read: the value at hw_key into hw_found, its fields with one space between them.
hw_sysctl_read() {
  hw_found=
  while read -r hw_line || [ -n "$hw_line" ]; do
    set -f
    for hw_each in $hw_line; do
      hw_found=$hw_found${hw_found:+ }$hw_each
    done
    set +f
  done <"$hw_key"
}
