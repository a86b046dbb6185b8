# shellcheck shell=sh
# edit.sh: text files that are edited on the controller: json, yaml, toml. The host sends the text, the
# controller answers what it becomes, and that is written only if the text is still what was sent.
# Needs: write

# hw_gather_text IDS PATH…: send what is there, for the steps IDS.
hw_gather_text() {
  hw_found_ids="$1 "
  shift
  for hw_path in "$@"; do
    hw_key=${hw_found_ids%% *} hw_found_ids=${hw_found_ids#* }
    # A pipe would be waited for; the step reports what is not a file.
    if hw_is_unfinished "$hw_path"; then
      continue
    elif [ -f "$hw_path" ] && [ -r "$hw_path" ]; then
      hw_mark text "$hw_key"
      cat -- "$hw_path" || continue
    elif [ ! -e "$hw_path" ] && [ ! -L "$hw_path" ]; then
      hw_mark absent "$hw_key"
    else
      continue
    fi
    eval "hw_text_$hw_key=sent"
  done
}

# hw_edit PATH key= [perms=] [mode=] [user=] [group=] [validate=] [in_place=] [private=] [how=] [before=] [note=] [content=]: `key` is not read: it distinguishes one
# edit from others. A file that is made is for its owner alone if it is `private`,
# unless its mode is given. With an answer: `before` is
# the SHA-256 of the text it is for, or `absent`; `how` is `asked` where this step sent that text, `gathered`
# where it was sent when the segment began; `content` prints what the file becomes, and `note` says what
# changes. Without `content` the file is as wanted.
hw_edit() {
  hw_words 1 'key perms mode user group validate in_place private how before note content' "$@" || return
  hw_want_mode=${hw_want_mode:+00$hw_want_mode} hw_validate=$hw_want_validate hw_in_place=$hw_want_in_place
  hw_answer=$hw_want_how hw_before=$hw_want_before hw_edit_named=$1
  hw_resolve "$1" && hw_finish_write || return
  # What it becomes then is not there yet.
  [ -z "$hw_check" ] || [ "$hw_status" != changed ] || return 0
  [ -z "$hw_plan" ] || [ ! -f "$hw_path" ] || hw_sum "$hw_path" || return
  if hw_gathered text "$hw_path"; then
    if [ -z "$hw_answer" ]; then
      hw_status=need
      return
    fi
    # Nothing was touched since: what was as wanted then is so now.
    if [ "$hw_answer" = gathered ] && [ -z "$hw_want_content" ]; then
      hw_keep_owner "$1"
      return
    fi
  fi
  hw_stat "$hw_path" || return
  case $hw_type in
    file | absent) ;;
    *) hw_lacks gone "$hw_path" "$hw_path is not a regular file" || return ;;
  esac
  [ -z "$hw_want_content" ] || hw_trust "$1" || return
  case $hw_answer in
    '') hw_send_text ;;
    asked) hw_same_text "$hw_path" && hw_edit_to ;;
    *)
      hw_text_sum "$hw_path" || return
      if [ "$hw_now" = "$hw_before" ]; then hw_edit_to; else hw_send_text; fi
      ;;
  esac
}

hw_send_text() {
  hw_status=need
  if [ "$hw_type" = absent ]; then
    hw_mark absent
  else
    hw_mark text
    cat -- "$hw_path" || hw_fail "can't read $hw_path"
  fi
}

# hw_edit_to: hw_path becomes what the answer says.
hw_edit_to() {
  if [ -z "$hw_want_content" ]; then
    hw_keep_owner "$hw_edit_named"
    return
  fi
  [ "$hw_type" = file ] || hw_also created
  hw_also "$hw_want_note"
  [ "$hw_type" = absent ] || hw_compare_owner
  hw_note_links
  [ -z "$hw_check" ] || hw_has_place "$hw_path" || return
  if [ -n "$hw_diff" ]; then
    hw_send_old "$hw_path"
    hw_mark new
    "$hw_want_content"
  fi
  [ -z "$hw_check" ] || return 0
  [ -z "$hw_want_private" ] || [ "$hw_type" = file ] || hw_keep_private
  hw_guard=hw_same_text
  hw_replace "$hw_path" "$hw_want_content"
  hw_edited=$? hw_guard=''
  return "$hw_edited"
}

# hw_text_sum PATH: the SHA-256 of what is there into hw_now, or `absent`.
hw_text_sum() {
  hw_now=absent
  [ -e "$1" ] || return 0
  [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
  # shellcheck disable=SC2086 # the program and its options
  hw_now=$($hw_sha <"$1") || hw_fail "can't read $1" || return
  hw_now=${hw_now%% *}
}

# hw_same_text PATH: fails unless it is what the controller was sent.
hw_same_text() {
  hw_text_sum "$1" || return
  [ "$hw_now" = "$hw_before" ] ||
    hw_fail "$1 changed between being read and being written: it stays as it is now" edit_conflict
}
