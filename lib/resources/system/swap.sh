# shellcheck shell=sh
# swap.sh: swap files.
# Needs: fstab

# hw_swap PATH point= mib= [options=] [priority=] [kept=]: a swap file of that size, in use now and after a start; without
# `options` it is there, but not in use. `point` is PATH as fstab has it. With `kept` in its file
# and in fstab alone.
hw_swap() {
  hw_words 1 'point mib options priority kept' "$@" || return
  hw_active=
  hw_sweep_beside "$1"
  [ -n "$hw_want_kept" ] || hw_swap_active "$hw_want_point" "$1"
  hw_stat "$1" || return
  hw_want_perms='rw-------' hw_want_mode=00600 hw_want_user='' hw_want_group='' hw_validate=''
  hw_swap_new=
  case $hw_type in
    absent) hw_swap_new=1 && hw_also created ;;
    'file')
      if [ "$hw_size" -ne "$((hw_want_mib * 1048576))" ]; then
        hw_swap_new=1
        hw_also size
      fi
      hw_compare_owner
      ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
  hw_swap_off=''
  if [ -n "$hw_active" ]; then
    if [ -z "$hw_want_options" ]; then
      hw_swap_off=1
      hw_also off
    elif [ -n "$hw_swap_new" ]; then
      hw_swap_off=1
    elif [ -n "$hw_want_priority" ] && [ "$hw_want_priority" != "$hw_active" ]; then
      hw_swap_off=1
      hw_also priority
    fi
  elif [ -n "$hw_want_options" ] && [ -z "$hw_want_kept" ]; then
    hw_also on
  fi
  hw_fstab "$hw_want_point" '' "${hw_want_options:+$hw_want_point none swap $hw_want_options 0 0}" "$1" || return
  [ "$hw_status" = changed ] || return 0
  hw_trust "$1" || return
  if [ -n "$hw_check" ]; then
    hw_has_place "$1"
    return
  fi
  hw_act || return
  hw_touch_all
  [ -z "$hw_swap_off" ] || hw_swap_stop "$1" || return
  if [ -n "$hw_swap_new" ]; then
    hw_swap_make "$1" "$hw_want_mib" || return
  else
    chmod 600 -- "$1" || hw_fail "can't set the mode of $1" || return
  fi
  if [ -n "$hw_want_options" ] && [ -z "$hw_want_kept" ] && { [ -z "$hw_active" ] || [ -n "$hw_swap_off" ]; }; then
    swapon ${hw_want_priority:+-p "$hw_want_priority"} "$1" || hw_fail "could not take $1 into use"
  fi
}

# hw_no_swap PATH POINT [kept]: the file is neither there nor in use; with `kept` only not there.
hw_no_swap() {
  hw_active=
  [ -n "${3-}" ] || hw_swap_active "$2" "$1"
  if [ -n "$hw_active" ]; then
    hw_also off
    [ -n "$hw_check" ] || hw_swap_stop "$1" || return
  fi
  hw_fstab "$2" '' '' "$1" && hw_no_text "$1" removed
}

# hw_swap_active POINT PATH: the priority of PATH into hw_active if it is in use, else nothing. The kernel has the path with
# no links in it.
hw_swap_active() {
  hw_active=
  [ -r /proc/swaps ] || return 0
  hw_real "$2"
  set -- "$1" "$hw_found"
  while read -r hw_each hw_key hw_line hw_rest hw_found; do
    hw_swap_priority=$hw_found
    hw_plain_word "$hw_each"
    [ "$hw_found" != "$2" ] || hw_active=$hw_swap_priority
  done </proc/swaps
  hw_saw "swap $1 $hw_active"
}

hw_swap_stop() {
  hw_act || return
  swapoff "$1" || hw_fail "could not take $1 out of use"
}

# hw_swap_make PATH MIB: beside it first, so that what has that name is whole. Written out, as a file with
# holes can't be swapped to; where each write would make a copy (btrfs) that is switched off.
hw_swap_make() {
  command -v mkswap >/dev/null || hw_without mkswap util-linux || return
  hw_new_file "$1" || return
  chattr +C "$hw_temporary" >/dev/null 2>&1
  { dd if=/dev/zero of="$hw_temporary" bs=1048576 count="$2" 2>/dev/null && mkswap "$hw_temporary" >/dev/null; } ||
    hw_give_up "could not make a swap file of $2 MiB: is there room?" || return
  hw_no_directory "$1" && mv -f -- "$hw_temporary" "$1" || hw_give_up "can't replace $1" || return
  hw_temporary=
}
