# shellcheck shell=sh
# file.sh: files and directories as resources.
# Needs: write

# hw_file PATH SUM PERMS MODE USER GROUP VALIDATE OPTIONS [CONTENT]: a regular file. SUM is the SHA-256 of
# the wanted content, empty if any will do. Where the content differs and CONTENT (a function that prints
# it, or the path of a file that came in for it) was not sent yet, the step asks for it: status need.
# OPTIONS: `backup` keeps the file that is replaced, `large` shows no texts.
hw_file() {
  hw_want_perms=$3 hw_want_mode=${4:+00$4} hw_want_user=$5 hw_want_group=$6 hw_validate=$7
  hw_saw "want $2"
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    file) hw_compare_owner ;;
    absent)
      [ -n "$2" ] || hw_fail "$1 does not exist, and there is no content to make it of" || return
      hw_also created
      ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
  hw_new_content=
  if [ "$hw_type" = absent ]; then
    hw_new_content=1
  elif [ -n "$2" ]; then
    hw_sum "$hw_path" || return
    if [ "$hw_found" != "$2" ]; then
      hw_new_content=1
      hw_note="content${hw_note:+, $hw_note}" hw_status=changed
    fi
  fi
  [ "$hw_status" = changed ] || return 0
  hw_trust "$1" || return
  if [ -n "$hw_check" ]; then
    [ -z "$hw_new_content" ] || hw_send_shown "$hw_path" "$8"
  elif [ -z "$hw_new_content" ]; then
    hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
    hw_touch "$hw_path"
  elif [ -z "${9-}" ]; then
    hw_status=need hw_note=
  else
    hw_send_shown "$hw_path" "$8"
    case " $8 " in *' backup '*) hw_backup=1 ;; esac
    hw_put_file "$hw_path" "$9"
    set -- $?
    hw_backup=
    return "$1"
  fi
}

# hw_put_file PATH CONTENT: what came in is taken away once it is in its place, and not before: where
# something is wrong with its place, it need not be sent again.
hw_put_file() {
  case $2 in
    /*) hw_replace "$1" cat -- "$2" && hw_drop_incoming "$2" ;;
    *) hw_replace "$@" ;;
  esac
}

# hw_send_shown PATH OPTIONS: as hw_send_old, unless the new text is too large to be shown beside it.
hw_send_shown() {
  case " $2 " in *' large '*) ;; *) hw_send_old "$1" ;; esac
}

# hw_no_file PATH OPTIONS: no file and no link of this name; what a link points to stays.
hw_no_file() {
  hw_absent_already "$1" && return
  hw_stat "$1" || return
  [ "$hw_type" != directory ] || hw_fail "$1 is a directory, not a file" || return
  [ -z "$hw_plan" ] || [ "$hw_type" != file ] || hw_sum "$1" || return
  hw_also removed
  hw_trust "${1%/*}" || return
  [ "$hw_type" != file ] || hw_send_old "$1"
  [ -z "$hw_check" ] || return 0
  case " $2 " in *' backup '*) hw_keep_old "$1" || return ;; esac
  # What was reached through a link is there no more.
  [ "$hw_type" != link ] || hw_touch_all
  rm -f -- "$1" || hw_fail "can't remove $1" || return
  hw_touch "$1"
}

# hw_absent_already PATH: whether nothing is there, not even a link that leads nowhere.
hw_absent_already() {
  [ ! -e "$1" ] && [ ! -L "$1" ] && hw_saw "absent $1"
}

# hw_directory PATH PERMS MODE USER GROUP: a directory, with those above it.
hw_directory() {
  hw_want_perms=$2 hw_want_mode=${3:+00$3} hw_want_user=$4 hw_want_group=$5
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    directory) hw_compare_owner ;;
    absent) hw_also created ;;
    *) hw_fail "$1 is not a directory" || return ;;
  esac
  [ "$hw_status" = changed ] || return 0
  hw_trust "$1" || return
  [ -z "$hw_check" ] || return 0
  # It is ours alone until it has its owner and mode.
  if [ "$hw_type" = absent ]; then
    case $hw_path in
      /*/*) [ -d "${hw_path%/*}" ] || mkdir -p -- "${hw_path%/*}" || hw_fail "can't make ${hw_path%/*}" || return ;;
    esac
    hw_want_mode=${hw_want_mode:-00755}
    if [ -z "$hw_want_user$hw_want_group" ]; then
      mkdir -m "$hw_want_mode" -- "$hw_path" || hw_fail "can't make $hw_path" || return
      hw_touch "$hw_path"
      return
    fi
    mkdir -m 700 -- "$hw_path" || hw_fail "can't make $hw_path" || return
  fi
  hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
  hw_touch "$hw_path"
}
