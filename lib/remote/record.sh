# shellcheck shell=sh
# record.sh: writing the dynamic state.
# Needs: write

# hw_write_state NAME content=: the state file NAME becomes what the function `content` prints. No
# change is reported: this is the run's own book-keeping.
hw_write_state() {
  hw_words 1 content "$@" || return
  hw_record "$1" "$hw_want_content"
}

# hw_drop_state NAME: the state file NAME is gone, on the disk too.
hw_drop_state() {
  rm -f -- "$hw_dir/$1" && hw_flush "$hw_dir/${1%/*}" || hw_fail "can't remove $hw_dir/$1"
}

# hw_record NAME COMMAND…: the state file NAME becomes what COMMAND prints: whole or not at all, and on the disk
# before anything after it begins.
hw_record() {
  hw_record_path=$hw_dir/$1
  shift
  hw_make_dir || return
  hw_private_directory "${hw_record_path%/*}" || return
  hw_new_file "$hw_record_path" || return
  { "$@" >"$hw_temporary" && hw_no_directory "$hw_record_path" && hw_place_durably "$hw_temporary" "$hw_record_path"; } ||
    hw_give_up "can't write $hw_record_path" || return
  hw_temporary=
}

# hw_place_durably FILE PATH: FILE becomes PATH. A power cut leaves the old one or the new one.
hw_place_durably() {
  hw_flush "$1" && mv -f -- "$1" "$2" && hw_flush "${2%/*}"
}

# hw_flush PATH…: what was written to these files and directories is on the disk. A sync that knows no paths writes all
# there is, or refuses them.
hw_flush() {
  sync -- "$@" 2>/dev/null || sync
}
