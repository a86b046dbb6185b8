# shellcheck shell=sh
# foresee.sh: with --check, what the steps before would have made, as a later one may fail for want of it.

# What would be made, a line each: `file PATH`, `directory PATH` (with those above it), `tree PATH` (with what is
# in it), `user NAME`, `group NAME`, `service NAME`, or `anything`, as a package or a command may bring.
hw_foreseen=$hw_newline hw_foresight=hw_foresees

# hw_foresee MADE… -- FUNCTION ARG…: run a step that would make these if it says that it would change something. A
# step that fails for want of what is foreseen (see hw_lacks) is unknown: it has not failed.
hw_foresee() {
  hw_would_make='' hw_unknown=''
  while [ "$1" != -- ]; do
    hw_would_make=$hw_would_make$1$hw_newline
    shift
  done
  shift
  "$@"
  set -- "$?"
  if [ "$1" -ne 0 ] && [ -n "$hw_unknown" ]; then
    hw_status=changed hw_note="unknown: $hw_unknown"
    set -- 0
  fi
  [ "$hw_status" != changed ] || hw_foreseen=$hw_foreseen$hw_would_make
  return "$1"
}

# hw_expect MADE…: what would have been made by now, in whichever session.
hw_expect() {
  hw_foreseen=$hw_newline
  for hw_each in "$@"; do hw_foreseen=$hw_foreseen$hw_each$hw_newline; done
}

# hw_foresees KIND NAME: whether a step before would make the path, user, group, service or program; then
# hw_unknown says so.
hw_foresees() {
  hw_unknown=''
  case $1 in path) hw_lacking=$(hw_physical "$2") ;; *) hw_lacking=$2 ;; esac
  IFS=$hw_newline
  set -f
  for hw_line in $hw_foreseen; do
    IFS=" 	$hw_newline"
    case $1-$hw_line in
      path-file' '* | path-directory' '* | path-tree' '*)
        hw_is_foreseen "$hw_lacking" "${hw_line%% *}" "$(hw_physical "${hw_line#* }")" || continue
        ;;
      "$1-$1 $hw_lacking") ;;
      program-file' '*/"$hw_lacking" | program-tree' '*/"$hw_lacking") ;;
      *-anything) hw_unknown="an earlier step may bring $2" ;;
      *) continue ;;
    esac
    case $hw_line in anything) continue ;; esac
    hw_unknown="an earlier step makes $2"
    break
  done
  set +f
  IFS=" 	$hw_newline"
  [ -n "$hw_unknown" ]
}

# hw_is_foreseen PATH KIND MADE: whether PATH is there once MADE is.
hw_is_foreseen() {
  [ "$1" != "$3" ] || return 0
  case $2-$3 in
    directory-"$1"/* | tree-"$1"/*) return 0 ;;
  esac
  [ "$2" = tree ] || return 1
  case $1 in "$3"/*) ;; *) return 1 ;; esac
}

# hw_physical PATH: PATH without links on the way, as far as it is there.
hw_physical() {
  hw_there=$1 hw_rest=''
  while [ -n "$hw_there" ] && [ ! -d "$hw_there/" ]; do
    [ -z "${hw_there##*/}" ] || hw_rest=/${hw_there##*/}$hw_rest
    hw_there=${hw_there%/*}
  done
  cd -P -- "$hw_there/" && hw_there=$(pwd -P) || return
  hw_put "${hw_there%/}$hw_rest"
}
