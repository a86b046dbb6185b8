# shellcheck shell=sh
# copy-tree.sh: a directory of the controller as it is to be on the host. What is to be done is decided on
# the controller, from a list of what is here; where all is as wanted, a hash of that list says so.
# Needs: file directory link

# hw_copy_tree PATH digest= format= mode= [user=] [group=] [delete=] [excluded=] [directory=]… [file=]… [link=]…
# [-- ACTION…]: names are below PATH, begin with ./ and come in lists, a name a line, of directories, files or
# links. `digest` is the SHA-256 of what hw_tree_list prints with `format` if nothing is to be done. `excluded`
# are words of find, a line each, for what is left alone. `delete` lists also what has none of the names.
# Without ACTION… the step says what is here: status need.
hw_copy_tree() {
  hw_words 1 'digest format mode user group delete excluded directory file link' "$@" || return
  hw_tree_delete=$hw_want_delete hw_tree_format=$hw_want_format hw_tree_mode=$hw_want_mode
  hw_tree_excluded=$hw_want_excluded
  [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
  [ -z "$hw_tree_delete" ] || command -v find >/dev/null || hw_without find findutils || return
  hw_saw "want $hw_want_digest"
  hw_tree_named=$1
  hw_resolve "$1" || return
  hw_tree_root=$hw_path
  if [ $# -gt "$hw_skip" ]; then
    shift "$hw_skip"
    hw_trust "$hw_tree_named" || return
    hw_tree_act "$@"
    set -- $?
    hw_touch_all
    return "$1"
  fi
  hw_tree_sweep_all "$@"
  for hw_each in "$@"; do
    shift
    case $hw_each in directory=* | file=* | link=*) set -- "$@" "${hw_each%%=*}" "${hw_each#*=}" ;; esac
  done
  if [ -d "$hw_tree_root" ]; then
    # shellcheck disable=SC2086 # the program and its options
    hw_found=$(hw_tree_list all "$@" | $hw_sha) || hw_fail "can't look at $hw_tree_named" || return
    hw_saw "tree ${hw_found%% *}"
    [ "${hw_found%% *}" != "$hw_want_digest" ] || return 0
    hw_tree_format='%A:%u:%g:%U:%G:%s:%n'
    for hw_what in stat sum link extra directory; do
      hw_mark text "$hw_what"
      hw_tree_list "$hw_what" "$@"
    done
  elif [ -e "$hw_tree_root" ]; then
    hw_lacks gone "$hw_tree_named" "$hw_tree_named is not a directory" || return
  fi
  hw_status=need
}

# hw_tree_sweep_all ARGUMENT…: in all directories that are to be there goes what dead sessions left.
hw_tree_sweep_all() {
  [ -z "$hw_check" ] && [ -d "$hw_tree_root" ] || return 0
  hw_sweep_in "$hw_tree_root"
  for hw_each in "$@"; do
    case $hw_each in directory=*) hw_tree_sweep "${hw_each#*=}" ;; esac
  done
}

# hw_tree_sweep NAMES: the same for directories, a name a line.
hw_tree_sweep() {
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # a name a line
  set -- $1
  IFS=" 	$hw_newline"
  set +f
  for hw_tree_name in "$@"; do
    hw_sweep_in "$hw_tree_root/${hw_tree_name#./}"
  done
}

# hw_tree_list WHAT [KIND NAMES]…: of all names their state (stat), of files their hash (sum), of links what
# they point to (link); all that is there (extra), the directories of it (directory); or, but for the last,
# all of that. A line each.
hw_tree_list() (
  hw_what=$1
  shift
  cd -P -- "$hw_tree_root" || exit
  exec 2>/dev/null
  set -f
  while [ $# -gt 1 ]; do
    hw_kind=$1 hw_names=$2
    shift 2
    IFS=$hw_newline
    # shellcheck disable=SC2086 # a name a line
    hw_tree_list_some $hw_names
  done
  case ${hw_tree_delete:+$hw_what} in
    all) hw_tree_extra '' | sort ;;
    extra) hw_tree_extra -print ;;
    directory) hw_tree_extra '' -type d ;;
  esac
  exit 0
)

hw_tree_list_some() {
  IFS=" 	$hw_newline"
  case $hw_what in
    # Where stat has no -c the hash is none that is expected, and the whole list is asked for.
    all) stat -c "$hw_tree_format" -- "$@" ;;
    stat) hw_tree_stat "$@" ;;
  esac
  case $hw_what,$hw_kind in
    all,file | sum,file)
      # Never read from a pipe or a device.
      for hw_each in "$@"; do
        shift
        [ ! -f "$hw_each" ] || set -- "$@" "$hw_each"
      done
      [ $# -eq 0 ] || $hw_sha "$@"
      ;;
    all,link) readlink -- "$@" ;;
    link,link)
      for hw_each in "$@"; do
        [ ! -L "$hw_each" ] || hw_lines "$hw_each" "$(readlink -- "$hw_each" | tr '\n' '\001')"
      done
      ;;
  esac
}

# hw_tree_stat NAME…: by ls where stat has no -c.
hw_tree_stat() {
  if stat -c %n / >/dev/null; then
    stat -c "$hw_tree_format" -- "$@"
  else
    for hw_each in "$@"; do
      [ -e "$hw_each" ] || [ -L "$hw_each" ] || continue
      hw_found=$(hw_stat_by_ls "$hw_each")
      hw_lines "${hw_found%:*}:$hw_each"
    done
  fi
}

# hw_tree_extra SKIPPED [TEST…]: names of all that is there and passes the tests; with SKIPPED, -print, also
# of what is left alone, but not of what is in that.
hw_tree_extra() {
  hw_print=$1
  shift
  set -- ! -name . "$@" -print
  if [ -n "$hw_tree_excluded" ]; then
    IFS=$hw_newline
    # shellcheck disable=SC2086 # a word a line
    set -- \( $hw_tree_excluded \) $hw_print -prune -o "$@"
    IFS=" 	$hw_newline"
  fi
  # What another session is making here is not for this one to take away.
  find . -name '.*.hw-*-*-*-*-*' -prune -o "$@"
}

# hw_tree_act ACTION…: what the controller found is to be done; `do` stands before what changes something.
hw_tree_act() {
  hw_status=changed hw_validate=''
  while [ $# -gt 0 ]; do
    hw_action=$1
    shift
    case $hw_action in
      # What it said when it was asked: the list.
      saw) hw_saw "$1" ;;
      same) hw_status=ok ;;
      note) hw_note=$1 ;;
      list) hw_lines "$1" ;;
      fresh) hw_mark fresh "$1" ;;
      show)
        # Neither a pipe, nor more than a person reads.
        hw_mark old "$1"
        hw_tree_with "$1" hw_tree_show || return
        ;;
      do)
        if [ -n "$hw_check" ]; then
          hw_has_owners
          return
        fi
        hw_act && hw_tree_make_root || return
        continue
        ;;
      remove) hw_tree_with "$1" rm -f -- || hw_fail "can't remove everything that must go from $hw_tree_named" || return ;;
      rmdir)
        hw_tree_sweep "$1"
        hw_tree_with "$1" rmdir -- || hw_fail "can't remove directories of $hw_tree_named" || return
        ;;
      pack)
        hw_tree_pack=$1
        [ -r "$1" ] || hw_fail "can't read $1" || return
        exec 4<"$1"
        hw_drop_incoming "$1"
        ;;
      mkdir)
        # Once more, as a default ACL may have taken of it.
        { hw_tree_with "$2" mkdir -m "00$1" -- && hw_tree_with "$2" chmod "00$1" --; } ||
          hw_fail "can't make directories in $hw_tree_named" || return
        shift
        ;;
      put) hw_tree_put_all "$1" || return ;;
      take)
        hw_tree_put "$1" "$2" "$4" cat -- "$3" && hw_drop_incoming "$3" || return
        shift 3
        ;;
      link)
        hw_tree_link "$1" "$2" || hw_give_up "can't make the link $hw_tree_root/${1#./}" || return
        shift
        ;;
      chmod)
        hw_tree_with "$2" chmod "00$1" -- || hw_fail "can't set modes in $hw_tree_named" || return
        shift
        ;;
      chown)
        hw_tree_with "$1" chown -h -- "$hw_want_user${hw_want_group:+:$hw_want_group}" ||
          hw_fail "can't set owners in $hw_tree_named" || return
        ;;
    esac
    shift
  done
  # The pack, if there was one.
  exec 4<&-
}

hw_tree_show() {
  find "$1" -prune -type f -size -2049 -exec cat -- {} \;
}

# hw_tree_with NAMES COMMAND…: the command with all names, a line each.
hw_tree_with() (
  cd -P -- "$hw_tree_root" || exit
  hw_names=$1
  shift
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # a name a line
  "$@" $hw_names
)

hw_tree_make_root() {
  [ ! -d "$hw_tree_root" ] || return 0
  hw_want_mode=00$hw_tree_mode
  hw_make_directory "$hw_tree_root"
}

# hw_tree_put_all FILES: files of the pack, a line each: MODE OLD SIZE NAME, see hw_tree_put.
hw_tree_put_all() {
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # a file a line
  set -- $1
  IFS=" 	$hw_newline"
  set +f
  for hw_tree_line in "$@"; do
    hw_tree_mode=${hw_tree_line%% *} hw_tree_line=${hw_tree_line#* }
    hw_tree_old=${hw_tree_line%% *} hw_tree_line=${hw_tree_line#* }
    hw_tree_put "$hw_tree_mode" "$hw_tree_old" "${hw_tree_line#* }" hw_tree_piece "${hw_tree_line%% *}" || return
  done
}

# hw_tree_put MODE OLD NAME CONTENT…: OLD is the size of the file that is there, or `absent`.
hw_tree_put() {
  hw_want_mode=00$1 hw_type=file hw_size=$2 hw_tree_name=$3
  [ "$2" != absent ] || hw_type=absent hw_size=0
  shift 3
  hw_replace "$hw_tree_root/${hw_tree_name#./}" "$@"
}

# hw_tree_piece SIZE: the next bytes of the pack.
hw_tree_piece() {
  [ "$1" -eq 0 ] || dd bs="$1" count=1 <&4 2>/dev/null
}

hw_tree_link() {
  hw_link_beside "$hw_tree_root/$1" "$2" && { [ -z "$hw_want_user$hw_want_group" ] ||
    chown -h -- "$hw_want_user${hw_want_group:+:$hw_want_group}" "$hw_temporary"; } || return
  # What is there is a link or nothing: mv would go into a directory that it leads to.
  rm -f -- "$hw_tree_root/$1" && mv -f -- "$hw_temporary" "$hw_tree_root/$1" && hw_temporary=''
}
