# shellcheck shell=sh
# ini.sh: keys of INI files, and of haproxy's keyword files, edited in place. The work is ini.awk's,
# whose text is in $hw_ini_awk.
# Needs: write

# hw_gather_ini PATH…: reads requests (see ini.awk) of all steps of a batch from standard input and
# notes, with one process for all, which of the files PATH are as wanted already.
hw_gather_ini() {
  for hw_path in "$@"; do
    # Reading a pipe would wait for ever.
    [ -f "$hw_path" ] || [ ! -e "$hw_path" ] || return 0
  done
  # Without it there is a step to say so.
  command -v awk >/dev/null || return 0
  # shellcheck disable=SC2013 # a word a line
  for hw_line in $(awk -v mode=check "$hw_ini_awk"); do
    eval "hw_ini_${hw_line%%=*}=\${hw_line#*=}"
  done
}

# hw_ini PATH FORMAT VALIDATE REQUEST…: the requests are the lines that ini.awk reads.
hw_ini() {
  hw_resolve "$1" || return
  hw_format=$2 hw_validate=$3
  hw_want_perms='' hw_want_mode='' hw_want_user='' hw_want_group=''
  shift 3
  IFS=$hw_newline
  hw_requests="$*" hw_trusted=''
  IFS=" 	$hw_newline"
  [ -z "$hw_plan" ] || [ ! -f "$hw_path" ] || hw_sum "$hw_path" || return
  if hw_gathered ini "$hw_path"; then
    [ "$hw_found" != same ] || return 0
  fi
  command -v awk >/dev/null || hw_without awk mawk || return
  hw_stat "$hw_path" || return
  case $hw_type in
    file | absent) ;;
    *) hw_fail "$hw_path is not a regular file" || return ;;
  esac
  hw_found=$(hw_ini_edit list) || hw_ini_again $? || return
  [ -n "$hw_found" ] || return 0
  [ "$hw_type" = file ] || hw_also created
  hw_also "$hw_found"
  if [ -n "$hw_diff" ]; then
    hw_send_old "$hw_path"
    hw_mark new
    hw_ini_edit edit
  fi
  [ -n "$hw_check" ] || hw_replace "$hw_path" hw_ini_edit edit
}

# hw_ini_edit MODE: run ini.awk on hw_path.
hw_ini_edit() {
  awk -v mode="$1" -v size="$hw_size" -v trusted="$hw_trusted" "$hw_ini_awk" <<EOF
F 0 $hw_format $hw_path
$hw_requests
EOF
}

# hw_ini_again STATUS: what to do when awk ended with STATUS. It is 3 where awk can't tell whether it read
# all: list again if the file holds no NUL.
hw_ini_again() {
  [ "$1" -eq 3 ] || hw_fail "awk failed on $hw_path, with exit status $1" || return
  [ "$(tr -d '\000' <"$hw_path" | wc -c)" -eq "$hw_size" ] && hw_trusted=1 &&
    hw_found=$(hw_ini_edit list) ||
    hw_fail "$hw_path holds bytes that this host's awk does not keep"
}
