# shellcheck shell=sh
# group.sh: groups of a host.
# Needs: accounts

# hw_group NAME present|absent [gid=] [system=] [members=]: `members` is `+` (at least these) or `=` (these and no
# others), then names with commas between them.
hw_group() {
  hw_words 2 'gid system members' "$@" || return
  hw_group_name=$1
  if ! hw_find_group "$1"; then
    [ "$2" = present ] || return 0
    hw_group_gid='' hw_group_members=''
    hw_also created
    hw_compare_members "$hw_want_members"
    # The one word covers what else it becomes.
    hw_note=created
    hw_find_account_tools && hw_members_exist || return
    [ -z "$hw_check" ] || return 0
    hw_group_add "$hw_want_system" ||
      hw_fail "could not make the group $1" || return
  elif [ "$2" = absent ]; then
    hw_also removed
    [ -z "$hw_check" ] || return 0
    hw_find_account_tools || return
    hw_change_accounts || return
    case $hw_by in
      shadow) groupdel -- "$1" ;;
      pw) pw groupdel -n "$1" ;;
      busybox) delgroup "$1" ;;
    esac || hw_fail "could not remove the group $1"
    return
  else
    [ -z "$hw_want_gid" ] || [ "$hw_want_gid" = "$hw_group_gid" ] || hw_also gid
    hw_compare_members "$hw_want_members"
    [ "$hw_status" = changed ] || return 0
    hw_find_account_tools && hw_members_exist || return
    [ -z "$hw_check" ] || return 0
    hw_change_accounts || return
    [ -z "$hw_want_gid" ] || [ "$hw_want_gid" = "$hw_group_gid" ] || hw_group_number || hw_fail "could not change the group $1" || return
  fi
  [ -z "$hw_joining$hw_leaving" ] || hw_group_make_members || hw_fail "could not set the members of the group $1"
}

# hw_compare_members MEMBERS: who is to join into hw_joining, who is to leave into hw_leaving, all that
# are to be members into hw_members.
hw_compare_members() {
  hw_joining='' hw_leaving='' hw_members=$hw_group_members
  case $1 in '') return 0 ;; esac
  hw_wanted=${1#?}
  IFS=,
  set -f
  for hw_each in $hw_wanted; do
    case ,$hw_group_members, in
      *",$hw_each,"*) ;;
      *) hw_joining="$hw_joining $hw_each" hw_members=${hw_members:+$hw_members,}$hw_each ;;
    esac
  done
  case $1 in
    =*)
      hw_members=$hw_wanted
      for hw_each in $hw_group_members; do
        case ,$hw_wanted, in *",$hw_each,"*) ;; *) hw_leaving="$hw_leaving $hw_each" ;; esac
      done
      ;;
  esac
  set +f
  IFS=" 	$hw_newline"
  [ -z "$hw_joining$hw_leaving" ] || hw_also members
}

# hw_members_exist: fails if one who should join is not a user here.
hw_members_exist() {
  for hw_each in $hw_joining; do
    hw_find_user "$hw_each" || hw_known_elsewhere passwd "$hw_each" || hw_awaits user "$hw_each" "there is no user $hw_each" || return
  done
}

# hw_group_add SYSTEM
hw_group_add() {
  hw_change_accounts || return
  case $hw_by in
    shadow) groupadd ${1:+-r} ${hw_want_gid:+-g "$hw_want_gid"} -- "$hw_group_name" ;;
    pw) pw groupadd -n "$hw_group_name" ${hw_want_gid:+-g "$hw_want_gid"} ;;
    busybox) addgroup ${1:+-S} ${hw_want_gid:+-g "$hw_want_gid"} -- "$hw_group_name" ;;
  esac
}

hw_group_number() {
  case $hw_by in
    shadow) groupmod -g "$hw_want_gid" -- "$hw_group_name" ;;
    pw) pw groupmod -n "$hw_group_name" -g "$hw_want_gid" ;;
    busybox) hw_set_field /etc/group "$hw_group_name" 3 "$hw_want_gid" ;;
  esac
}

hw_group_make_members() {
  case $hw_by in
    shadow) gpasswd -M "$hw_members" "$hw_group_name" >/dev/null ;;
    pw) pw groupmod -n "$hw_group_name" -M "$hw_members" ;;
    busybox)
      for hw_each in $hw_joining; do
        addgroup -- "$hw_each" "$hw_group_name" || return
      done
      for hw_each in $hw_leaving; do
        delgroup "$hw_each" "$hw_group_name" || return
      done
      ;;
  esac
}
