# shellcheck shell=sh
# record.sh: writing the dynamic state.
# Needs: write

# hw_write_state NAME content=: the state file NAME becomes what the function `content` prints. No
# change is reported: this is the run's own book-keeping.
hw_write_state() {
  hw_words 1 content "$@" || return
  hw_make_dir || return
  case $1 in
    */*) hw_private_directory "$hw_dir/${1%/*}" || return ;;
  esac
  hw_new_file "$hw_dir/$1" || return
  { "$hw_want_content" >"$hw_temporary" && hw_no_directory "$hw_dir/$1" && mv -f -- "$hw_temporary" "$hw_dir/$1"; } ||
    hw_give_up "can't write $hw_dir/$1" || return
  hw_temporary=
}
