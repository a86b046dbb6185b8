# shellcheck shell=sh
# package-repo.sh: a file that names a repository of packages, and one with the key that signs it. The
# package steps after it fetch its index first, of this run or, if that fails, of a later one: until then a
# note is beside the file, which neither apt nor dnf reads.
# Needs: write made

# hw_repo FILE TEXT KEY SUM [CONTENT]: with hw_want_take_over as of hw_may_take. FILE holds TEXT, and KEY what CONTENT prints, whose SHA-256 is SUM;
# KEY is empty where there is none, or it is somebody else's business.
hw_repo() {
  hw_repo_file=$1 hw_repo_text=$2 hw_repo_key=$3 hw_new_key='' hw_new_text=''
  hw_want_perms=rw-r--r-- hw_want_mode=00644 hw_want_user='' hw_want_group=''
  hw_validate='' hw_guard='' hw_backup=''
  if [ -n "$3" ]; then
    hw_repo_look "$3" || return
    if [ "$hw_type" = file ]; then
      hw_sum "$3" || return
      [ "$hw_found" = "$4" ] || { hw_may_take "$3" "$hw_want_take_over" && hw_new_key=1; } || return
    else
      hw_new_key=1
    fi
    hw_compare_key=$hw_note hw_note=
    [ -z "$hw_compare_key" ] || hw_new_key=1
    [ -z "$hw_new_key" ] || hw_also key
  fi
  hw_repo_look "$1" || return
  if [ "$hw_type" = absent ]; then
    hw_also created
    hw_new_text=1
  else
    hw_repo_read "$1"
    [ "$hw_found" = "$2" ] || { hw_may_take "$1" "$hw_want_take_over" && hw_also content; } || return
    case $hw_note in '' | key) ;; *) hw_new_text=1 ;; esac
  fi
  if [ -n "$hw_diff" ] && [ -n "$hw_new_text" ]; then
    hw_send_old "$1"
    hw_mark new
    hw_put "$2"
  fi
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  if [ -n "$hw_new_key" ] && [ -z "${5-}" ]; then
    hw_status=need hw_note=
    return
  fi
  [ -z "$hw_new_key" ] || hw_note_made "$3" || return
  [ -z "$hw_new_text" ] || hw_note_made "$1" || return
  hw_act && hw_make_above "$1" || return
  hw_index_note "$1"
  case $hw_newline$2 in
    *"${hw_newline}enabled=0"* | *"${hw_newline}Enabled: no"*) rm -f -- "$hw_index_note" ;;
    # It has nothing in it, but is for nobody else to write either.
    *)
      [ -e "$hw_index_note" ] || { true >"$hw_index_note" && chmod 644 -- "$hw_index_note"; } ||
        hw_fail "can't write $hw_index_note" || return
      ;;
  esac
  if [ -n "$hw_new_key" ]; then
    hw_make_above "$3" || return
    hw_repo_stat "$3" && hw_replace "$3" "$5" || return
  fi
  hw_want_mode=00644
  [ -z "$hw_new_text" ] || { hw_repo_stat "$1" && hw_replace "$1" hw_put "$2"; }
}

# hw_index_note FILE: the name of its note into hw_index_note.
hw_index_note() {
  hw_index_note=${1%/*}/.${1##*/}.index-due
}

# hw_repo_look PATH: its state, which is a file's or none.
hw_repo_look() {
  hw_sweep_beside "$1"
  [ ! -L "$1" ] || hw_may_take "$1" "$hw_want_take_over" || return
  hw_repo_stat "$1" || return
  case $hw_type in
    absent) ;;
    file) hw_compare_owner ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
}

# hw_repo_stat PATH: as hw_stat; in place of a link comes a file.
hw_repo_stat() {
  if [ -L "$1" ]; then
    hw_saw "link $1"
    hw_type=absent hw_size=0 hw_links=0
  else
    hw_stat "$1"
  fi
}

# hw_repo_read PATH: what the file holds into hw_found, with no process.
hw_repo_read() {
  hw_found=
  while IFS= read -r hw_line; do
    hw_found=$hw_found$hw_line$hw_newline
  done <"$1"
  hw_found=$hw_found$hw_line
  hw_saw "$hw_found"
}

# hw_repo_absent FILE KEY…: none of them is there.
hw_repo_absent() {
  hw_pending=
  for hw_each in "$@"; do
    hw_sweep_beside "$hw_each"
    [ -e "$hw_each" ] || [ -L "$hw_each" ] || continue
    hw_saw "exists $hw_each"
    [ -n "$hw_pending" ] || hw_also removed
    hw_pending=1
  done
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_index_note "$1"
  for hw_made in "$@"; do
    hw_touch "$hw_made"
    hw_forget_made "$hw_made" || return
  done
  rm -f -- "$@" "$hw_index_note" || hw_fail "can't remove $1"
}
