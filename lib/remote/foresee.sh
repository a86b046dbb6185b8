# shellcheck shell=sh
# foresee.sh: with --check, what the steps before would have made, as a later one may fail for want of it.
# Needs: path

# What would be made, a line each: `path PATH`, with the directories above it; `tree PATH`, with whatever may be in it;
# `gone PATH`, with what is in it; `user NAME`; `group NAME`; `anything`, as nobody knows what a package or a command
# brings.
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
  for hw_each in "$@"; do
    case $hw_foreseen in
      *"$hw_newline$hw_each$hw_newline"*) ;;
      *) hw_foreseen=$hw_foreseen$hw_each$hw_newline ;;
    esac
  done
}

# hw_foresees KIND NAME: prints which step before explains that NAME is missing, or in the way; nothing if none does. KIND
# is path, program, service (a unit), user, group, gone (a path that is in the way), package, or remote (a server).
hw_foresees() (
  hw_explained=''
  set -f
  hw_places_of "$@"
  IFS=$hw_newline
  for hw_line in $hw_foreseen; do
    case $hw_line in
      anything) hw_explained=${hw_explained:-"an earlier step may bring $2"} ;;
      "$1 $2") hw_explained="an earlier step makes $2" ;;
      path' '* | tree' '* | gone' '*) hw_foresees_there "$1" "$2" "${hw_line%% *}" ;;
    esac
  done
  hw_put "$hw_explained"
)

# hw_foresees_there KIND NAME path|tree|gone: what hw_line says of hw_places; the last line counts.
hw_foresees_there() {
  hw_physical "$3" "${hw_line#* }"
  for hw_place in $hw_places; do
    case $3-$hw_place/ in
      tree-"$hw_found"/* | gone-"$hw_found"/*) ;;
      *) case $3-$hw_found/ in path-"$hw_place"/* | tree-"$hw_place"/*) ;; *) continue ;; esac ;;
    esac
    case $1-$3 in
      gone-gone) hw_explained="an earlier step removes $2" ;;
      gone-* | *-gone) hw_explained= ;;
      package-* | remote-*) hw_explained="an earlier step may bring $2" ;;
      *) hw_explained="an earlier step makes $2" ;;
    esac
    return
  done
}

# hw_places_of KIND NAME: paths where it would be, a line each, into hw_places.
hw_places_of() {
  hw_places=
  case $1-$2 in
    path-* | gone-* | *-/*) set -- "$1" "$2" "$2" ;;
    remote-file:///*) set -- "$1" "$2" "${2#file://}" ;;
    remote-*) set -- "$1" "$2" /etc "${HOME:-/}/.ssh" "${HOME:-/}/.npmrc" "${HOME:-/}/.gitconfig" ;;
    package-*)
      set -- "$1" "$2" /etc/apt /etc/yum.conf /etc/yum.repos.d /etc/dnf /etc/zypp /etc/apk /etc/pacman.conf /etc/pacman.d \
        /etc/hosts /etc/resolv.conf
      ;;
    program-*)
      IFS=:
      for hw_each in $PATH; do set -- "$@" "$hw_each/$2"; done
      ;;
    service-*)
      set -- "$1" "$2" "/etc/init.d/${2%.service}"
      for hw_each in /etc /run /usr/local/lib /usr/lib /lib; do
        # That of getty@tty1 is getty@.
        set -- "$@" "$hw_each/systemd/system/$2" "$hw_each/systemd/system/${2%%@*}@.${2##*.}"
      done
      ;;
  esac
  hw_kind=$1
  shift 2
  for hw_each in "$@"; do
    hw_physical "$hw_kind" "$hw_each"
    hw_places=$hw_places$hw_found$hw_newline
  done
}

# hw_physical KIND PATH: PATH without links, into hw_found; of what is gone it is the link itself that was there.
hw_physical() {
  case $1 in
    gone)
      hw_real "${2%/*}/"
      hw_found=${hw_found%/}/${2##*/}
      ;;
    *) hw_real "$2" ;;
  esac
}
