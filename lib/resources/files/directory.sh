# shellcheck shell=sh
# directory.sh: directories, and all that is in them.
# Needs: file

# hw_directory PATH [perms=] [mode=] [user=] [group=]: a directory, with those above it.
hw_directory() {
  hw_words 1 'perms mode user group' "$@" || return
  hw_put_directory "$1"
}

hw_put_directory() {
  hw_want_mode=${hw_want_mode:+00$hw_want_mode}
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    directory) hw_compare_owner ;;
    absent)
      hw_also created
      hw_know_mode rwxr-xr-x directory
      ;;
    *) hw_lacks gone "$1" "$1 is not a directory" || return ;;
  esac
  [ "$hw_status" = changed ] || return 0
  hw_trust "$1" || return
  if [ -n "$hw_check" ]; then
    hw_has_owners
    return
  fi
  if [ "$hw_type" = absent ]; then
    hw_make_directory "$hw_path"
    return
  fi
  hw_act || return
  hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
  hw_touch "$hw_path"
}

# hw_make_directory PATH: under another name until it has its owner and mode: one that has neither is never there,
# nor left by a run that fails or is cut off, as the next one would find it as wanted.
hw_make_directory() {
  hw_make_above "$1" || return
  hw_want_mode=${hw_want_mode:-00755}
  case $hw_want_user$hw_want_group$hw_want_mode in
    00[0-7][0-7][0-7] | 000[0-7][0-7][0-7])
      # Where it may have a label, that comes before its name too.
      if ! hw_has_selinux && hw_is_plain "${1%/*}"; then
        # It is made with its mode.
        { hw_act && mkdir -m "$hw_want_mode" -- "$1"; } || hw_fail "can't make $1" || return
        hw_touch "$1"
        return
      fi
      ;;
  esac
  hw_make_stage "$1" || hw_fail "can't make $1" || return
  hw_label "$hw_stage" "$1" dir
  { hw_apply_owner "$hw_stage" && hw_act && mv -- "$hw_stage" "$1"; } || {
    hw_drop_stage
    hw_fail "can't make $1 with that owner and mode"
  } || return
  hw_stage=
  hw_touch "$1"
}

# hw_directory_all PATH [perms=] [mode=] [user=] [group=] [file_mode=]: as hw_directory, and the same owner,
# group and mode for all directories below it, `file_mode` for regular files. One process looks, however many
# there are. Links are not followed: of a link only the owner and group are its own.
hw_directory_all() {
  hw_words 1 'perms mode user group file_mode' "$@" || return
  hw_dir_mode=$hw_want_mode hw_file_mode=$hw_want_file_mode hw_all_named=$1
  hw_put_directory "$1" || return
  # One that was made just now has nothing in it.
  [ "$hw_type" = directory ] || return 0
  command -v find >/dev/null || hw_without find findutils || return
  set --
  [ -z "$hw_want_user" ] || set -- "$@" -o ! -user "$hw_want_user"
  [ -z "$hw_want_group" ] || set -- "$@" -o ! -group "$hw_want_group"
  case $hw_dir_mode in
    '') ;;
    *' '*)
      hw_rule=${hw_dir_mode#* }
      hw_rule_words "${hw_rule%% *}"
      # shellcheck disable=SC2086 # words of find
      [ -z "$hw_differs" ] || set -- "$@" -o -type d \( $hw_differs \)
      ;;
    *) set -- "$@" -o -type d ! -perm "$hw_dir_mode" ;;
  esac
  case $hw_file_mode in
    '') ;;
    *' '*)
      hw_rule=${hw_file_mode#* * }
      hw_rule_words "${hw_rule% *}"
      # shellcheck disable=SC2086
      [ -z "$hw_differs" ] || set -- "$@" -o -type f ! -perm -0100 ! -perm -0010 ! -perm -0001 \( $hw_differs \)
      hw_rule_words "${hw_rule#* }"
      # shellcheck disable=SC2086
      [ -z "$hw_differs" ] || set -- "$@" -o -type f \( -perm -0100 -o -perm -0010 -o -perm -0001 \) \( $hw_differs \)
      ;;
    *) set -- "$@" -o -type f ! -perm "$hw_file_mode" ;;
  esac
  # Letters may leave everything as it is.
  [ $# -gt 0 ] || return 0
  shift
  # shellcheck disable=SC2016 # for the inner shell
  if ! hw_found=$(hw_find_below \( "$@" \) -exec sh -c 'echo $#' sh {} +); then
    # With --check an earlier step would have made the user.
    hw_explained=
    { [ -n "$hw_check" ] && hw_has_owners && [ -n "$hw_explained" ]; } || hw_fail "can't look at all in $hw_path" || return
    hw_also 'what is in it'
    return 0
  fi
  hw_count=0
  for hw_each in $hw_found; do hw_count=$((hw_count + hw_each)); done
  hw_saw "below $hw_count"
  [ "$hw_count" -gt 0 ] || return 0
  hw_also "$hw_count in it"
  hw_trust "$hw_all_named" || return
  [ -z "$hw_check" ] || return 0
  hw_act || return
  # Failures are reported below.
  hw_touch_all
  hw_apply_below || hw_fail "can't set owner or mode of all in $hw_path"
}

# hw_find_below EXPRESSION…: find, of all in hw_path but itself.
hw_find_below() (
  cd -- "$hw_path" || exit
  find . ! -name . "$@"
)

# hw_apply_below: only to those that differ: of the others the time of change stays. Owners first: chown
# may clear the set-id bits. Directories from below: one may be closed to us by its new mode.
hw_apply_below() {
  if [ -n "$hw_want_user" ]; then
    hw_find_below ! -user "$hw_want_user" -exec chown -h -- "$hw_want_user" {} + || return
  fi
  if [ -n "$hw_want_group" ]; then
    hw_find_below ! -group "$hw_want_group" -exec chgrp -h -- "$hw_want_group" {} + || return
  fi
  case $hw_file_mode in
    '') ;;
    *' '*)
      # Of the first it may make the second.
      hw_rule=${hw_file_mode#* * }
      set -- "${hw_rule% *}" "${hw_rule#* }"
      hw_rule_words "$2"
      hw_apply_rule -type f \( -perm -0100 -o -perm -0010 -o -perm -0001 \) || return
      hw_rule_words "$1"
      hw_apply_rule -type f ! -perm -0100 ! -perm -0010 ! -perm -0001 || return
      ;;
    *) hw_find_below -type f ! -perm "$hw_file_mode" -exec chmod -- "00$hw_file_mode" {} + || return ;;
  esac
  case $hw_dir_mode in
    '') ;;
    *' '*)
      hw_rule=${hw_dir_mode#* }
      hw_rule_words "${hw_rule%% *}"
      hw_apply_rule -depth -type d
      ;;
    *) hw_find_below -depth -type d ! -perm "$hw_dir_mode" -exec chmod -- "00$hw_dir_mode" {} + ;;
  esac
}

# hw_apply_rule EXPRESSION…: what hw_rule_words said, to those that differ.
hw_apply_rule() {
  # shellcheck disable=SC2086 # words of find
  [ -z "$hw_differs" ] || hw_find_below "$@" \( $hw_differs \) -exec chmod -- "$hw_makes" {} +
}

# hw_rule_words RULE: of a rule of hw_know_mode that copies nothing: words of find for what is not so into hw_differs, empty if
# all is, and what chmod is to do into hw_makes.
hw_rule_words() {
  hw_differs='' hw_makes='' hw_rest=$1
  for hw_each in 4000=u,s 2000=g,s 1000=,t 0400=u,r 0200=u,w 0100=u,x 0040=g,r 0020=g,w 0010=g,x 0004=o,r 0002=o,w 0001=o,x; do
    hw_line=${hw_each#*=}
    case $hw_rest in
      1*) hw_differs="$hw_differs -o ! -perm -${hw_each%=*}" hw_makes="$hw_makes,${hw_line%,*}+${hw_line#*,}" ;;
      0*) hw_differs="$hw_differs -o -perm -${hw_each%=*}" hw_makes="$hw_makes,${hw_line%,*}-${hw_line#*,}" ;;
    esac
    hw_rest=${hw_rest#?}
  done
  hw_differs=${hw_differs# -o } hw_makes=${hw_makes#,}
}

# hw_remove_tree PATH: no directory of this name, nor what is in it. Of a link the link goes, and what it
# points to stays.
hw_remove_tree() {
  hw_sweep_beside "$1"
  hw_absent_already "$1" && return
  if [ -L "$1" ]; then
    hw_saw "link $1"
  else
    [ -d "$1" ] || hw_fail "$1 is not a directory" || return
    hw_path=$(cd -P -- "$1" && pwd -P) || hw_fail "can't look at $1" || return
    # bash has two slashes where a link leads to /.
    while [ "${hw_path#//}" != "$hw_path" ]; do hw_path=${hw_path#/}; done
    hw_saw "directory $hw_path"
    hw_may_remove || return
  fi
  hw_also removed
  hw_trust "${1%/*}" || return
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  rm -rf -- "$1" || hw_fail "can't remove all of $1"
}

# hw_may_remove: fails where hw_path, which has no links in it, is nothing that a recipe takes away: the
# system's own, what holds our state, or what another file system is mounted in.
hw_may_remove() {
  case $hw_path in
    /*/*) ;;
    *) hw_fail "$hw_path is a directory of the system: it is not removed" || return ;;
  esac
  case $hw_path in
    /dev/* | /proc/* | /sys/*) hw_fail "$hw_path is the system's own: it is not removed" || return ;;
    /*/*/*) ;;
    /usr/* | /boot/* | /var/lib | /var/log | /var/cache | /var/spool | /var/mail | /var/tmp | /var/run | /var/lock)
      hw_fail "$hw_path is a directory of the system: it is not removed" || return
      ;;
  esac
  case $hw_dir/ in
    "$hw_path"/*) hw_fail "$hw_path holds what hostwright knows of this host: it is not removed" || return ;;
  esac
  [ -r /proc/self/mounts ] || return 0
  # shellcheck disable=SC2034 # the rest of each line
  while read -r hw_each hw_mount hw_rest; do
    # Blanks are written as \040.
    # shellcheck disable=SC2059
    case $hw_mount in *\\*) hw_mount=$(printf "$hw_mount") ;; esac
    case $hw_mount/ in
      "$hw_path"/*) hw_fail "$hw_mount is mounted within $hw_path: unmount it first" || return ;;
    esac
  done </proc/self/mounts
}
