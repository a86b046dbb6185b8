# shellcheck shell=sh
# mount.sh: file systems: their lines of /etc/fstab, and whether they are mounted now.
# Needs: fstab

# hw_mount WANT PATH POINT SOURCE TYPE OPTIONS ORDER MUST MUST_NOT: WANT is mounted, unmounted or absent.
# POINT is PATH as fstab has it, SOURCE likewise; ORDER its last two fields. MUST and MUST_NOT: flags that a
# mount has with these options, and that it has not.
hw_mount() {
  hw_mount_found "$3"
  if [ "$1" = absent ]; then
    [ -z "$hw_mounted" ] || hw_umount "$2" || return
    hw_fstab '' "$3" ''
    return
  fi
  hw_fstab '' "$3" "$4 $3 $5 $6 $7" || return
  if [ "$1" = unmounted ]; then
    [ -z "$hw_mounted" ] || hw_umount "$2"
    return
  fi
  if [ -n "$hw_mounted" ] && ! hw_mount_is_other "$2" "$4" "$5"; then
    { [ -n "$hw_fstab_was" ] && [ "$hw_fstab_options" != "$6" ]; } || ! hw_mount_has_flags "$8" "$9" || return 0
    hw_also options
    [ -z "$hw_check" ] || return 0
    hw_touch_all
    case ,$6, in *,bind,* | *,rbind,*) set -- "$2" "bind,$6" ;; *) set -- "$2" "$6" ;; esac
    mount -o "remount,rw,suid,dev,exec,$2" "$1" || hw_fail "could not mount $1 again with other options"
    return
  fi
  if [ -n "$hw_mounted" ]; then
    hw_umount "$2" || return
  fi
  hw_also mounted
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  command -v mount >/dev/null || hw_without mount mount || return
  [ -d "$2" ] || mkdir -p -- "$2" || hw_fail "can't make the directory $2" || return
  mount "$2" || hw_fail "could not mount $2"
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

# hw_mount_is_other PATH SOURCE TYPE: whether what is mounted is something else. A label or an UUID is told by
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
