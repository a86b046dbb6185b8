# shellcheck shell=sh
# state.sh: the dynamic state in bootstrap_dir: server.ini, products/*.ini, *.intent and *.drain, and handlers, those that a run
# left due (see step.sh).

# hw_may_look: fails where this user may not look into bootstrap_dir: it would seem that nothing is there.
hw_may_look() {
  [ ! -d "$hw_dir" ] || [ -x "$hw_dir" ] || hw_fail "this user may not look into $hw_dir" state_unreadable
}

# hw_trust_state DIR: what is due is for its writers to say, and runs as this user. So it fails unless DIR, each directory above it, and all in it belong to root or this user, for nobody
# else to write, as sshd's StrictModes demands of a home. A directory above it may be one like /tmp. What is in it
# is files and directories: no links, as another's file would be written to, and no second names of files, for the
# same reason; the lock has one while it is taken. One process for all. Steps make DIR in their middle, so the
# names of its variables are its own.
hw_trust_state() {
  hw_own_uid || return
  hw_state_dir=$1 hw_state_path=$1 hw_state_links=''
  set -- /
  while [ -n "$hw_state_path" ]; do
    set -- "$@" "$hw_state_path"
    hw_state_path=${hw_state_path%/*}
  done
  # shellcheck disable=SC2012 # names are only shown, and stat is not everywhere
  hw_state_list=$(ls -ldn -- "$@" "$hw_state_dir"/* "$hw_state_dir"/products/* 2>/dev/null)
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # line by line
  set -- $hw_state_list
  IFS=" 	$hw_newline"
  set +f
  for hw_state_text in "$@"; do
    hw_state_line "/${hw_state_text#*" /"}" || return
  done
  [ -n "$hw_state_links" ] || return 0
  hw_state_path=$(cd -P -- "$hw_state_dir" && pwd -P) || hw_fail "can't look into $hw_state_dir" state_unreadable || return
  [ "$hw_state_path" = "$hw_state_dir" ] || hw_trust_state "$hw_state_path"
}

# hw_state_plain: 1 where bootstrap_dir is known to have no access list, so that in it a umask decides.
hw_state_plain=''

# hw_state_line PATH: the same for one line of ls, hw_state_text.
hw_state_line() {
  case $1 in
    "$hw_state_dir"/*) hw_state_where=inside ;;
    "$hw_state_dir") hw_state_where=self ;;
    *) hw_state_where=above ;;
  esac
  hw_state_perms=${hw_state_text%%" "*}
  case $hw_state_where$hw_state_perms in
    # Busybox's ls does not show that there are access lists, or default ones.
    selfd????????? | selfd?????????.) [ /bin/ls -ef /bin/busybox ] || hw_state_plain=1 ;;
    insided* | inside-*) ;;
    inside*) hw_fail "$1 is neither a file nor a directory: remove it" state_unreadable || return ;;
  esac
  # What follows are the number of its names, and its owner's, with any number of blanks between.
  hw_state_text=${hw_state_text#"$hw_state_perms"} hw_state_text=${hw_state_text#"${hw_state_text%%[! ]*}"}
  hw_state_names=${hw_state_text%%" "*}
  hw_state_text=${hw_state_text#"$hw_state_names"} hw_state_text=${hw_state_text#"${hw_state_text%%[! ]*}"}
  case ${hw_state_text%%" "*} in
    0 | "$hw_own_number") ;;
    *) hw_fail "$1 belongs to another user (${hw_state_text%%" "*}), who could say what runs here" state_unreadable || return ;;
  esac
  case $hw_state_where$hw_state_perms in
    abovel* | selfl*) hw_state_links=1 ;;
    aboved????????[tT]*) ;;
    above?????w* | above????????w* | self?????w* | self????????w* | inside?????w* | inside????????w*)
      hw_fail "$1 can be written to by other users: chmod go-w $1" state_unreadable || return
      ;;
  esac
  case $hw_state_perms:$hw_state_names:$1 in
    -*:1:* | d* | l* | *":$hw_state_dir/bootstrap.pid"*) ;;
    *) hw_fail "$1 has other names (hard links): remove it" state_unreadable ;;
  esac
}

# hw_own_uid: the number of this user into hw_own_number.
hw_own_uid() {
  [ -z "${hw_own_number-}" ] || return 0
  if [ -r /proc/self/status ]; then
    while IFS=" 	" read -r hw_state_word hw_state_path hw_own_number hw_state_rest; do
      [ "$hw_state_word" != Uid: ] || break
    done </proc/self/status
  else
    hw_own_number=$(id -u)
  fi
}

# hw_read_state: every state file, each after a marker that names it. Read with built-ins: most hosts have three.
hw_read_state() {
  hw_may_look || return
  [ ! -d "$hw_dir" ] || hw_trust_state "$hw_dir" || return
  for hw_path in "$hw_dir/server.ini" "$hw_dir"/products/*.ini "$hw_dir"/products/*.intent "$hw_dir"/products/*.drain "$hw_dir/handlers"; do
    [ -f "$hw_path" ] || continue
    hw_mark file "${hw_path#"$hw_dir"/}"
    hw_state_run='' hw_state_steps=''
    while IFS= read -r hw_line || [ -n "$hw_line" ]; do
      case $hw_state_steps$hw_line in
        'run = '*) hw_state_run=${hw_state_run:-${hw_line#*= }} ;;
        '[steps]') hw_state_steps=- ;;
        '-script = '*' begun')
          hw_state_path=${hw_path##*/}
          ! hw_script_ended "$hw_state_run" "${hw_state_path%.intent}" "${hw_line% begun}" || hw_line="${hw_line% begun} ended"
          ;;
      esac
      hw_lines "$hw_line"
    done <"$hw_path" || hw_fail "can't read $hw_path" state_unreadable || return
  done
}

# hw_script_ended RUN PRODUCT DIRECTION: whether the upgrade script that RUN began has ended well, although what began it could
# not note that (see intent.sh): it goes on without its session, or a person has said so. DIRECTION ends with `forward` or
# `back`.
hw_script_ended() {
  hw_state_path=$hw_dir/runs/$1/product-$2 hw_state_text='' hw_state_word=''
  { IFS= read -r hw_state_text <"$hw_state_path/exit"; } 2>/dev/null
  [ "$hw_state_text" = 0 ] || return
  { IFS= read -r hw_state_word && IFS= read -r hw_state_word; } 2>/dev/null <"$hw_state_path/intent"
  [ "$hw_state_word" = "part=${3##*" "}" ]
}

# hw_make_dir: bootstrap_dir, for nobody else to read.
hw_make_dir() {
  [ ! -d "$hw_dir/" ] || return 0
  hw_private_directory "$hw_dir" || hw_fail "can't make the directory $hw_dir" || return
  # In a directory like /tmp another user may have been faster.
  hw_trust_state "$hw_dir"
}
