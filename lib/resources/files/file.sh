# shellcheck shell=sh
# file.sh: files and directories as resources.
# Needs: write made

# hw_file PATH [sum=] [from=] [once=] [perms=] [mode=] [user=] [group=] [validate=] [backup=] [in_place=] [take_over=] [large=] [content=]: a regular
# file. `sum` is the SHA-256 of the wanted content; any will do without. Where the content differs and
# `content` (a function that prints it, or the path of a file that came in for it) was not sent yet, the step
# asks for it: status need. With `take_over` (`yes` or `no`, see hw_may_take) a link is not followed. `backup` keeps the file that is replaced, `large` shows no texts.
# `from` is a file of the host whose content is wanted. With `once` the content of a file that is there is not looked at.
hw_file() {
  hw_words 1 'sum from once perms mode user group validate backup in_place take_over large content' "$@" || return
  hw_want_mode=${hw_want_mode:+00$hw_want_mode} hw_validate=$hw_want_validate
  hw_in_place=${hw_want_in_place:-${hw_want_take_over:+mounted}}
  hw_saw "want $hw_want_sum"
  if [ -n "$hw_want_take_over" ] && [ -L "$1" ]; then
    # The link itself is in the way, and not what it leads to.
    hw_sweep_beside "$1"
    hw_may_take "$1" "$hw_want_take_over" || return
    hw_saw "link $1"
    hw_path=$1 hw_type=absent hw_size=0 hw_links=0
  else
    hw_resolve "$1" && hw_finish_write && hw_stat "$hw_path" || return
  fi
  if [ -n "$hw_want_from" ] && { [ -z "$hw_want_once" ] || [ "$hw_type" = absent ]; }; then
    hw_know_source || return
  fi
  case $hw_type in
    file) hw_compare_owner ;;
    absent)
      [ -n "$hw_want_sum" ] || hw_lacks path "$hw_path" "$1 does not exist, and there is no content to create it with" || return
      hw_also created
      ;;
    *) hw_lacks gone "$1" "$1 is not a regular file" || return ;;
  esac
  hw_new_content=
  if [ "$hw_type" = absent ]; then
    hw_new_content=1
  elif [ -n "$hw_want_sum" ] && [ -z "$hw_want_once" ]; then
    hw_sum "$hw_path" || return
    if [ "$hw_found" != "$hw_want_sum" ]; then
      [ -z "$hw_want_take_over" ] || hw_may_take "$1" "$hw_want_take_over" || return
      hw_new_content=1
      hw_note="content${hw_note:+, $hw_note}" hw_status=changed
      hw_note_links
    fi
  fi
  [ "$hw_status" = changed ] || return 0
  if [ -L "$hw_path" ]; then hw_trust "${1%/*}"; else hw_trust "$1"; fi || return
  [ -z "$hw_want_from" ] || [ -z "$hw_new_content" ] || hw_trust "$hw_want_from" || return
  if [ -n "$hw_check" ]; then
    hw_has_place "$hw_path" || return
    [ -z "$hw_new_content" ] || hw_send_shown "$hw_path" || return
  elif [ -z "$hw_new_content" ]; then
    hw_act || return
    hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
    hw_touch "$hw_path"
  elif [ -z "$hw_want_content" ]; then
    hw_status=need hw_note=
  else
    [ -z "$hw_want_take_over" ] || hw_note_made "$1" || return
    hw_send_shown "$hw_path"
    hw_backup=$hw_want_backup
    hw_put_file "$hw_path" "$hw_want_content"
    set -- $?
    hw_backup=
    return "$1"
  fi
}

# hw_put_file PATH CONTENT: what came in is taken away once it is in its place, and not before: where
# something is wrong with its place, it need not be sent again.
hw_put_file() {
  case $2 in
    /*) hw_replace "$1" cat -- "$2" && hw_drop_incoming "$2" ;;
    *) hw_replace "$@" ;;
  esac
}

# hw_send_shown PATH: as hw_send_old, unless the new text is too large to be shown beside it; that of a file of this
# host with it.
hw_send_shown() {
  [ -n "$hw_diff" ] && [ -z "$hw_want_large" ] || return 0
  if [ -n "$hw_want_from" ]; then
    hw_found=$(wc -c <"$hw_want_from") || hw_fail "can't read $hw_want_from" || return
    [ "$hw_found" -le 1048576 ] && [ "${hw_size:-0}" -le 1048576 ] || return 0
    hw_send_old "$1"
    hw_mark new
    hw_copied
  else
    hw_send_old "$1"
  fi
}

# hw_know_source: what is in hw_want_from is what is wanted; a file that is made gets its mode too, as by cp.
hw_know_source() {
  if [ ! -f "$hw_want_from" ]; then
    [ ! -e "$hw_want_from" ] || hw_fail "$hw_want_from is not a regular file" || return
    hw_lacks path "$hw_want_from" "$hw_want_from does not exist" || return
  fi
  if ! hw_gathered sum_from "$hw_want_from"; then
    [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
    # shellcheck disable=SC2086 # the program and its options
    hw_found=$($hw_sha <"$hw_want_from") || hw_fail "can't read $hw_want_from" || return
  fi
  hw_want_sum=${hw_found%% *} hw_want_content=hw_copied
  hw_saw "sum $hw_want_from $hw_want_sum"
  [ "$hw_type" = absent ] && [ -z "$hw_want_mode" ] || return 0
  # shellcheck disable=SC2012 # stat is not everywhere
  hw_found=$(ls -ldL -- "$hw_want_from") || hw_fail "can't look at $hw_want_from" || return
  # Without the special bits, and write permission of others.
  hw_want_mode='source 000defg0ij0l 000defg0ij0l 000defg0ij0l' hw_found=${hw_found#?}
  hw_know_mode "${hw_found%"${hw_found#?????????}"}" file
}

# hw_copied: prints the file of this host whose content is wanted.
hw_copied() {
  cat -- "$hw_want_from"
}

# hw_no_file PATH [backup=]: no file and no link of this name; what a link points to stays.
hw_no_file() {
  hw_words 1 backup "$@" || return
  hw_sweep_beside "$1"
  hw_absent_already "$1" && return
  hw_stat "$1" || return
  [ "$hw_type" != directory ] || hw_fail "$1 is a directory, not a file" || return
  [ -z "$hw_plan" ] || [ "$hw_type" != file ] || hw_sum "$1" || return
  hw_also removed
  hw_trust "${1%/*}" || return
  [ "$hw_type" != file ] || hw_send_old "$1"
  [ -z "$hw_check" ] || return 0
  hw_act || return
  [ -z "$hw_want_backup" ] || hw_keep_old "$1" || return
  # What was reached through a link is there no more.
  [ "$hw_type" != link ] || hw_touch_all
  hw_forget_made "$1" || return
  rm -f -- "$1" || hw_fail "can't remove $1" || return
  hw_touch "$1"
}

# hw_absent_already PATH: whether nothing is there, not even a link that leads nowhere.
hw_absent_already() {
  [ ! -e "$1" ] && [ ! -L "$1" ] && hw_saw "absent $1"
}
