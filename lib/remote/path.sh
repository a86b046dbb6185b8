# shellcheck shell=sh
# path.sh: files and directories: what is there, and putting there what is wanted.
#
# Most runs change nothing, so the state of all paths of a segment is gathered at its start with one
# process for all (hw_gather_*), and a step looks there first. A path that a step touched is asked
# again, and each of the same last name; after a command, a package or a service anything may have changed, so all are.
# Needs: leftover

# hw_gathered NAME PATH: what the segment's gathering found for this step into hw_found; fails if it
# found nothing or it may no longer hold.
hw_gathered() {
  [ -z "$hw_touched_all" ] || return 1
  case ${2##*/} in . | ..) return 1 ;; esac
  case $hw_touched in *"$hw_newline${2##*/}$hw_newline"*) return 1 ;; esac
  eval "hw_found=\${hw_$1_$hw_id-}"
  [ -n "$hw_found" ]
}

# hw_gather NAME IDS VALUE LINES PATH…: hand LINES, each a value and a path, out to the steps IDS as
# hw_NAME_ID. VALUE is a pattern for the value, so that no path is taken for one whose end it is. Lines
# come in the order of the paths; a path that is not there has none.
hw_gather() {
  hw_name=$1 hw_ids="$2 " hw_value=$3 hw_list=$4
  shift 4
  IFS=$hw_newline
  set -f
  for hw_line in $hw_list; do
    while [ $# -gt 0 ]; do
      hw_key=${hw_ids%% *} hw_ids=${hw_ids#* } hw_path=$1
      shift
      if [ "${hw_line#$hw_value}" = "$hw_path" ]; then
        eval "hw_${hw_name}_$hw_key=\${hw_line%\"\$hw_path\"}"
        break
      fi
    done
  done
  set +f
  IFS=" 	$hw_newline"
}

# hw_gather_stat IDS PATH…: of a link, what it points to; see hw_resolve.
hw_gather_stat() {
  hw_found_ids=$1
  shift
  hw_gather stat "$hw_found_ids" '*:*:*:*:*:*:*:' "$(stat -L -c '%A:%u:%g:%U:%G:%s:%h:%n' -- "$@" 2>/dev/null)" "$@"
}

# hw_gather_sum IDS SUM PATH …: checksums of regular files; then a marker with the ids of those that
# are not as wanted: their content will be needed.
hw_gather_sum() {
  hw_ids="$1 " hw_found_ids='' hw_wanted='' hw_each='' hw_missing=''
  shift
  for hw_path in "$@"; do
    shift
    if [ -z "$hw_each" ]; then
      hw_each=$hw_path
      continue
    fi
    hw_key=${hw_ids%% *} hw_ids=${hw_ids#* }
    case $hw_path in
      # The checksum programs write such a name in another way: the step asks for itself.
      *\\*) ;;
      *)
        # Never read from a pipe or a device.
        if [ -f "$hw_path" ]; then
          set -- "$@" "$hw_path"
          hw_found_ids="$hw_found_ids$hw_key " hw_wanted="$hw_wanted$hw_each "
        else
          hw_missing="$hw_missing $hw_key"
        fi
        ;;
    esac
    hw_each=
  done
  # shellcheck disable=SC2086 # the program and its options
  [ $# -eq 0 ] || [ -z "$hw_sha" ] ||
    hw_gather sum "$hw_found_ids" "$hw_sha_value" "$($hw_sha "$@" 2>/dev/null)" "$@"
  for hw_key in $hw_found_ids; do
    eval "hw_found=\${hw_sum_$hw_key-}"
    [ "${hw_found%% *}" = "${hw_wanted%% *}" ] || hw_missing="$hw_missing $hw_key"
    hw_wanted=${hw_wanted#* }
  done
  [ -z "$hw_missing" ] || hw_mark "want$hw_missing"
}

# hw_gather_missing IDS PATH…: a marker with the ids of those that are not there: their content will be needed. No process.
hw_gather_missing() {
  hw_ids="$1 " hw_missing=''
  shift
  for hw_path in "$@"; do
    hw_key=${hw_ids%% *} hw_ids=${hw_ids#* }
    [ -e "$hw_path" ] || hw_missing="$hw_missing $hw_key"
  done
  [ -z "$hw_missing" ] || hw_mark "want$hw_missing"
}

# hw_gather_copy IDS FROM PATH …: checksums of files and of those that they are copies of, of these as hw_sum_from_ID.
hw_gather_copy() {
  hw_ids="$1 " hw_found_ids='' hw_each='from_'
  shift
  for hw_path in "$@"; do
    shift
    hw_key=${hw_ids%% *}
    case $hw_path in
      *\\*) ;;
      *)
        if [ -f "$hw_path" ]; then
          set -- "$@" "$hw_path"
          hw_found_ids="$hw_found_ids$hw_each$hw_key "
        fi
        ;;
    esac
    case $hw_each in
      from_) hw_each='' ;;
      *) hw_each=from_ hw_ids=${hw_ids#* } ;;
    esac
  done
  # shellcheck disable=SC2086 # the program and its options
  [ $# -eq 0 ] || [ -z "$hw_sha" ] ||
    hw_gather sum "${hw_found_ids% }" "$hw_sha_value" "$($hw_sha "$@" 2>/dev/null)" "$@"
}

# hw_stat PATH: what is there: hw_type (absent file directory link other), and unless absent hw_perms
# (rwxr-xr-x), hw_uid hw_gid hw_user hw_group, hw_size in bytes and hw_links, how many names it has.
hw_stat() {
  if ! hw_gathered stat "$1"; then
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
      hw_type=absent hw_size=0 hw_links=0
      hw_saw "absent $1"
      return
    fi
    hw_found=$(stat -c '%A:%u:%g:%U:%G:%s:%h' -- "$1" 2>/dev/null) || hw_found=$(hw_stat_by_ls "$1") ||
      hw_fail "can't look at $1" || return
  fi
  hw_found=${hw_found%:}
  hw_links=${hw_found##*:} hw_found=${hw_found%:*}
  hw_saw "stat $1 $hw_found"
  case $hw_found in
    -*) hw_type="file" ;;
    d*) hw_type="directory" ;;
    l*) hw_type="link" ;;
    *) hw_type="other" ;;
  esac
  hw_perms=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_perms=${hw_perms#?}
  hw_uid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_gid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_user=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_group=${hw_found%%:*} hw_size=${hw_found#*:}
}

# The same in POSIX words only, for hosts without `stat -c`.
hw_stat_by_ls() {
  hw_ls=$(ls -ldn -- "$1") || return
  # shellcheck disable=SC2046 # the fields are to be split
  hw_names=$(set -f && set -- $(ls -ld -- "$1") && echo "$3:$4")
  # shellcheck disable=SC2086
  set -f && set -- $hw_ls && set +f
  # A character after the nine permissions says that there is more (an access list, a label).
  hw_rest=${1#??????????}
  echo "${1%"$hw_rest"}:$3:$4:$hw_names:$5:$2"
}

# hw_sum PATH: the SHA-256 of a regular file into hw_found.
hw_sum() {
  if ! hw_gathered sum "$1"; then
    [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
    # shellcheck disable=SC2086 # the program and its options
    hw_found=$($hw_sha <"$1") || hw_fail "can't read $1" || return
  fi
  hw_found=${hw_found%% *}
  hw_saw "sum $1 $hw_found"
}

# hw_resolve PATH: hw_path becomes PATH, or what it points to if it is a link: a link stays a link. Beside it goes
# what dead sessions left, before anything is compared: they may have been writing to it.
hw_resolve() {
  hw_path=$1
  if [ -L "$1" ]; then
    command -v readlink >/dev/null || hw_without readlink coreutils || return
    hw_path=$(readlink -f -- "$1") || hw_resolve_later "$1" || return
  fi
  hw_sweep_beside "$hw_path"
}

# hw_resolve_later LINK: where it will lead once an earlier step has made the directory for that.
hw_resolve_later() {
  hw_path=$(readlink -- "$1")
  case $hw_path in /*) ;; *) hw_path=${1%/*}/$hw_path ;; esac
  hw_awaits path "${hw_path%/*}" "$1 is a link that leads nowhere"
}

# hw_trust PATH: fails if a link on the way to PATH, or PATH itself, was laid by somebody who could not do
# there what we are about to do: neither root, nor us, nor the owner of what it leads to. Asked before
# something is changed. No process where there is no link.
hw_trust() {
  hw_trust_rest=$1 hw_trust_path='' hw_trust_links=0
  while [ -n "$hw_trust_rest" ]; do
    hw_trust_name=${hw_trust_rest%%/*}
    hw_trust_rest=${hw_trust_rest#"$hw_trust_name"} hw_trust_rest=${hw_trust_rest#/}
    case $hw_trust_name in
      '' | .) continue ;;
      ..)
        # What was walked so far has no links in it any more.
        hw_trust_path=${hw_trust_path%/*}
        continue
        ;;
    esac
    hw_trust_path=$hw_trust_path/$hw_trust_name
    [ -L "$hw_trust_path" ] || continue
    hw_trust_links=$((hw_trust_links + 1))
    [ "$hw_trust_links" -le 40 ] || hw_fail "$1 is a link that leads nowhere" || return
    hw_trust_link "$hw_trust_path" ||
      hw_fail "$hw_trust_path is a link of another user (number $hw_trust_owner) to what is not theirs: it is not followed" || return
    hw_trust_name=$(readlink -- "$hw_trust_path") || hw_fail "can't read the link $hw_trust_path" || return
    hw_trust_rest=$hw_trust_name/$hw_trust_rest
    case $hw_trust_name in /*) hw_trust_path='' ;; *) hw_trust_path=${hw_trust_path%/*} ;; esac
  done
}

hw_trust_link() {
  hw_trust_owner_of "$1"
  case $hw_trust_owner in 0 | "$(id -u)") return 0 ;; esac
  set -- "$1" "$hw_trust_owner"
  hw_trust_owner_of -L "$1"
  [ "$hw_trust_owner" = "$2" ] && return
  hw_trust_owner=$2
  return 1
}

# hw_trust_owner_of [-L] PATH: the number of its owner into hw_trust_owner; of a link its own, with -L that
# of what it leads to.
hw_trust_owner_of() {
  hw_trust_owner=$(
    set -f
    # shellcheck disable=SC2046 # the fields are to be split
    case $1 in
      -L) set -- $(ls -ldnL -- "$2" 2>/dev/null) ;;
      *) set -- $(ls -ldn -- "$1") ;;
    esac
    echo "${3-}"
  )
}

# hw_real PATH: where it leads with no link, `.` or `..` in it and no slash too many, into hw_found; of what is not
# there yet, that of the directories that are. No process where there is nothing of these.
hw_real() {
  hw_found=$1
  while :; do
    case $hw_found in
      ?*/) hw_found=${hw_found%/} ;;
      *//*) hw_found=${hw_found%%//*}/${hw_found#*//} ;;
      *) break ;;
    esac
  done
  hw_each=$hw_found/
  case $hw_each in
    */./* | */../*) ;;
    *)
      hw_each=${hw_found%/}
      while [ -n "$hw_each" ] && [ ! -L "$hw_each" ]; do hw_each=${hw_each%/*}; done
      [ -n "$hw_each" ] || return 0
      ;;
  esac
  hw_rest=
  while [ -n "$hw_found" ] && [ ! -d "$hw_found" ]; do
    hw_rest=/${hw_found##*/}$hw_rest hw_found=${hw_found%/*}
  done
  hw_found=$(cd -P -- "${hw_found:-/}" && pwd -P) || hw_found=
  hw_found=${hw_found%/}$hw_rest
  # A link to a file, or to nothing yet.
  [ ! -L "$hw_found" ] || hw_found=$(readlink -f -- "$hw_found") || hw_found=
  hw_found=${hw_found:-/}
}
