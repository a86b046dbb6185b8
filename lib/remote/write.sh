# shellcheck shell=sh
# write.sh: putting a file where it is wanted, whole or not at all, with its owner and mode.
# Needs: path
hw_guard=''

# hw_compare_owner: adds to hw_note what of mode and owner is not as wanted (hw_want_*; empty: any will do).
hw_compare_owner() {
  [ -z "$hw_want_perms" ] || [ "$hw_want_perms" = "$hw_perms" ] || hw_also mode
  case $hw_want_user in '' | "$hw_user" | "$hw_uid") ;; *) hw_also owner ;; esac
  case $hw_want_group in '' | "$hw_group" | "$hw_gid") ;; *) hw_also group ;; esac
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

# hw_new_file PATH [UMASK]: an empty file beside PATH, for us alone unless another UMASK says more; its
# name into hw_temporary. Beside it,
# because only a rename within one file system is atomic; noclobber, because a name in a directory
# that others may write to could be a trap. By `true` and not `:`, whose failed redirection would end
# the shell, as it is a special built-in.
hw_new_file() {
  [ -d "${1%/*}/" ] || hw_fail "there is no directory ${1%/*}" || return
  hw_temporary=${1%/*}/.${1##*/}.hw-$hw_token
  umask "${2-077}"
  set -C
  { true >"$hw_temporary"; }
  hw_made=$?
  set +C
  umask 022
  if [ "$hw_made" -ne 0 ]; then
    hw_temporary=
    hw_fail "can't make a file in ${1%/*}/"
  fi
}

# hw_drop_file: give up the new file.
hw_drop_file() {
  rm -f -- "$hw_temporary"
  hw_temporary=
}

# hw_replace PATH CONTENT [ARGUMENT…]: PATH becomes what the function CONTENT prints, whole or not at
# all: written beside it, given its owner and mode before its content, validated (hw_validate, a
# command with "$1" for the file), renamed. An existing file keeps owner and mode unless others are
# wanted. hw_type says whether there is one. The content goes through a descriptor that was opened
# before, as the wanted mode may be one that forbids its owner to write. hw_guard, if not empty, is a
# function that is asked right before the renaming, and says itself why not. Where CONTENT fails it may
# put the reason into hw_why, and its code into hw_why_code.
hw_replace() {
  hw_target=$1
  shift
  if [ "$hw_type" = absent ] && hw_umask_for "${hw_want_mode:=00644}"; then
    # It is made with its mode, which then need not be set.
    hw_want_mode=
    hw_new_file "$hw_target" "$hw_umask" || return
  else
    hw_new_file "$hw_target" || return
  fi
  if [ "$hw_type" = file ]; then
    hw_copy_attributes "$hw_target" "$hw_temporary" || hw_give_up "can't copy $hw_target" || return
    if [ ! -w "$hw_temporary" ]; then
      chmod u+w -- "$hw_temporary" || hw_give_up "can't write to $hw_temporary" || return
      hw_want_mode=${hw_want_mode:-u-w}
    fi
  fi
  hw_why="can't write $hw_target, or set its owner or mode" hw_why_code=step_failed
  { hw_apply_owner "$hw_temporary" && "$@" >&3; } 3>"$hw_temporary" ||
    hw_give_up "$hw_why" "$hw_why_code" || return
  hw_restore_special "$hw_temporary" || hw_give_up "can't set the mode of $hw_target" || return
  if [ -n "$hw_validate" ]; then
    sh -c "$hw_validate" sh "$hw_temporary" >&2 ||
      hw_give_up "the new $hw_target is not valid: it stays as it was" validation_failed || return
  fi
  [ -z "$hw_guard" ] || "$hw_guard" "$hw_target" || { hw_drop_file; return 1; }
  [ -z "$hw_backup" ] || hw_keep_old "$hw_target" || { hw_drop_file; return 1; }
  { hw_no_directory "$hw_target" && mv -f -- "$hw_temporary" "$hw_target"; } ||
    hw_give_up "can't replace $hw_target" || return
  hw_temporary=
  hw_touch "$hw_target"
}

# hw_whole COMMAND…: what it prints. Fails where it does, and where not all of that could be written:
# busybox's awk does not report a full disk, but cat does.
hw_whole() {
  { hw_found=$({ {
    "$@"
    echo $? >&4
  } | cat >&5; } 4>&1); } 5>&1 && [ "$hw_found" = 0 ]
}

# hw_copy_attributes FROM TO: owner, mode, access lists; with them the content of all but large files,
# which GNU's cp can leave out.
hw_copy_attributes() {
  if [ "${hw_size:-0}" -gt 1048576 ]; then
    cp -p --attributes-only -- "$1" "$2" 2>/dev/null && return 0
  fi
  cp -p -- "$1" "$2"
}

# hw_keep_old PATH: the file that is there stays beside it, under a name with the time. It is a link to
# the file where it may be: what comes in its place has a file of its own.
hw_backup=''
hw_keep_old() {
  [ "$hw_type" = file ] || return 0
  hw_old=$1.$(date -u +%Y%m%dT%H%M%SZ)~ || hw_fail "can't read the clock" || return
  # Not the first in this second.
  while [ -e "$hw_old" ] || [ -L "$hw_old" ]; do hw_old=$hw_old~; done
  ln -- "$1" "$hw_old" 2>/dev/null || cp -p -- "$1" "$hw_old" || hw_fail "can't keep $1 as $hw_old" || return
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

# hw_umask_for MODE: the umask that makes a file of that mode, into hw_umask; fails where none does, or
# where the file is to be somebody else's before others may read it.
hw_umask_for() {
  [ -z "$hw_want_user$hw_want_group" ] || return 1
  case $1 in 006[0246][0246]) ;; *) return 1 ;; esac
  # Digit by digit: not every shell takes a zero in front for octal.
  hw_umask=${1#00?} hw_each=${1#00}
  hw_umask=$((6 - ${hw_each%??}))$((6 - ${hw_umask%?}))$((6 - ${1#00??}))
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
