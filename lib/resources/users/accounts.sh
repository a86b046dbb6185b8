# shellcheck shell=sh
# accounts.sh: users and groups of a host: what its files say, and which programs change them: shadow's
# (useradd …), FreeBSD's pw, or busybox's (adduser …). What busybox has no program for, an account that
# changes, is written to the file, as its own adduser does.
# Needs: write

# hw_load_accounts: /etc/passwd into hw_passwd and /etc/group into hw_groups, each between newlines; with
# one process for all steps of a segment. That this segment has read them is noted where hw_segment forgets it,
# among what was touched, under a name that no file has.
hw_load_accounts() {
  case $hw_touched_all$hw_touched in
    1* | *"$hw_newline"passwd"$hw_newline"* | *"$hw_newline"group"$hw_newline"*) ;;
    *"$hw_newline:accounts$hw_newline"*) return 0 ;;
  esac
  hw_found=$hw_newline$(
    cat -- /etc/passwd - /etc/group 2>/dev/null <<EOF

:
EOF
  )$hw_newline
  hw_groups=$hw_newline${hw_found#*"$hw_newline:$hw_newline"}
  hw_passwd=${hw_found%%"$hw_newline:$hw_newline"*}$hw_newline
  hw_touched=$hw_touched:accounts$hw_newline
}

# hw_find_user NAME: what /etc/passwd says of it into hw_is_*; fails if it has no such user.
hw_find_user() {
  hw_load_accounts
  case $hw_passwd in
    *"$hw_newline$1:"*) ;;
    *)
      hw_saw "no user $1"
      return 1
      ;;
  esac
  hw_found=${hw_passwd#*"$hw_newline$1:"}
  hw_found=${hw_found%%"$hw_newline"*}
  hw_saw "user $1 $hw_found"
  hw_found=${hw_found#*:}
  hw_is_uid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_is_gid=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_is_comment=${hw_found%%:*} hw_found=${hw_found#*:}
  hw_is_home=${hw_found%%:*} hw_is_shell=${hw_found#*:}
}

# hw_find_group NAME: what /etc/group says of it into hw_group_gid and hw_group_members, a list with
# commas; fails if it has no such group.
hw_find_group() {
  hw_load_accounts
  case $hw_groups in
    *"$hw_newline$1:"*) ;;
    *)
      hw_saw "no group $1"
      return 1
      ;;
  esac
  hw_found=${hw_groups#*"$hw_newline$1:"}
  hw_found=${hw_found%%"$hw_newline"*}
  hw_saw "group $1 $hw_found"
  hw_found=${hw_found#*:}
  hw_group_gid=${hw_found%%:*} hw_group_members=${hw_found#*:}
}

# hw_find_gid NAME|GID: the number of a group into hw_found; fails if there is no group of that name.
hw_find_gid() {
  case $1 in
    *[!0-9]*)
      hw_find_group "$1" || return
      hw_found=$hw_group_gid
      ;;
    *) hw_found=$1 ;;
  esac
}

# hw_find_group_names USER: names of the groups that list it as a member, each behind a space, into
# hw_found.
hw_find_group_names() {
  hw_load_accounts
  hw_found=
  IFS=$hw_newline
  set -f
  for hw_line in $hw_groups; do
    case ,${hw_line##*:}, in *",$1,"*) hw_found="$hw_found ${hw_line%%:*}" ;; esac
  done
  set +f
  IFS=" 	$hw_newline"
  hw_saw "groups of $1$hw_found"
}

# hw_known_elsewhere passwd|group NAME: whether another source than the files (a directory service) has it.
hw_known_elsewhere() {
  command -v getent >/dev/null && getent "$1" "$2" >/dev/null
}

# hw_find_account_tools: which programs this host has for accounts, into hw_by.
hw_find_account_tools() {
  if command -v useradd >/dev/null; then
    hw_by=shadow
  elif command -v pw >/dev/null; then
    hw_by=pw
  elif command -v adduser >/dev/null; then
    hw_by=busybox
  else
    hw_without useradd 'passwd (shadow-utils on Red Hat, shadow on Alpine)'
  fi
}

# hw_change_accounts: they are about to change: what was read of accounts, and names of owners, hold no longer.
hw_change_accounts() { hw_act && hw_touch_all; }

# hw_set_field FILE NAME FIELD VALUE: a field of NAME's line of a file like /etc/passwd.
hw_set_field() {
  hw_want_perms='' hw_want_mode='' hw_want_user='' hw_want_group='' hw_validate=''
  hw_touch_all
  hw_stat "$1" && hw_replace "$1" hw_whole hw_print_field "$@"
}

# By environment, so that nothing in a value is more to awk than its text.
hw_print_field() {
  hw_entry=$2 hw_index=$3 hw_value=$4 awk '
    BEGIN { FS = OFS = ":" }
    $1 == ENVIRON["hw_entry"] { $(ENVIRON["hw_index"] + 0) = ENVIRON["hw_value"] }
    { print }' "$1"
}
