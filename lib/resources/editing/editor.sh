# shellcheck shell=sh
# editor.sh: text files edited on the host, line by line. The work is that of awk programs: the frame,
# editor.awk, whose text is in $hw_editor_awk, and one for each kind of file: ini.awk, line.awk …
# Needs: write

# hw_gather_editors IDS EDITOR PATH …: reads requests (see editor.awk) of all steps of a segment from standard
# input and notes, with one process for all, which of the files PATH are as wanted already.
hw_gather_editors() {
  hw_found_ids=$1 hw_editors=' '
  shift
  while [ $# -gt 0 ]; do
    case $hw_editors in *" $1 "*) ;; *) hw_editors="$hw_editors$1 " ;; esac
    # Reading a pipe would wait for ever; what can't be read is not empty. The step reports that.
    [ -f "$2" ] && [ -r "$2" ] || [ ! -e "$2" ] || return 0
    shift 2
  done
  # Without it there is a step to say so.
  command -v awk >/dev/null || return 0
  hw_editor_program "$hw_editors"
  # shellcheck disable=SC2013 # a word a line
  for hw_line in $(awk -v mode=check -v ids="$hw_found_ids" "$hw_program"); do
    eval "hw_editor_${hw_line%%=*}=\${hw_line#*=}"
  done
}

# hw_editor_program EDITORS: the awk program for these editors into hw_program.
hw_editor_program() {
  hw_program=$hw_editor_awk hw_asked='' hw_planned=''
  for hw_each in $1; do
    eval "hw_program=\$hw_program\$hw_newline\$hw_${hw_each}_awk"
    hw_asked="$hw_asked if (editor == \"$hw_each\") ${hw_each}_request(kind, rest);"
    hw_planned="$hw_planned if (editor == \"$hw_each\") ${hw_each}_plan();"
  done
  hw_program="$hw_program
function run_request() {$hw_asked }
function run_plan() {$hw_planned }"
}

# hw_editor EDITOR PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [there=] [-- REQUEST…]:
# the requests are the lines that EDITOR.awk reads. With `there` no file is made: it must exist. One that is made is for its owner alone if it is `private`,
# unless its mode is given.
hw_editor() {
  hw_words 2 'perms mode user group private validate in_place there' "$@" || return
  hw_want_mode=${hw_want_mode:+00$hw_want_mode} hw_validate=$hw_want_validate hw_in_place=$hw_want_in_place
  hw_resolve "$2" && hw_finish_write || return
  hw_editor=$1 hw_editor_named=$2
  shift "$hw_skip"
  IFS=$hw_newline
  hw_requests="$*" hw_trusted=''
  IFS=" 	$hw_newline"
  if [ -n "$hw_plan" ]; then
    if [ -f "$hw_path" ]; then hw_sum "$hw_path" || return; else hw_saw "no file $hw_path"; fi
  fi
  if hw_gathered editor "$hw_path" && [ "$hw_found" = same ]; then
    hw_keep_owner "$hw_editor_named"
    return
  fi
  command -v awk >/dev/null || hw_without awk mawk || return
  hw_stat "$hw_path" || return
  case $hw_type in
    file) [ -r "$hw_path" ] || hw_fail "can't read $hw_path" || return ;;
    absent)
      [ -z "$hw_want_there" ] || hw_lacks path "$hw_path" "$hw_editor_named does not exist" || return
      [ -z "$hw_want_private" ] || hw_keep_private
      ;;
    *) hw_lacks gone "$hw_path" "$hw_path is not a regular file" || return ;;
  esac
  hw_editor_program "$hw_editor"
  hw_found=$(hw_editor_run list) || hw_editor_again $? || return
  if [ -z "$hw_found" ]; then
    hw_keep_owner "$hw_editor_named"
    return
  fi
  [ "$hw_type" = file ] || hw_also created
  hw_also "$hw_found"
  [ "$hw_type" = absent ] || hw_compare_owner
  hw_note_links
  hw_trust "$hw_editor_named" || return
  [ -z "$hw_check" ] || hw_has_place "$hw_path" || return
  if [ -n "$hw_diff" ]; then
    hw_send_old "$hw_path"
    hw_mark new
    hw_editor_run edit
  fi
  [ -n "$hw_check" ] || hw_replace "$hw_path" hw_whole hw_editor_run edit
}

# hw_editor_run MODE: run the editor on hw_path.
hw_editor_run() {
  awk -v mode="$1" -v size="$hw_size" -v trusted="$hw_trusted" "$hw_program" <<EOF
F $hw_editor $hw_path
$hw_requests
EOF
}

# hw_editor_again STATUS: what to do when awk ended with STATUS. It is 3 where awk does not know whether it
# read all: list again if the file holds no NUL.
hw_editor_again() {
  [ "$1" -eq 3 ] || hw_editor_refused "$1" || return
  [ "$(tr -d '\000' <"$hw_path" | wc -c)" -eq "$hw_size" ] || hw_editor_refused 3 || return
  hw_trusted=1
  hw_found=$(hw_editor_run list) || hw_editor_refused $?
}

# hw_editor_refused STATUS: why awk did not edit the file.
hw_editor_refused() {
  case $1 in
    3) hw_fail "$hw_path: it holds NUL bytes, as UTF-16 does: only text that is ASCII or like it can be edited" file_invalid ;;
    4) hw_fail "$hw_path: $hw_found" file_invalid ;;
    *) hw_fail "awk failed on $hw_path, with exit status $1" ;;
  esac
}
