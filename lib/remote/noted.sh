# shellcheck shell=sh
# noted.sh: what is to be known of a host in later runs: files with a line for each thing. One of them is of work that
# a resource has begun, of which its first part alone would look as if all were done: `begun`.
# Needs: write

# hw_find_note FILE START: the first line of FILE that begins with START; the rest of it into hw_found.
hw_find_note() {
  [ -f "$1" ] || return 1
  while IFS= read -r hw_line; do
    case $hw_line in
      "$2"*)
        hw_found=${hw_line#"$2"}
        return 0
        ;;
    esac
  done <"$1"
  return 1
}

# hw_is_noted FILE LINE
hw_is_noted() {
  [ -f "$1" ] || return 1
  while IFS= read -r hw_line; do
    [ "$hw_line" != "$2" ] || return 0
  done <"$1"
  return 1
}

# hw_add_note FILE LINE
hw_add_note() {
  { hw_private_directory "${1%/*}" && { [ -f "$1" ] || hw_private_file "$1"; } && hw_lines "$2" >>"$1"; } ||
    hw_fail "can't write $1"
}

# hw_drop_note FILE LINE
hw_drop_note() {
  hw_is_noted "$@" || return 0
  hw_new_file "$1" || return
  # On a full disk the last line alone may fit, or be the one to drop.
  hw_written=0
  while IFS= read -r hw_line; do
    [ "$hw_line" = "$2" ] || hw_lines "$hw_line" || hw_written=1
  done <"$1" >"$hw_temporary" && [ "$hw_written" -eq 0 ] && mv -f -- "$hw_temporary" "$1" || hw_give_up "can't write $1" || return
  hw_temporary=
}

# hw_was_begun WORK: whether an earlier run began it and did not come to its end. What stands behind WORK, and a
# blank, in its note, into hw_found. Users who have no bootstrap_dir keep theirs in their home.
hw_was_begun() {
  hw_begun_file=${hw_dir:-${HOME:-/nonexistent}/.cache/hostwright}/begun
  hw_find_note "$hw_begun_file" "$1 " && hw_saw "begun $1"
}

# hw_begin_work WORK [MORE]: it begins.
hw_begin_work() {
  ! hw_was_begun "$1" || hw_end_work "$1" || return
  hw_add_note "$hw_begun_file" "$1 ${2-}"
}

# hw_end_work WORK: it has ended.
hw_end_work() {
  ! hw_was_begun "$1" || hw_drop_note "$hw_begun_file" "$1 $hw_found"
}
