# shellcheck shell=sh
# path.sh: files and directories: what is there, and putting there what is wanted.
#
# Most runs change nothing, so the state of all paths of a batch is gathered at its start with one
# process for all (hw_gather_*), and a step looks there first. A path that a step touched is asked
# again, and each of the same last name; after a command, a package or a service anything may have changed, so all are.

hw_forget() {
  hw_touched=$hw_newline hw_touched_all='' hw_changes='' hw_fresh_services=''
}

# hw_touch PATH: what was gathered of PATH holds no longer. hw_touch_all: of any path. A path has many
# spellings, as one of its directories may be a link or `..`; but the last name is the same in all of
# them (PATH itself is no link, see hw_resolve), unless it is a dot name itself.
hw_touch() {
  case ${1##*/} in
    . | ..) hw_touch_all ;;
    *) hw_touched=$hw_touched${1##*/}$hw_newline ;;
  esac
}
hw_touch_all() { hw_touched_all=1; }

# hw_gathered NAME PATH: what the batch's gathering found for this step into hw_found; fails if it
# found nothing or it may no longer hold.
hw_gathered() {
  [ -z "$hw_touched_all" ] || return 1
  case ${2##*/} in . | ..) return 1 ;; esac
  case $hw_touched in *"$hw_newline${2##*/}$hw_newline"*) return 1 ;; esac
  eval "hw_found=\${hw_$1_$hw_id-}"
  [ -n "$hw_found" ]
}

# hw_gather NAME IDS VALUE LINES PATH…: hand LINES, each a value and a path, out to the steps IDS as
# hw_NAME_ID. VALUE is a pattern for the value, so that no path is taken for one whose end it is. Lines
# come in the order of the paths; a path that is not there has none.
hw_gather() {
  hw_name=$1 hw_ids="$2 " hw_value=$3 hw_list=$4
  shift 4
  IFS=$hw_newline
  set -f
  for hw_line in $hw_list; do
    while [ $# -gt 0 ]; do
      hw_key=${hw_ids%% *} hw_ids=${hw_ids#* } hw_path=$1
      shift
      if [ "${hw_line#$hw_value}" = "$hw_path" ]; then
        eval "hw_${hw_name}_$hw_key=\${hw_line%\"\$hw_path\"}"
        break
      fi
    done
  done
  set +f
  IFS=" 	$hw_newline"
}

# hw_gather_stat IDS PATH…: of a link, what it points to; see hw_resolve.
hw_gather_stat() {
  hw_found_ids=$1
  shift
  hw_gather stat "$hw_found_ids" '*:*:*:*:*:*:' "$(stat -L -c '%A:%u:%g:%U:%G:%s:%n' -- "$@" 2>/dev/null)" "$@"
}

# hw_gather_sum IDS SUMS PATH…: checksums of regular files; then a marker with the ids of those that
# are not as wanted: their content will be needed.
hw_gather_sum() {
  hw_found_ids=$1 hw_wanted=$2
  shift 2
  [ -z "$hw_sha" ] || hw_gather sum "$hw_found_ids" "$hw_sha_value" "$(
    for hw_path in "$@"; do
      shift
      # Never read from a pipe or a device.
      [ ! -f "$hw_path" ] || set -- "$@" "$hw_path"
    done
    # shellcheck disable=SC2086 # the program and its options
    [ $# -eq 0 ] || $hw_sha "$@" 2>/dev/null
  )" "$@"
  hw_missing=
  for hw_key in $hw_found_ids; do
    eval "hw_found=\${hw_sum_$hw_key-}"
    [ "${hw_found%% *}" = "${hw_wanted%% *}" ] || hw_missing="$hw_missing $hw_key"
    hw_wanted=${hw_wanted#* }
  done
  [ -z "$hw_missing" ] || hw_mark "want$hw_missing"
}

# hw_stat PATH: what is there: hw_type (absent file directory link other), and unless absent hw_perms
# (rwxr-xr-x), hw_uid hw_gid hw_user hw_group and hw_size in bytes.
hw_stat() {
  if ! hw_gathered stat "$1"; then
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
      hw_type=absent hw_size=0
      return
    fi
    hw_found=$(stat -c '%A:%u:%g:%U:%G:%s' -- "$1" 2>/dev/null) || hw_found=$(hw_stat_by_ls "$1") ||
      hw_fail "can't look at $1" || return
  fi
  case $hw_found in
    -*) hw_type="file" ;;
    d*) hw_type="directory" ;;
    l*) hw_type="link" ;;
    *) hw_type="other" ;;
  esac
  hw_perms=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_perms=${hw_perms#?}
  hw_uid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_gid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_user=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_group=${hw_found%%:*} hw_size=${hw_found#*:}
  hw_size=${hw_size%:}
}

# The same in POSIX words only, for hosts without `stat -c`.
hw_stat_by_ls() {
  hw_ls=$(ls -ldn -- "$1") || return
  # shellcheck disable=SC2046 # the fields are to be split
  hw_names=$(set -f && set -- $(ls -ld -- "$1") && echo "$3:$4")
  # shellcheck disable=SC2086
  set -f && set -- $hw_ls && set +f
  # A character after the nine permissions says that there is more (an access list, a label).
  hw_rest=${1#??????????}
  echo "${1%"$hw_rest"}:$3:$4:$hw_names:$5"
}

# hw_sum PATH: the SHA-256 of a regular file into hw_found.
hw_sum() {
  if ! hw_gathered sum "$1"; then
    [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
    # shellcheck disable=SC2086 # the program and its options
    hw_found=$($hw_sha <"$1") || hw_fail "can't read $1" || return
  fi
  hw_found=${hw_found%% *}
}

# hw_resolve PATH: hw_path becomes PATH, or what it points to if it is a link: a link stays a link.
hw_resolve() {
  hw_path=$1
  [ ! -L "$1" ] || hw_path=$(readlink -f -- "$1") || hw_fail "$1 is a link that leads nowhere"
}

# hw_compare_owner: adds to hw_note what of mode and owner is not as wanted (hw_want_*; empty: any will do).
hw_compare_owner() {
  [ -z "$hw_want_perms" ] || [ "$hw_want_perms" = "$hw_perms" ] || hw_also mode
  case $hw_want_user in '' | "$hw_user" | "$hw_uid") ;; *) hw_also owner ;; esac
  case $hw_want_group in '' | "$hw_group" | "$hw_gid") ;; *) hw_also group ;; esac
}

# hw_also WORD: one more thing that changes.
hw_also() {
  hw_note=${hw_note:+$hw_note, }$1
  hw_status=changed
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

# hw_no_directory PATH: fails if PATH is a directory or a link to one: mv and ln would work inside it.
hw_no_directory() {
  [ ! -d "$1" ] || hw_fail "$1 is a directory, not a file"
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
# before, as the wanted mode may be one that forbids its owner to write.
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
    cp -p -- "$hw_target" "$hw_temporary" || hw_give_up "can't copy $hw_target" || return
    if [ ! -w "$hw_temporary" ]; then
      chmod u+w -- "$hw_temporary" || hw_give_up "can't write to $hw_temporary" || return
      hw_want_mode=${hw_want_mode:-u-w}
    fi
  fi
  { hw_apply_owner "$hw_temporary" && "$@" >&3; } 3>"$hw_temporary" ||
    hw_give_up "can't write $hw_target, or set its owner or mode" || return
  hw_restore_special "$hw_temporary" || hw_give_up "can't set the mode of $hw_target" || return
  if [ -n "$hw_validate" ]; then
    sh -c "$hw_validate" sh "$hw_temporary" >&2 ||
      hw_give_up "the new $hw_target is not valid: it stays as it was" validation_failed || return
  fi
  { hw_no_directory "$hw_target" && mv -f -- "$hw_temporary" "$hw_target"; } ||
    hw_give_up "can't replace $hw_target" || return
  hw_temporary=
  hw_touch "$hw_target"
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

# hw_send_old PATH: with --diff, the text that is there now.
hw_send_old() {
  [ -n "$hw_diff" ] || return 0
  hw_mark old
  [ ! -f "$1" ] || cat -- "$1"
}

# hw_file PATH SUM PERMS MODE USER GROUP VALIDATE [CONTENT]: a regular file. SUM is the SHA-256 of the
# wanted content, empty if any will do. Where the content differs and CONTENT (a function that prints
# it) was not sent yet, the step asks for it: status need.
hw_file() {
  hw_want_perms=$3 hw_want_mode=${4:+00$4} hw_want_user=$5 hw_want_group=$6 hw_validate=$7
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    file) hw_compare_owner ;;
    absent)
      [ -n "$2" ] || hw_fail "$1 does not exist, and there is no content to make it of" || return
      hw_also created
      ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
  hw_new_content=
  if [ "$hw_type" = absent ]; then
    hw_new_content=1
  elif [ -n "$2" ]; then
    hw_sum "$hw_path" || return
    if [ "$hw_found" != "$2" ]; then
      hw_new_content=1
      hw_note="content${hw_note:+, $hw_note}" hw_status=changed
    fi
  fi
  [ "$hw_status" = changed ] || return 0
  if [ -n "$hw_check" ]; then
    [ -z "$hw_new_content" ] || hw_send_old "$hw_path"
  elif [ -z "$hw_new_content" ]; then
    hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
    hw_touch "$hw_path"
  elif [ -z "${8-}" ]; then
    hw_status=need hw_note=
  else
    hw_send_old "$hw_path"
    hw_replace "$hw_path" "$8"
  fi
}

# hw_directory PATH PERMS MODE USER GROUP: a directory, with those above it.
hw_directory() {
  hw_want_perms=$2 hw_want_mode=${3:+00$3} hw_want_user=$4 hw_want_group=$5
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    directory) hw_compare_owner ;;
    absent) hw_also created ;;
    *) hw_fail "$1 is not a directory" || return ;;
  esac
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  # It is ours alone until it has its owner and mode.
  if [ "$hw_type" = absent ]; then
    case $hw_path in
      /*/*) [ -d "${hw_path%/*}" ] || mkdir -p -- "${hw_path%/*}" || hw_fail "can't make ${hw_path%/*}" || return ;;
    esac
    hw_want_mode=${hw_want_mode:-00755}
    if [ -z "$hw_want_user$hw_want_group" ]; then
      mkdir -m "$hw_want_mode" -- "$hw_path" || hw_fail "can't make $hw_path" || return
      hw_touch "$hw_path"
      return
    fi
    mkdir -m 700 -- "$hw_path" || hw_fail "can't make $hw_path" || return
  fi
  hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
  hw_touch "$hw_path"
}

hw_forget
