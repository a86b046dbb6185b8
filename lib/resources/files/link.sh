# shellcheck shell=sh
# link.sh: symbolic links.
# Needs: file

# hw_link PATH TARGET [force=] [user=] [group=]: a link to TARGET, whatever is there. `force`: also in place of
# a file.
hw_link() {
  hw_words 2 'force user group' "$@" || return
  hw_want_perms='' hw_want_mode='' hw_link_stays=''
  hw_saw "want $2"
  hw_sweep_beside "$1"
  if [ -L "$1" ]; then
    if ! hw_gathered link "$1"; then
      command -v readlink >/dev/null || hw_without readlink coreutils || return
      # What ends the name of its target is not to be lost.
      hw_found=$(readlink -- "$1" && echo .) || hw_fail "can't read the link $1" || return
      hw_found=${hw_found%"$hw_newline".}
    fi
    hw_saw "link $1 $hw_found"
    if [ "$hw_found" = "$2" ]; then hw_link_stays=1; else hw_also target; fi
    if [ -n "$hw_want_user$hw_want_group" ]; then
      hw_stat "$1" && hw_compare_owner || return
    fi
  elif [ -d "$1" ]; then
    hw_lacks gone "$1" "$1 is a directory, not a link"
    return
  elif [ -e "$1" ]; then
    [ -n "$hw_want_force" ] || hw_lacks gone "$1" "$1 exists and is not a link; force replaces it" || return
    hw_saw "no link $1"
    hw_also 'in place of a file'
  else
    hw_saw "absent $1"
    hw_also created
  fi
  [ "$hw_status" = changed ] || return 0
  hw_trust "${1%/*}" || return
  if [ -n "$hw_check" ]; then
    hw_has_place "$1"
    return
  fi
  # What is reached through it is something else from now on.
  hw_touch_all
  if [ -n "$hw_link_stays" ]; then
    hw_act || return
    hw_own_link "$1" || hw_fail "can't set the owner of $1"
    return
  fi
  hw_put_link "$1" "$2" || hw_give_up "can't make the link $1"
}

# hw_gather_link IDS PATH…: the targets of those that are links, by one process. Where a name holds the end
# of a line, or readlink takes one name only (busybox), nothing is known, and each step looks for itself.
hw_gather_link() {
  hw_found_ids=$1 hw_keys=''
  shift
  for hw_path in "$@"; do
    shift
    hw_key=${hw_found_ids%% *} hw_found_ids=${hw_found_ids#* }
    [ ! -L "$hw_path" ] || { set -- "$@" "$hw_path" && hw_keys="$hw_keys $hw_key"; }
  done
  [ $# -gt 1 ] && hw_list=$(readlink -- "$@" 2>/dev/null && echo .) || return 0
  hw_list=${hw_list%.}
  case $hw_newline$hw_list in *"$hw_newline$hw_newline"*) return 0 ;; esac
  hw_rest=$hw_list
  for hw_path in "$@"; do
    hw_rest=${hw_rest#*"$hw_newline"}
  done
  # As many lines as names: an end of line within one is followed by more.
  [ -z "$hw_rest" ] || return 0
  for hw_key in $hw_keys; do
    eval "hw_link_$hw_key=\${hw_list%%\"\$hw_newline\"*}"
    hw_list=${hw_list#*"$hw_newline"}
  done
}

# hw_put_link PATH TARGET: at once, so that there is a link at any moment.
hw_put_link() {
  [ -d "${1%/*}/" ] || hw_fail "there is no directory ${1%/*}" || return
  hw_link_beside "$1" "$2" && hw_own_link "$hw_temporary" && hw_act || return
  if [ -d "$1" ]; then
    # It is a link to a directory: mv would go into it, where it has no -T.
    mv -f -T -- "$hw_temporary" "$1" 2>/dev/null || { rm -f -- "$1" && mv -f -- "$hw_temporary" "$1"; } || return
  else
    mv -f -- "$hw_temporary" "$1" || return
  fi
  hw_temporary=
}

# hw_link_beside PATH TARGET: a link to TARGET, under a name beside PATH, into hw_temporary. It is a link: within a
# directory of that name ln would make one, and that directory would become PATH.
hw_link_beside() {
  hw_name_beside "$1"
  hw_temporary=$hw_beside
  ln -s -- "$2" "$hw_temporary" && [ -L "$hw_temporary" ] && hw_label "$hw_temporary" "$1" symlink
}

hw_own_link() {
  [ -z "$hw_want_user$hw_want_group" ] || chown -h -- "$hw_want_user${hw_want_group:+:$hw_want_group}" "$1"
}

# hw_no_link PATH: no link of this name; what it points to stays.
hw_no_link() {
  hw_sweep_beside "$1"
  hw_absent_already "$1" && return
  [ -L "$1" ] || hw_fail "$1 exists and is not a link" || return
  [ -z "$hw_plan" ] || hw_saw "link $1 $(readlink -- "$1")"
  hw_also removed
  hw_trust "${1%/*}" || return
  [ -z "$hw_check" ] || return 0
  hw_act || return
  rm -f -- "$1" || hw_fail "can't remove $1" || return
  hw_touch_all
}
