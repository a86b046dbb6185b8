# shellcheck shell=sh
# mount.sh: file systems: their lines of /etc/fstab, and whether they are mounted now.
# Needs: fstab

# hw_mount PATH mounted|unmounted|absent point= [source=] [type=] [options=] [order=] [must=] [must_not=]: `point`
# is PATH as fstab has it, `source` likewise, `order` its last two fields. `must` and `must_not`: flags that a
# mount with these options has, and that it does not have.
hw_mount() {
  hw_words 2 'point source type options order must must_not' "$@" || return
  hw_mount_found "$hw_want_point"
  if [ "$2" = absent ]; then
    [ -z "$hw_mounted" ] || hw_umount "$1" || return
    hw_fstab '' "$hw_want_point" ''
    return
  fi
  hw_fstab '' "$hw_want_point" "$hw_want_source $hw_want_point $hw_want_type $hw_want_options $hw_want_order" || return
  if [ "$2" = unmounted ]; then
    [ -z "$hw_mounted" ] || hw_umount "$1"
    return
  fi
  if [ -n "$hw_mounted" ] && ! hw_mount_is_other "$1" "$hw_want_source" "$hw_want_type"; then
    hw_mount_options "$1"
    return
  fi
  if [ -n "$hw_mounted" ]; then
    hw_umount "$1" || return
  fi
  hw_also mounted
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  command -v mount >/dev/null || hw_without mount mount || return
  hw_make_above "$1/" || return
  mount "$1" || hw_fail "could not mount $1"
}

# hw_mount_options PATH: what is mounted there has the options that are wanted.
hw_mount_options() {
  { [ -n "$hw_fstab_was" ] && [ "$hw_fstab_options" != "$hw_want_options" ]; } ||
    ! hw_mount_has_flags "$hw_want_must" "$hw_want_must_not" || return 0
  hw_also options
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  case ,$hw_want_options, in
    *,bind,* | *,rbind,*) set -- "$1" "bind,$hw_want_options" ;;
    *) set -- "$1" "$hw_want_options" ;;
  esac
  mount -o "remount,rw,suid,dev,exec,$2" "$1" || hw_fail "could not mount $1 again with other options"
}

# hw_umount PATH
hw_umount() {
  hw_also unmounted
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  umount "$1" || hw_fail "could not unmount $1"
}

# hw_mount_found POINT: what is mounted there, the last of several, into hw_mounted (source), hw_mounted_type
# and hw_mounted_options.
hw_mount_found() {
  hw_mounted='' hw_mounted_type='' hw_mounted_options=''
  while read -r hw_each hw_point hw_key hw_line hw_rest; do
    [ "$hw_point" = "$1" ] || continue
    hw_mounted=$hw_each hw_mounted_type=$hw_key hw_mounted_options=$hw_line
  done </proc/self/mounts
  hw_saw "mounted $hw_mounted $hw_mounted_type $hw_mounted_options"
}

# hw_mount_is_other PATH SOURCE TYPE: whether what is mounted is something else. A label or an UUID is known by
# the line of fstab alone, and so is what the kernel has other names for.
hw_mount_is_other() {
  if [ -n "$hw_fstab_was" ] && [ "$hw_fstab_was" != "$2 $3" ]; then return 0; fi
  case $3-$2 in
    none-/* | auto-/*) ;;
    tmpfs-*)
      [ "$hw_mounted_type" != tmpfs ]
      return
      ;;
    *)
      case $2-$hw_mounted in
        /dev/*-/dev/*) ! [ "$2" -ef "$hw_mounted" ] ;;
        *) return 1 ;;
      esac
      return
      ;;
  esac
  # A directory shown in another place.
  [ -d "$2" ] && ! [ "$2" -ef "$1" ]
}

# hw_mount_has_flags MUST MUST_NOT
hw_mount_has_flags() {
  for hw_each in $1; do
    case ,$hw_mounted_options, in *",$hw_each,"*) ;; *) return 1 ;; esac
  done
  for hw_each in $2; do
    case ,$hw_mounted_options, in *",$hw_each,"*) return 1 ;; esac
  done
}
