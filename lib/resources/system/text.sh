# shellcheck shell=sh
# text.sh: small text files that are a resource's own. What they are to be is an argument, and they are
# read by the shell itself: that takes no process.
# Needs: write made

# hw_read_text PATH: its text into hw_found; nothing where there is no file.
hw_read_text() {
  hw_found='' hw_line=''
  [ -e "$1" ] || return 0
  [ -f "$1" ] || hw_lacks gone "$1" "$1 is not a regular file" || return
  while IFS= read -r hw_line; do
    hw_found=$hw_found$hw_line$hw_newline
  done <"$1" || hw_fail "can't read $1" || return
  hw_found=$hw_found$hw_line
  hw_saw "text $1 $hw_found"
}

# hw_text PATH TEXT WORD [PERMS MODE]: the file PATH has this text; WORD says that it had another. Its mode
# is looked at only if it is given.
hw_text() {
  hw_want_perms=${4-} hw_want_mode=${5:+00$5} hw_want_user='' hw_want_group='' hw_validate=$hw_text_validate
  hw_said=
  if [ -n "$hw_text_take" ] && [ -L "$1" ]; then
    # The link itself is in the way, and not what it leads to.
    hw_sweep_beside "$1"
    hw_may_take "$1" "$hw_text_take" || return
    hw_saw "link $1"
    hw_path=$1 hw_said='in place of a link' hw_type=absent hw_size=0 hw_links=0
    hw_trust "${1%/*}" || return
  else
    hw_resolve "$1" && hw_finish_write && hw_read_text "$hw_path" || return
    if [ ! -e "$hw_path" ]; then
      hw_said=created
    elif [ "$hw_found" != "$2" ]; then
      [ -z "$hw_text_take" ] || hw_may_take "$1" "$hw_text_take" || return
      hw_said=$3
    elif [ -z "${4-}" ]; then
      return 0
    fi
    hw_stat "$hw_path" || return
    hw_trust "$1" || return
  fi
  [ -z "$hw_said" ] || { hw_also "$hw_said" && hw_note_links; }
  if [ -z "$hw_said" ]; then
    [ "$4" != "$hw_perms" ] || return 0
    hw_also mode
    [ -z "$hw_check" ] || return 0
    hw_act || return
    hw_apply_owner "$hw_path" || hw_fail "can't set the mode of $hw_path" || return
    hw_touch "$hw_path"
    return
  fi
  [ "$hw_text_shown" != "$1" ] || hw_show_text "$hw_path" "$2"
  [ -z "$hw_check" ] || return 0
  [ -z "$hw_text_take" ] || hw_note_made "$1" || return
  [ -z "$hw_text_before" ] || "$hw_text_before" || return
  hw_make_above "$hw_path" || return
  hw_replace "$hw_path" hw_put "$2"
}

# hw_show_text PATH TEXT: with --diff, the text that is there and the one to come.
hw_show_text() {
  [ -n "$hw_diff" ] || return 0
  hw_send_old "$1"
  hw_mark new
  hw_put "$2"
}

# hw_shown_text: as hw_text, for the file that a diff of the step is about. hw_text_validate is a command
# for it, as hw_validate is, for this once.
hw_shown_text() {
  hw_text_shown=$1
  hw_text "$@"
  hw_made=$?
  hw_text_shown='' hw_text_validate=''
  return "$hw_made"
}

# hw_own_text PATH TEXT WORD TAKE_OVER [PERMS MODE]: as hw_shown_text, of a file that is the resource's own as a
# whole: TAKE_OVER is `yes` or `no`, see hw_may_take.
hw_own_text() {
  hw_text_take=$4
  hw_shown_text "$1" "$2" "$3" "${5-}" "${6-}"
  hw_made=$?
  hw_text_take=
  return "$hw_made"
}

# hw_no_text PATH WORD [shown]: there is no such file.
hw_no_text() {
  hw_sweep_beside "$1"
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    hw_saw "absent $1"
    return 0
  fi
  hw_saw "there $1"
  hw_no_directory "$1" || return
  hw_also "$2"
  hw_trust "${1%/*}" || return
  [ -z "${3-}" ] || hw_send_old "$1"
  [ -z "$hw_check" ] || return 0
  hw_act || return
  [ ! -L "$1" ] || hw_touch_all
  hw_forget_made "$1" || return
  [ -z "$hw_text_before" ] || "$hw_text_before" || return
  rm -f -- "$1" || hw_fail "can't remove $1" || return
  hw_touch "$1"
}

# hw_first_line PATH: its first line that is not empty and no comment, without blanks around it, into
# hw_found; nothing where there is none.
hw_first_line() {
  hw_found=
  [ -f "$1" ] || return 0
  while read -r hw_line || [ -n "$hw_line" ]; do
    case $hw_line in
      '' | '#'*) ;;
      *)
        hw_found=$hw_line
        break
        ;;
    esac
  done <"$1" || hw_fail "can't read $1" || return
  hw_saw "line $1 $hw_found"
}

# hw_text_before is a function that is called before a text is replaced or removed.
hw_text_shown='' hw_text_validate='' hw_text_take='' hw_text_before=''
