# shellcheck shell=sh
# authorized-keys.sh: the keys that may log in as a user. The work is that of authorized-keys.awk, whose text is
# in $hw_authorized_keys_awk.
# Needs: accounts write

# hw_authorized_keys USER PATH REQUEST…: PATH is empty for the files that sshd reads by default; the keys are in the
# first, and what is to go goes from all. The requests are the lines that authorized-keys.awk reads. In the user's
# home the file, and the directory it is in, are the user's alone; elsewhere the file is for all to read, as sshd
# reads it as the user.
hw_authorized_keys() {
  hw_account=$1 hw_keys_files=$2
  shift 2
  IFS=$hw_newline
  hw_requests="$*"
  IFS=" 	$hw_newline"
  if ! hw_find_user "$hw_account" && ! hw_keys_find_elsewhere; then
    hw_lacks user "$hw_account" "there is no user $hw_account"
    return
  fi
  if [ -z "$hw_keys_files" ]; then
    hw_keys_of_sshd
    [ -n "$hw_keys_files" ] || hw_fail "sshd reads no file of keys here: its AuthorizedKeysFile is none" || return
  fi
  command -v awk >/dev/null || hw_without awk mawk || return
  hw_keys_shown='' hw_keys_other=''
  while [ -n "$hw_keys_files" ]; do
    hw_keys_file=${hw_keys_files%%"$hw_newline"*}
    hw_keys_files=${hw_keys_files#"$hw_keys_file"}
    hw_keys_files=${hw_keys_files#"$hw_newline"}
    # Others are not made, and left alone where there is nothing to take away.
    if [ -z "$hw_keys_other" ] || [ -e "$hw_keys_file" ]; then hw_keys_one || return; fi
    hw_keys_other=1
  done
}

# hw_keys_one: hw_keys_file as it is to be.
hw_keys_one() {
  hw_keys_directory=${hw_keys_file%/*} hw_keys_noted=$hw_note
  hw_sweep_beside "$hw_keys_file"
  case $hw_keys_file in
    "$hw_is_home"/*) hw_keys_at_home=1 ;;
    *) hw_keys_at_home='' ;;
  esac
  hw_keys_look || return
  hw_found=$(hw_keys_edit list) || hw_fail "$hw_keys_file is UTF-16, or awk failed on it" || return
  [ -z "$hw_found" ] || hw_also "${hw_keys_other:+${hw_keys_file##*/}: }$hw_found"
  [ "$hw_note" != "$hw_keys_noted" ] || return 0
  hw_trust "$hw_keys_file" || return
  # Which file that is, only the host knows.
  hw_would_make="${hw_would_make-}path $hw_keys_file$hw_newline"
  if [ -n "$hw_diff" ] && [ -n "$hw_found" ] && [ -z "$hw_keys_shown" ]; then
    hw_keys_shown=1
    hw_send_old "$hw_keys_file"
    hw_mark new
    hw_keys_edit edit
  fi
  [ -n "$hw_check" ] || hw_keys_write
}

# hw_keys_of_sshd: into hw_keys_files, those that sshd reads for the user: as its configuration says, outside of blocks
# that are for some only; read by the shell itself, so it costs no process.
hw_keys_of_sshd() {
  hw_keys_named=
  hw_keys_configuration /etc/ssh/sshd_config
  set -f
  # shellcheck disable=SC2086 # a file a word
  set -- ${hw_keys_named:-.ssh/authorized_keys .ssh/authorized_keys2}
  set +f
  for hw_each in "$@"; do
    hw_each=${hw_each#\"} hw_each=${hw_each%\"} hw_found=
    [ "$hw_each" != none ] || continue
    while :; do
      case $hw_each in
        *%[hHuU%]*) ;;
        *) break ;;
      esac
      hw_found=$hw_found${hw_each%%\%*} hw_each=${hw_each#*\%}
      case $hw_each in
        h*) hw_found=$hw_found$hw_is_home ;;
        u*) hw_found=$hw_found$hw_account ;;
        U*) hw_found=$hw_found$hw_is_uid ;;
        *) hw_found=$hw_found% ;;
      esac
      hw_each=${hw_each#?}
    done
    hw_found=$hw_found$hw_each
    case $hw_found in /*) ;; *) hw_found=${hw_is_home%/}/$hw_found ;; esac
    hw_keys_files=$hw_keys_files${hw_keys_files:+$hw_newline}$hw_found
  done
}

# hw_keys_configuration FILE [included]: the first AuthorizedKeysFile of FILE, and of what that includes, into
# hw_keys_named. What an included file includes is left out: variables of a shell function are not its own.
hw_keys_configuration() {
  [ -r "$1" ] && [ -f "$1" ] || return 0
  while read -r hw_line || [ -n "$hw_line" ]; do
    hw_found=${hw_line%%[!A-Za-z]*}
    hw_line=${hw_line#"$hw_found"}
    hw_line=${hw_line#"${hw_line%%[!= 	]*}"}
    case $hw_found in
      [Mm][Aa][Tt][Cc][Hh]) return 0 ;;
      [Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Ee][Dd][Kk][Ee][Yy][Ss][Ff][Ii][Ll][Ee]) hw_keys_named=${hw_line%%#*} ;;
      [Ii][Nn][Cc][Ll][Uu][Dd][Ee])
        [ -z "${2-}" ] || continue
        # shellcheck disable=SC2086 # its patterns are the shell's
        for hw_each in $hw_line; do
          case $hw_each in /*) ;; *) hw_each=/etc/ssh/$hw_each ;; esac
          hw_keys_configuration "$hw_each" included
          [ -z "$hw_keys_named" ] || return 0
        done
        ;;
    esac
    [ -z "$hw_keys_named" ] || return 0
  done <"$1"
}

# hw_keys_find_elsewhere: a user of a directory service.
hw_keys_find_elsewhere() {
  command -v getent >/dev/null || return
  hw_found=$(getent passwd "$hw_account") || return
  hw_passwd=$hw_passwd$hw_found$hw_newline
  hw_find_user "$hw_account"
}

# hw_keys_look: what is there, with one process: hw_type and its like are of the file.
hw_keys_look() {
  for hw_each in ${hw_keys_at_home:+"$hw_keys_directory"} "$hw_keys_file"; do
    # Root would write where the user's link leads.
    [ ! -L "$hw_each" ] || hw_fail "$hw_each is a link; name the file it leads to as the path" || return
  done
  hw_keys_step=$hw_id
  hw_gather_stat "${hw_id}d ${hw_id}f" "$hw_keys_directory" "$hw_keys_file"
  hw_id=${hw_keys_step}d
  hw_stat "$hw_keys_directory"
  hw_each=$?
  hw_id=$hw_keys_step
  [ "$hw_each" -eq 0 ] || return
  hw_keys_directory_type=$hw_type
  hw_want_perms='' hw_want_mode='' hw_want_user='' hw_want_group=''
  case $hw_type in
    directory)
      if [ -n "$hw_keys_at_home" ] && [ "$hw_keys_directory" != "$hw_is_home" ]; then
        hw_want_perms=rwx------ hw_want_user=$hw_is_uid
        hw_compare_owner
      fi
      ;;
    absent)
      hw_each=$hw_keys_directory
      [ -z "$hw_keys_at_home" ] || hw_each=$hw_is_home
      if [ ! -d "$hw_each" ]; then
        hw_awaits path "$hw_each" "there is no directory ${hw_keys_at_home:+$hw_is_home for }$hw_keys_directory" || return
      fi
      ;;
    *) hw_fail "$hw_keys_directory is not a directory" || return ;;
  esac
  hw_id=${hw_keys_step}f
  hw_stat "$hw_keys_file"
  hw_each=$?
  hw_id=$hw_keys_step
  [ "$hw_each" -eq 0 ] || return
  case $hw_type in
    file | absent) ;;
    *) hw_fail "$hw_keys_file is not a regular file" || return ;;
  esac
  hw_want_perms=rw-r--r-- hw_want_mode=00644 hw_want_user=''
  [ -z "$hw_keys_at_home" ] || hw_want_perms=rw------- hw_want_mode=00600 hw_want_user=$hw_is_uid
  [ "$hw_type" != file ] || hw_compare_owner
  hw_keys_text=
  if [ "$hw_type" = file ] && [ -n "$hw_plan" ]; then hw_sum "$hw_keys_file"; fi
}

# hw_keys_edit MODE: run authorized-keys.awk.
hw_keys_edit() {
  hw_each=
  [ ! -f "$hw_keys_file" ] || hw_each=$hw_keys_file
  awk -v mode="$1" -v other="$hw_keys_other" "$hw_authorized_keys_awk" - ${hw_each:+"$hw_each"} <<EOF
$hw_requests
EOF
}

# hw_keys_write: root writes into a user's home as that user. Who owns a directory can lay a link where
# root is about to write.
hw_keys_write() {
  hw_act || return
  if [ -n "$hw_keys_at_home" ] && [ "$hw_is_uid" -ne 0 ] && [ "$(id -u)" -eq 0 ]; then
    for hw_each in "$hw_keys_directory" "$hw_keys_file"; do
      [ "$hw_each" = "$hw_is_home" ] || [ ! -e "$hw_each" ] || hw_keys_give "$hw_each" ||
        hw_fail "can't set the owner of $hw_each" || return
    done
    hw_keys_mounted=
    ! hw_is_mount_point "$hw_keys_file" || hw_keys_mounted=1
    hw_name_beside "$hw_keys_file"
    hw_label_of "$hw_keys_directory" dir
    hw_keys_label=$hw_found
    hw_label_of "$hw_keys_file" file
    # shellcheck disable=SC2016 # for the user's shell
    hw_lines "$hw_requests" | hw_keys_as_user -c '
      umask 077
      if [ "$1" != "$5" ]; then
        [ -d "$1" ] || { mkdir -m 700 -- "$1" && { [ -z "$9" ] || chcon -- "$9" "$1"; }; } || exit
        chmod 700 -- "$1" || exit
      fi
      new=$3 old=$1/.${2##*/}.hw-old stays=$8 label=${10}
      [ -f "$2" ] || set -- "$1" "" "$3" "$4" "$5" "$2" "$7" ""
      # A mount point is written to, as hw_overwrite does it; what was cut off goes back first. So is a file with
      # a label, or the like, that its owner may not give to another.
      pour() { cat -- "$1" 1<>"$2" && dd if=/dev/null of="$2" bs=1 seek=$(($(wc -c <"$1"))) 2>/dev/null && rm -f -- "$1"; }
      [ -z "$2" ] || [ ! -f "$old" ] || pour "$old" "$2" || exit
      # In a directory with a default ACL the umask is ignored, and sshd with what others may write to.
      (set -C && true >"$new") || exit
      if [ -z "$2" ]; then
        [ -z "$label" ] || chcon -- "$label" "$new"
      elif [ -z "$stays" ]; then
        cp -p --attributes-only --preserve=xattr -- "$2" "$new" 2>/dev/null || ! cp -a --attributes-only -- "$2" "$new" 2>/dev/null || stays=1
      fi
      chmod 600 -- "$new" || exit
      # By cat, as in hw_whole.
      s=$({ { awk -v mode=edit -v other="$7" "$4" - ${2:+"$2"}; echo $? >&4; } | cat >"$new"; } 4>&1) &&
        [ "$s" = 0 ] && if [ -z "$stays" ]; then
          mv -f -- "$new" "${2:-$6}"
        else
          cp -p -- "$2" "$new.old" && mv -f -- "$new.old" "$old" &&
            chmod 600 -- "$2" && { pour "$new" "$2" || { pour "$old" "$2" && false; }; } && rm -f -- "$old"
        fi || {
        rm -f -- "$new"
        exit 1
      }' sh "$hw_keys_directory" "$hw_keys_file" "$hw_beside" "$hw_authorized_keys_awk" "$hw_is_home" '' "$hw_keys_other" "$hw_keys_mounted" "$hw_keys_label" "$hw_found" >&2 ||
      hw_fail "could not write $hw_keys_file as $hw_account" || return
    hw_touch "$hw_keys_directory"
    hw_touch "$hw_keys_file"
    return 0
  fi
  if [ -n "$hw_keys_at_home" ] && [ "$hw_keys_directory" != "$hw_is_home" ]; then
    [ "$hw_keys_directory_type" = directory ] || { mkdir -m 700 -- "$hw_keys_directory" && hw_label "$hw_keys_directory" "$hw_keys_directory" dir; } || hw_fail "can't make $hw_keys_directory" || return
    chmod 700 -- "$hw_keys_directory" || hw_fail "can't set the mode of $hw_keys_directory" || return
    hw_touch "$hw_keys_directory"
  fi
  hw_validate=
  hw_replace "$hw_keys_file" hw_whole hw_keys_edit edit
}

# hw_keys_give PATH: to the user; from within its directory, which is where it is to be: in its place could be
# a link to root's own by now.
hw_keys_give() (
  hw_found=$(cd -P -- "$hw_is_home" && pwd -P) && cd -P -- "${1%/*}" || exit
  hw_each=${1#"${hw_is_home%/}"}
  [ "$(pwd -P)" = "${hw_found%/}${hw_each%/*}" ] || hw_fail "${1%/*} leads elsewhere" || exit
  chown -h -- "$hw_is_uid:$hw_is_gid" "./${1##*/}"
)

# hw_keys_as_user ARGUMENT…: sh with these arguments, as the user. su asks the system whether the account
# may be used, which of one that has expired it may not; so by setpriv where that can do it.
hw_keys_as_user() {
  if setpriv --reuid="$hw_is_uid" --regid="$hw_is_gid" --clear-groups -- true 2>/dev/null; then
    setpriv --reuid="$hw_is_uid" --regid="$hw_is_gid" --clear-groups -- sh "$@"
  else
    command -v su >/dev/null || hw_without su util-linux || return
    su -s /bin/sh -- "$hw_account" "$@"
  fi
}
