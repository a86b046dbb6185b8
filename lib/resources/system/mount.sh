# shellcheck shell=sh
# mount.sh: file systems: their lines of /etc/fstab, and whether they are mounted now.
# Needs: fstab

# hw_mount PATH mounted|unmounted|absent|kept|not-kept point= [source=] [type=] [options=] [order=] [must=]
# [must_not=]: `point` is PATH as fstab has it, `source` likewise, `order` its last two fields. `must` and
# `must_not`: flags that a mount with these options has, and that it does not have. kept and not-kept are about
# fstab alone. What another run may have left half done is not seen in fstab, which is therefore written last,
# but for a mount(8) that reads it.
hw_mount() {
  hw_words 2 'point source type options order must must_not' "$@" || return
  case $2 in
    absent | not-kept) set -- "$1" "$2" '' ;;
    *) set -- "$1" "$2" "$hw_want_source $hw_want_point $hw_want_type $hw_want_options $hw_want_order" ;;
  esac
  hw_mount_found "$hw_want_point" "$1"
  hw_fstab_look '' "$hw_want_point" "$3" "$1" || return
  case $2 in
    absent | not-kept)
      [ -z "$hw_mounted" ] || [ "$2" = not-kept ] || hw_umount "$1" || return
      hw_fstab_write
      return
      ;;
    kept | unmounted)
      hw_fstab_write || return
      [ -z "$hw_mounted" ] || [ "$2" = kept ] || hw_umount "$1"
      return
      ;;
  esac
  if [ -n "$hw_mounted" ] && ! hw_mount_is_other "$1" "$hw_want_source" "$hw_want_type"; then
    hw_mount_options "$1" && hw_fstab_write
    return
  fi
  if [ -n "$hw_mounted" ]; then
    hw_saw other
    hw_umount "$1" || return
  fi
  hw_fstab_write || return
  hw_also mounted
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  command -v mount >/dev/null || hw_without mount mount || return
  hw_act || return
  [ -e "$1" ] || hw_make_above "$1/" || return
  mount "$1" || hw_fail "could not mount $1"
}

# hw_mount_options PATH: what is mounted there has the options that are wanted.
hw_mount_options() {
  { [ -n "$hw_fstab_was" ] && [ "$hw_fstab_options" != "$hw_want_options" ]; } ||
    ! hw_mount_has_flags "$hw_want_must" "$hw_want_must_not" || return 0
  hw_also options
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  case ,$hw_want_options, in
    *,bind,* | *,rbind,*) set -- "$1" "bind,$hw_want_options" ;;
    *) set -- "$1" "$hw_want_options" ;;
  esac
  # With its source, so that fstab is not read, which still has the old options.
  hw_plain_word "$hw_mounted" && mount -o "remount,rw,suid,dev,exec,$2" "$hw_found" "$1" || hw_fail "could not mount $1 again with other options"
}

# hw_umount PATH: nothing is mounted there any more, also where something was mounted over it.
hw_umount() {
  hw_also unmounted
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  hw_count=0
  while [ -n "$hw_mounted" ]; do
    hw_count=$((hw_count + 1))
    [ "$hw_count" -le 100 ] && umount "$1" || hw_fail "could not unmount $1" || return
    hw_mount_found "$hw_want_point" "$1"
  done
}

# hw_mount_found POINT PATH: what is mounted there, the last of several, into hw_mounted (source), hw_mounted_type
# and hw_mounted_options. The kernel has the path with no links in it.
hw_mount_found() {
  hw_mount_points=$hw_newline
  hw_mount_at "$1"
  if [ -z "$hw_mounted" ]; then
    hw_real "$2"
    [ "$hw_found" = "$2" ] || { hw_fstab_word "$hw_found" && hw_mount_at "$hw_found"; }
  fi
  hw_saw "mounted $hw_mounted $hw_mounted_type $hw_mounted_options"
}

# hw_mount_at POINT: the same of a path that the kernel may have. All points into hw_mount_points. Unlike fstab, the kernel
# writes a # of a point as it is.
hw_mount_at() {
  hw_rest=$1
  set -- ''
  while :; do
    case $hw_rest in *'\043'*) ;; *) break ;; esac
    set -- "$1${hw_rest%%'\043'*}#"
    hw_rest=${hw_rest#*'\043'}
  done
  set -- "$1$hw_rest"
  hw_mounted='' hw_mounted_type='' hw_mounted_options=''
  while read -r hw_each hw_point hw_key hw_line hw_rest; do
    hw_mount_points=$hw_mount_points$hw_point$hw_newline
    [ "$hw_point" = "$1" ] || continue
    hw_mounted=$hw_each hw_mounted_type=$hw_key hw_mounted_options=$hw_line
  done </proc/self/mounts
}

# hw_mount_is_other PATH SOURCE TYPE: whether what is mounted is something else: SOURCE is as fstab has it. What
# can't be recognized by the names that the kernel has for it is known by the line of fstab alone.
hw_mount_is_other() {
  hw_mount_type=$3
  # mount(8) does not look at the type then.
  case ,$hw_want_options, in *,bind,* | *,rbind,*) hw_mount_type=none ;; esac
  case $hw_mount_type:$hw_mounted_type in
    none:* | auto:* | "$hw_mounted_type":*) ;;
    # These are called the same by everybody.
    *:tmpfs | *:ramfs | *:overlay | *:ext[234] | *:xfs | *:btrfs | *:vfat | *:iso9660) return 0 ;;
  esac
  hw_mount_compare "$1" "$2" "$hw_mount_type"
  case $hw_found in
    same) return 1 ;;
    other) return 0 ;;
  esac
  [ -n "$hw_fstab_was" ] && [ "$hw_fstab_was" != "$2 $3" ]
}

# hw_mount_compare PATH SOURCE TYPE: `same`, `other` or `unknown` into hw_found, whatever the names are.
hw_mount_compare() {
  case $2 in
    UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=* | ID=*)
      hw_mount_device "$2"
      hw_mount_compare_files "$hw_found" "$hw_mounted"
      return
      ;;
  esac
  hw_plain_word "$2" && set -- "$1" "$hw_found" "$3" "$2"
  case $3-$2-$hw_mounted in
    tmpfs-*) hw_found=unknown ;;
    *-/dev/*-/dev/*) hw_mount_compare_files "$2" "$hw_mounted" ;;
    *-/*-/dev/loop[0-9]*) hw_mount_compare_image "$2" ;;
    # A file or directory shown in another place.
    none-/*-* | auto-/*-*) hw_mount_compare_files "$2" "$1" ;;
    # The server may have several names.
    *-*:/*-*:/*)
      hw_plain_word "$hw_mounted" && hw_found=${hw_found%/}/ && set -- "${2%/}/" "$hw_found"
      # Behind the server, which may be `[::1]`, or several with ports.
      if [ "${1##*:/}" != "${2##*:/}" ]; then
        hw_found=other
      elif [ "$1" = "$2" ]; then
        hw_found=same
      else
        hw_found=unknown
      fi
      ;;
    *) hw_found=unknown ;;
  esac
}

# hw_mount_compare_files WANTED MOUNTED: of two paths that lead to the same.
hw_mount_compare_files() {
  if ! [ -e "$1" ] || ! [ -e "$2" ]; then
    hw_found=unknown
  elif [ "$1" -ef "$2" ]; then
    hw_found=same
  else
    hw_found=other
  fi
}

# hw_mount_compare_image FILE: whether that is what the loop device shows which is mounted.
hw_mount_compare_image() {
  hw_found=/sys/block/${hw_mounted#/dev/}/loop/backing_file
  if [ -r "$hw_found" ] && IFS= read -r hw_line <"$hw_found"; then
    hw_found=other
    # One that was removed, and perhaps made anew, has that behind its name.
    if [ "$1" = "$hw_line" ] || [ "$1" -ef "$hw_line" ]; then hw_found=same; fi
  else
    hw_found=unknown
  fi
}

# hw_mount_device TAG=VALUE: where udev shows the device of that tag, into hw_found. Where there is no udev, and fstab
# has something else, the devices themselves are asked.
hw_mount_device() {
  hw_plain_word "${1#*=}"
  case $hw_found in \"*\" | \'*\') hw_found=${hw_found#?} hw_found=${hw_found%?} ;; esac
  set -- "$1" "$hw_found"
  case $1 in
    UUID=*) hw_path=/dev/disk/by-uuid/ ;;
    LABEL=*) hw_path=/dev/disk/by-label/ ;;
    PARTUUID=*) hw_path=/dev/disk/by-partuuid/ ;;
    PARTLABEL=*) hw_path=/dev/disk/by-partlabel/ ;;
    *) hw_path=/dev/disk/by-id/ ;;
  esac
  hw_udev_name "$2"
  hw_found=$hw_path$hw_found
  [ ! -e "$hw_found" ] && [ "$hw_fstab_was" != "$hw_want_source $hw_want_type" ] || return 0
  command -v findfs >/dev/null && hw_line=$(findfs "${1%%=*}=$2" 2>/dev/null) && hw_found=$hw_line || :
}

# hw_udev_name TEXT: as udev writes it in names of files, into hw_found.
hw_udev_name() {
  hw_found=$1
  case $1 in *[\ \	\!\"\$\%\&\'\(\)\*\,\/\;\<\>\?\[\]\\\^\`\{\|\}\~]*) ;; *) return 0 ;; esac
  hw_rest=$1 hw_found=
  while [ -n "$hw_rest" ]; do
    hw_each=${hw_rest%"${hw_rest#?}"} hw_rest=${hw_rest#?}
    case $hw_each in
      [\ \	\!\"\$\%\&\'\(\)\*\,\/\;\<\>\?\[\]\\\^\`\{\|\}\~]) hw_found=$hw_found$(printf '\\x%02x' "'$hw_each") ;;
      *) hw_found=$hw_found$hw_each ;;
    esac
  done
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
