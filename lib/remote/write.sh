# shellcheck shell=sh
# write.sh: putting a file where it is wanted, whole or not at all, with its owner and mode.
# Needs: path leftover label mode
hw_guard=''

# hw_compare_owner: adds to hw_note what of mode and owner is not as wanted (hw_want_*; empty: any will do).
hw_compare_owner() {
  hw_know_mode "$hw_perms" "$hw_type"
  [ -z "$hw_want_perms" ] || [ "$hw_want_perms" = "$hw_perms" ] || hw_also mode
  case $hw_want_user in '' | "$hw_user" | "$hw_uid") ;; *) hw_also owner ;; esac
  case $hw_want_group in '' | "$hw_group" | "$hw_gid") ;; *) hw_also group ;; esac
}

# hw_has_place PATH: fails where the directory of PATH is missing, or its wanted owner (hw_want_*): a step finds that as it
# writes, and with --check it writes nothing. hw_has_owners: the latter alone.
hw_has_place() {
  [ -d "${1%/*}/" ] || hw_awaits path "${1%/*}" "there is no directory ${1%/*}" || return
  hw_has_owners
}

hw_has_owners() {
  hw_has_account passwd "$hw_want_user" || hw_awaits user "$hw_want_user" "there is no user $hw_want_user" || return
  hw_has_account group "$hw_want_group" || hw_awaits group "$hw_want_group" "there is no group $hw_want_group"
}

# hw_has_account passwd|group NAME: by the shell itself; a directory service is asked only for who is not in the file.
hw_has_account() {
  case $2 in *[!0-9]*) ;; *) return 0 ;; esac
  while IFS=: read -r hw_found hw_line; do
    [ "$hw_found" != "$2" ] || return 0
  done <"/etc/$1"
  command -v getent >/dev/null && getent "$1" "$2" >/dev/null
}

# hw_keep_owner NAMED: mode and owner of hw_path, whose content is as wanted; there need not be such a file.
# NAMED is what the recipe calls it.
hw_keep_owner() {
  [ -n "$hw_want_perms$hw_want_user$hw_want_group" ] || return 0
  hw_stat "$hw_path" || return
  [ "$hw_type" = file ] || return 0
  hw_compare_owner
  [ "$hw_status" = changed ] || return 0
  hw_trust "$1" || return
  if [ -n "$hw_check" ]; then
    hw_has_owners
    return
  fi
  hw_act || return
  hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
  hw_touch "$hw_path"
}

# hw_apply_owner PATH: make its owner, group and mode what is wanted. Owner first: chown may clear
# the set-id bits of the mode. A mode has zeros before it (see its callers): with fewer than five digits
# GNU's chmod leaves a directory's set-id bits as they are.
hw_apply_owner() {
  if [ -n "$hw_want_user" ] || [ -n "$hw_want_group" ]; then
    chown -- "$hw_want_user${hw_want_group:+:$hw_want_group}" "$1" || return
  fi
  [ -z "$hw_want_mode" ] || chmod -- "$hw_want_mode" "$1"
}

# hw_new_file PATH: an empty file beside PATH, for us alone; its name into hw_temporary. Beside it, because
# only a rename within one file system is atomic. Where the directory is not plain, by mktemp, which asks the system
# for that mode: who opens a file before its mode is set reads what comes into it later.
hw_new_file() {
  [ -d "${1%/*}/" ] || hw_fail "there is no directory ${1%/*}" || return
  hw_sweep_beside "$1"
  hw_name_beside "$1"
  # Known before it is made, for hw_cleanup; mktemp puts another end to it.
  hw_temporary=$hw_beside
  if hw_is_plain "${1%/*}"; then
    (umask 077 && set -C && true >"$hw_temporary") && return
  elif ! command -v mktemp >/dev/null; then
    hw_private_file "$hw_temporary" && return
  elif hw_found=$(mktemp "$hw_temporary.XXXXXX"); then
    hw_temporary=$hw_found
    return 0
  fi
  hw_temporary=
  hw_fail "can't make a file in ${1%/*}/"
}

# hw_is_plain DIR: whether what is made in DIR has the mode that it is made with. In a directory with a default ACL the
# kernel ignores the umask, and below one with the set-group-ID bit directories have that too. Asked once for steps in a
# row that change nothing but files. Only an `ls` that shows access lists can say so: GNU's, by this option.
hw_is_plain() {
  case $hw_plain in *"$hw_newline$1/$hw_newline"*) return 0 ;; esac
  hw_found=$(ls -ld --time-style=+ -- "$1/" 2>/dev/null) || return
  case $hw_found in d?????[!sS]???[\ .]*) hw_plain=$hw_plain$1/$hw_newline ;; *) return 1 ;; esac
}

# hw_keep_suffix PATH: what validates the new file may go by how its name ends: `.service`, `.json`.
hw_keep_suffix() {
  # How a name of ours goes on behind `.hw-` says whose it is.
  case ${1##*/} in *.hw-*) return 0 ;; ?*.*) ;; *) return 0 ;; esac
  mv -f -- "$hw_temporary" "$hw_temporary.${1##*.}" && hw_temporary=$hw_temporary.${1##*.}
}

# hw_drop_file: give up the new file.
hw_drop_file() {
  # Without a name, all of the directory we are in would go.
  [ -z "$hw_temporary" ] || rm -f -- "$hw_temporary" "$hw_temporary".*
  hw_temporary=
}

# hw_make_above PATH: the directories above it that are missing, with mode 0755 whatever the umask, or a
# default ACL, says.
hw_make_above() {
  set -- "${1%/*}"
  [ -n "$1" ] && [ ! -d "$1/" ] || return 0
  hw_make_above "$1" && hw_act || return
  { mkdir -m 755 -- "$1" && chmod 755 -- "$1" && hw_label "$1" "$1" dir; } || hw_fail "can't make $1"
}

# hw_replace PATH CONTENT [ARGUMENT…]: PATH becomes what the function CONTENT prints, whole or not at
# all: written beside it, given its owner and mode before its content, validated (hw_validate, a
# command with "$1" for the file), renamed. An existing file keeps owner, mode, access lists and extended
# attributes unless others are wanted. hw_type says whether there is one. The content goes through a
# descriptor that was opened before, as the wanted mode may be one that forbids its owner to write.
# hw_guard, if not empty, is a function that is asked right before the renaming, and says itself why not.
# Where CONTENT fails it may put the reason into hw_why, and its code into hw_why_code.
hw_replace() {
  hw_target=$1
  shift
  hw_know_mode rw-r--r-- file
  hw_new_file "$hw_target" || return
  [ -z "$hw_validate" ] || hw_keep_suffix "$hw_target" || hw_give_up "can't rename $hw_temporary" || return
  if [ "$hw_type" = file ]; then
    hw_copy_attributes "$hw_target" "$hw_temporary" || hw_give_up "can't copy $hw_target" || return
    if [ ! -w "$hw_temporary" ]; then
      chmod u+w -- "$hw_temporary" || hw_give_up "can't write to $hw_temporary" || return
      hw_want_mode=${hw_want_mode:-u-w}
    fi
  else
    hw_label "$hw_temporary" "$hw_target" file
  fi
  hw_why="can't write $hw_target, or set its owner or mode" hw_why_code=step_failed
  { hw_apply_owner "$hw_temporary" && hw_settle_mode && "$@" >&3; } 3>"$hw_temporary" ||
    hw_give_up "$hw_why" "$hw_why_code" || return
  hw_restore_special "$hw_temporary" || hw_give_up "can't set the mode of $hw_target" || return
  hw_restore_capability "$hw_temporary"
  if [ -n "$hw_validate" ]; then
    sh -c "$hw_validate" sh "$hw_temporary" >&2 ||
      hw_give_up "the new $hw_target is not valid: it stays as it was" validation_failed || return
  fi
  [ -z "$hw_guard" ] || "$hw_guard" "$hw_target" || { hw_drop_file; return 1; }
  hw_act || { hw_drop_file; return 1; }
  [ -z "$hw_backup" ] || hw_keep_old "$hw_target" || { hw_drop_file; return 1; }
  if hw_is_in_place; then
    hw_overwrite || return
  else
    { hw_no_directory "$hw_target" && mv -f -- "$hw_temporary" "$hw_target"; } || hw_not_replaced || return
  fi
  hw_temporary=
  hw_touch "$hw_target"
}

# hw_is_in_place: whether hw_target is to be written to and not replaced. hw_in_place is `yes`, or empty, which the
# recipe says; or `mounted`, where it has no word in that: a mount point can't be replaced, and is written to. So
# are those of containers (hw_mounts_in_place).
hw_in_place='' hw_mounts_in_place=${hw_mounts_in_place-}
hw_is_in_place() {
  [ "$hw_type" = file ] && [ -n "$hw_in_place$hw_mounts_in_place" ] || return 1
  [ "$hw_in_place" = yes ] || hw_is_mount_point "$hw_target"
}

# hw_is_mount_point PATH: whether something is mounted there, as containers' engines do with /etc/hosts.
hw_is_mount_point() {
  [ -r /proc/self/mountinfo ] && hw_real=$(cd -P -- "${1%/*}/" && pwd -P) || return 1
  hw_real=${hw_real%/}/${1##*/}
  while read -r hw_skip hw_skip hw_skip hw_skip hw_mount hw_skip; do
    # Blanks are written as \040.
    # shellcheck disable=SC2059
    case $hw_mount in *\\*) hw_mount=$(printf "$hw_mount") ;; esac
    [ "$hw_mount" != "$hw_real" ] || return 0
  done </proc/self/mountinfo
  return 1
}

# hw_overwrite: what is in hw_temporary becomes the content of hw_target, which stays the same file. That is not done
# at once: until it is, the new content is beside it under a name that hw_finish_write knows, and the old one is
# kept to be put back where a disk is full.
hw_overwrite() {
  hw_apply_owner "$hw_target" || hw_give_up "can't set owner or mode of $hw_target" || return
  hw_old=$hw_temporary.old hw_unwritten=${hw_target%/*}/.${hw_target##*/}.hw-write
  cp -p -- "$hw_target" "$hw_old" || hw_give_up "can't keep what is in $hw_target" || return
  { hw_no_directory "$hw_unwritten" && mv -f -- "$hw_temporary" "$hw_unwritten"; } || hw_give_up "can't make $hw_unwritten" || return
  if hw_pour "$hw_unwritten" "$hw_target"; then
    rm -f -- "$hw_unwritten" "$hw_old"
  elif hw_pour "$hw_old" "$hw_target"; then
    rm -f -- "$hw_unwritten"
    hw_give_up "can't write the new content to $hw_target: it has the old one again"
  else
    # The next run goes on with that, and never takes it away.
    mv -f -- "$hw_old" "$hw_unwritten" || hw_unwritten=$hw_old
    hw_temporary=
    hw_fail "can't write to $hw_target: what was in it is in $hw_unwritten"
  fi
}

# hw_pour FROM TO: the content of FROM into TO, which stays the same file. What TO has beyond that is cut off last:
# as long as it is there, nobody else gets its room, and the old content can be put back.
hw_pour() {
  cat -- "$1" 1<>"$2" && hw_found=$(wc -c <"$1") || return
  dd if=/dev/null of="$2" bs=1 seek="$((hw_found))" 2>/dev/null
}

# hw_is_unfinished PATH: whether hw_overwrite has begun to write to it, and was killed over that. Only what this user
# has put there is taken for its content, or what belongs to the owner of PATH, who may write to that anyway.
hw_is_unfinished() {
  hw_unwritten=${1%/*}/.${1##*/}.hw-write
  [ -f "$hw_unwritten" ] && [ ! -L "$hw_unwritten" ] && [ -f "$1" ] || return 1
  # shellcheck disable=SC3067 # all shells of hosts have -O
  [ -O "$hw_unwritten" ] || [ "$(hw_owner_of "$hw_unwritten")" = "$(hw_owner_of "$1")" ]
}

# hw_owner_of PATH: prints the number of its owner.
hw_owner_of() {
  # shellcheck disable=SC2012 # stat is not everywhere
  ls -ldn -- "$1" | { read -r hw_skip hw_skip hw_owner hw_skip && hw_put "$hw_owner"; }
}

# hw_finish_write: that is done in hw_path: half of a file is nothing to go by. hw_finished is the step that did it,
# which may have to ask the controller for more, and is then begun again.
hw_finished=''
hw_finish_write() {
  if hw_is_unfinished "$hw_path"; then
    hw_saw "unfinished $hw_path"
    hw_touch "$hw_path"
    [ -n "$hw_check" ] || hw_act || return
    [ -n "$hw_check" ] || {
      hw_pour "$hw_unwritten" "$hw_path" && rm -f -- "$hw_unwritten"
    } || hw_fail "can't finish writing $hw_path: its content is in $hw_unwritten" || return
    hw_finished=$hw_id
    [ -n "$hw_check" ] || hw_sweep_in "${hw_path%/*}"
  fi
  [ "$hw_finished" != "$hw_id" ] || hw_also 'rest of an interrupted write'
}

# hw_not_replaced: why hw_target was not.
hw_not_replaced() {
  if [ "$hw_type" = file ] && hw_is_mount_point "$hw_target"; then
    hw_give_up "$hw_target is a mount point, which can't be replaced: inPlace: true writes to it instead"
  else
    hw_give_up "can't replace $hw_target"
  fi
}

# hw_note_links: of a file with several names only this one is replaced, which is said.
hw_note_links() {
  [ "$hw_type" = file ] && [ "$hw_links" -gt 1 ] && [ "$hw_in_place" != yes ] || return 0
  case $hw_links in
    2) hw_also '1 other hard link keeps the old content' ;;
    *) hw_also "$((hw_links - 1)) other hard links keep the old content" ;;
  esac
}

# hw_whole COMMAND…: what it prints. Fails where it does, and where not all of that could be written:
# busybox's awk does not report a full disk, but cat does.
hw_whole() {
  { hw_found=$({ {
    "$@"
    echo $? >&4
  } | cat >&5; } 4>&1); } 5>&1 && [ "$hw_found" = 0 ]
}

# hw_settle_mode: a file that is made has mode 0644 unless another is wanted: that must be its mode before
# its content comes, which a file system without modes would show to all.
hw_settle_mode() {
  case $hw_want_mode in
    '')
      # Where there are no modes this one is not missed.
      [ "$hw_type" = file ] || chmod -- 644 "$hw_temporary" 2>/dev/null
      return 0
      ;;
    [!0-7]*) return 0 ;;
  esac
  case $hw_modal in *"$hw_newline${hw_temporary%/*}/$hw_newline"*) return 0 ;; esac
  hw_permissions "$hw_want_mode"
  hw_made=$(ls -ld -- "$hw_temporary") || return
  case $hw_made in
    -"$hw_letters"*)
      ! hw_is_plain "${hw_temporary%/*}" || hw_modal=$hw_modal${hw_temporary%/*}/$hw_newline
      return 0
      ;;
  esac
  hw_why="$hw_target can't have the mode ${hw_want_mode#0}: its file system makes it ${hw_made%% *}"
  return 1
}

# hw_copy_attributes FROM TO: owner, mode, access lists, extended attributes with the labels of security
# modules. Not all of these may be anybody's to set: then those that are. Where cp is not GNU's it copies
# the content too, and of the access lists nothing.
hw_copy_attributes() {
  if [ -z "${hw_plain_cp-}" ] && hw_copy_without_content "$1" "$2"; then
    ! hw_is_plain "${2%/*}" && hw_has_more_access "$2" && ! hw_has_more_access "$1" || return 0
    # It was made in a directory with a default ACL. GNU's cp takes away what it has from there up to 9.1 at
    # least, and leaves it in 9.7. Its install makes files without.
    install -m 600 -- /dev/null "$2" && hw_copy_without_content "$1" "$2"
    return
  fi
  hw_plain_cp=1
  cp -p -- "$1" "$2" || return
  command -v setfacl >/dev/null && command -v getfacl >/dev/null || return 0
  hw_found=$(getfacl -cp -- "$1" 2>/dev/null) || return 0
  hw_lines "$hw_found" | setfacl --set-file=- -- "$2"
}

hw_copy_without_content() {
  cp -p --attributes-only --preserve=xattr -- "$1" "$2" 2>/dev/null ||
    cp -a --attributes-only -- "$1" "$2" 2>/dev/null
}

# hw_has_more_access PATH: whether it has an access list.
hw_has_more_access() {
  hw_found=$(ls -ld -- "$1") || return
  case $hw_found in ??????????+*) ;; *) return 1 ;; esac
}

# hw_keep_old PATH: the file that is there stays beside it, under a name with the time. It is a link to
# the file where it may be: what comes in its place has a file of its own, unless it is written to.
hw_backup=''
hw_keep_old() {
  [ "$hw_type" = file ] || return 0
  hw_old=$1.$(date -u +%Y%m%dT%H%M%SZ)~ || hw_fail "can't read the clock" || return
  # Not the first in this second.
  while [ -e "$hw_old" ] || [ -L "$hw_old" ]; do hw_old=$hw_old~; done
  { [ "$hw_in_place" != yes ] && ln -- "$1" "$hw_old" 2>/dev/null; } || cp -p -- "$1" "$hw_old" || hw_fail "can't keep $1 as $hw_old" || return
  hw_also "the old one is ${hw_old##*/}"
}

# hw_restore_special PATH: the set-id bits that PATH is to have: the system takes them away when a user
# who is not root writes to a file.
hw_restore_special() {
  case $hw_want_mode in
    00[2-7]???) chmod -- "$hw_want_mode" "$1" || return ;;
    [0-7]*) return 0 ;;
  esac
  [ "$hw_type" = file ] || return 0
  case $hw_perms in ??[sS]*) chmod u+s -- "$1" || return ;; esac
  case $hw_perms in ?????[sS]*) chmod g+s -- "$1" || return ;; esac
}

# hw_restore_capability PATH: what a program may do beyond its user, which is an extended attribute that the
# system takes away when the file is written to.
hw_restore_capability() {
  [ "$hw_type" = file ] && [ -z "${hw_plain_cp-}" ] || return 0
  case $hw_perms in *[xst]*) cp --attributes-only --preserve=xattr -- "$hw_target" "$1" 2>/dev/null ;; esac
}

hw_give_up() {
  hw_drop_file
  hw_fail "$@"
}

# hw_send_old PATH: with --diff, the text that is there now, unless it is more than a person reads.
hw_send_old() {
  [ -n "$hw_diff" ] && [ "${hw_size:-0}" -le 1048576 ] || return 0
  hw_mark old
  [ ! -f "$1" ] || cat -- "$1"
}
