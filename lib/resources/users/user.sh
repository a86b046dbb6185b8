# shellcheck shell=sh
# user.sh: users of a host.
# Needs: accounts noted

# hw_user NAME present|absent [uid=] [group=] [groups=] [groups_are=] [home=] [move=] [shell=] [comment=] [no_comment=]
# [system=] [create=] [hash=] [hash_when=] [locked=] [expires=] [days=] [seconds=] [remove=]: `group` is a name or
# number; `groups` are names with blanks between them, and `groups_are` some or all; `create` (the home directory)
# and `locked` are yes or no; `hash_when` is always or created; `expires` is a date, or never, with the same in
# `days` and `seconds`; `remove` is for one who is absent, and is about the home directory.
hw_user() {
  hw_words 2 'uid group groups groups_are home move shell comment no_comment system create hash hash_when locked expires days seconds remove' \
    "$@" || return
  hw_account=$1 hw_wanted_state=$2 hw_set_comment=$hw_want_comment$hw_want_no_comment
  # Not everything of a new user is looked at later: a home directory, a first password.
  hw_user_new=
  ! hw_was_begun "user $hw_account" || hw_user_new=created
  if ! hw_find_user "$hw_account"; then
    [ "$hw_wanted_state" = present ] || {
      hw_user_no_home
      return
    }
    hw_also created
    hw_find_account_tools && hw_user_groups_exist || return
    [ -z "$hw_check" ] || return 0
    hw_begin_work "user $hw_account" || return
    hw_user_create || hw_fail "could not make the user $hw_account" || return
    # The rest is done as for any other user; the note stays the one word.
    hw_user_compare created && hw_user_change && hw_end_work "user $hw_account" || return
    hw_note=created
  elif [ "$hw_wanted_state" = absent ]; then
    hw_also removed
    hw_find_account_tools && { [ -n "$hw_check" ] || hw_user_remove; }
  else
    [ -z "$hw_user_new" ] || hw_user_has_home
    hw_user_compare "$hw_user_new" || return
    [ -z "$hw_pending" ] || { hw_find_account_tools && hw_user_groups_exist; } || return
    [ -z "$hw_check" ] || return 0
    [ -z "$hw_pending" ] || hw_user_change || return
    [ -z "$hw_user_new" ] || hw_end_work "user $hw_account"
  fi
}

# hw_user_differs WORD [NOTE]: it is one of the things to change.
hw_user_differs() {
  hw_pending="${hw_pending:- }$1 "
  hw_also "${2-$1}"
}

hw_user_must() {
  case $hw_pending in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# hw_user_compare [created]: what of the user is not as wanted into hw_pending.
hw_user_compare() {
  hw_pending=''
  hw_find_user "$hw_account" || hw_fail "the user $hw_account does not exist after it was created" || return
  [ -z "$hw_want_create$hw_want_move" ] || hw_sweep_beside "${hw_want_home:-$hw_is_home}"
  [ -z "$hw_want_uid" ] || [ "$hw_want_uid" = "$hw_is_uid" ] || hw_user_differs uid
  if [ -n "$hw_want_group" ]; then
    hw_find_gid "$hw_want_group" && [ "$hw_found" = "$hw_is_gid" ] || hw_user_differs group
  fi
  [ -z "$hw_want_groups_are" ] || hw_user_compare_groups
  [ -z "$hw_want_home" ] || [ "$hw_want_home" = "$hw_is_home" ] || hw_user_differs home
  [ -z "$hw_want_shell" ] || [ "$hw_want_shell" = "$hw_is_shell" ] || hw_user_differs shell
  [ -z "$hw_set_comment" ] || [ "$hw_want_comment" = "$hw_is_comment" ] || hw_user_differs comment
  if [ "$hw_want_create" = yes ] && [ ! -d "${hw_want_home:-$hw_is_home}" ]; then
    # One that moves brings its own.
    [ -n "$hw_want_move" ] && [ -d "$hw_is_home" ] || hw_user_differs directory 'home directory'
  fi
  [ -z "$hw_want_hash$hw_want_locked$hw_want_expires" ] || hw_user_compare_secret "${1-}"
}

# hw_user_compare_groups: what is not as wanted of its groups; all that it is to be in, with commas
# between them, into hw_all_groups.
hw_user_compare_groups() {
  hw_find_group_names "$hw_account"
  hw_all_groups='' hw_joining='' hw_leaving='' hw_member_of="$hw_found "
  for hw_each in $hw_want_groups; do
    case $hw_member_of in
      *" $hw_each "*) hw_all_groups=$hw_all_groups,$hw_each ;;
      *)
        # Who has it for the main group is in it.
        [ -z "$hw_want_group" ] && hw_find_gid "$hw_each" && [ "$hw_found" = "$hw_is_gid" ] && continue
        [ "$hw_want_group" != "$hw_each" ] || continue
        hw_joining="$hw_joining $hw_each" hw_all_groups=$hw_all_groups,$hw_each
        ;;
    esac
  done
  for hw_each in $hw_member_of; do
    case " $hw_want_groups " in *" $hw_each "*) continue ;; esac
    case $hw_want_groups_are in
      all) hw_leaving="$hw_leaving $hw_each" ;;
      *) hw_all_groups=$hw_all_groups,$hw_each ;;
    esac
  done
  hw_all_groups=${hw_all_groups#,}
  [ -z "$hw_joining$hw_leaving" ] || hw_user_differs groups
}

# hw_user_compare_secret [created]: password, lock and expiry, which only root may read. What stands in
# the password's place is to be hw_new_hash.
hw_user_compare_secret() {
  hw_lock='!' hw_found_at=/etc/shadow
  if [ ! -e /etc/shadow ] && [ -e /etc/master.passwd ]; then
    hw_lock='*LOCKED*' hw_found_at=/etc/master.passwd
  fi
  hw_found=$hw_newline$(cat -- "$hw_found_at") || hw_fail "can't read $hw_found_at, where passwords are" || return
  hw_found=${hw_found#*"$hw_newline$hw_account:"}
  hw_found=${hw_found%%"$hw_newline"*}
  hw_saw "shadow $hw_account $hw_found"
  hw_is_hash=${hw_found%%:*}
  # FreeBSD's line: hash:uid:gid:class:change:expire; others: hash:last:min:max:warn:inactive:expire.
  IFS=:
  set -f
  # shellcheck disable=SC2086 # the fields are to be split
  set -- "${1-}" $hw_found
  set +f
  IFS=" 	$hw_newline"
  case $hw_lock in '!') hw_is_expires=${8-} ;; *) hw_is_expires=${7-} ;; esac
  hw_bare=$hw_is_hash hw_is_locked=no
  while :; do
    case $hw_bare in "$hw_lock"*) hw_bare=${hw_bare#"$hw_lock"} hw_is_locked=yes ;; *) break ;; esac
  done
  # Behind the mark of one that never had a password is nothing.
  case $hw_bare in '' | '*') hw_has_password=no ;; *) hw_has_password=yes ;; esac
  hw_new_bare=$hw_bare hw_new_locked=${hw_want_locked:-$hw_is_locked}
  # The mark alone is what useradd leaves: the run that made the user did not come to its password.
  case $hw_is_hash in "$hw_lock" | "$hw_lock$hw_lock") hw_never=1 ;; *) hw_never='' ;; esac
  if [ -n "$hw_want_hash" ] && { [ "$hw_want_hash_when" = always ] || [ -n "$1$hw_never" ]; }; then
    hw_new_bare=$hw_want_hash
    [ -n "$hw_want_locked" ] || [ "$hw_has_password" = yes ] || hw_new_locked=no
  fi
  # To take the mark away must not leave an account that asks for no password.
  [ "$hw_new_locked$hw_is_locked$hw_new_bare" != noyes ] || hw_new_bare='*'
  hw_new_hash=$hw_new_bare
  [ "$hw_new_locked" = no ] || hw_new_hash=$hw_lock$hw_new_bare
  if [ -n "$hw_want_hash" ] && [ "$hw_new_bare" != "$hw_bare" ]; then hw_user_differs password; fi
  if [ "$hw_new_locked" != "$hw_is_locked" ] && [ -n "$hw_want_locked" ]; then
    case $hw_want_locked in yes) hw_user_differs locked ;; *) hw_user_differs unlocked ;; esac
  fi
  [ -n "$hw_want_expires" ] || return 0
  case $hw_lock in '!') hw_new_expires=$hw_want_days ;; *) hw_new_expires=${hw_want_seconds:-0} ;; esac
  [ "${hw_is_expires#-1}" = "$hw_new_expires" ] || hw_user_differs expires
}

# hw_user_groups_exist: fails before anything is done for want of a group.
hw_user_groups_exist() {
  for hw_each in $hw_want_group $hw_want_groups; do
    case $hw_each in
      *[!0-9]*)
        hw_find_group "$hw_each" || hw_known_elsewhere group "$hw_each" || hw_awaits group "$hw_each" "there is no group $hw_each" || return
        ;;
    esac
  done
}

hw_user_create() {
  hw_change_accounts || return
  hw_want_main=$hw_want_group
  # A group of its own name, unless another is wanted; it may be there.
  if [ -z "$hw_want_main" ] && hw_find_group "$hw_account"; then hw_want_main=$hw_account; fi
  hw_user_has_home
  set -- ${hw_want_uid:+-u "$hw_want_uid"} ${hw_want_shell:+-s "$hw_want_shell"}
  case $hw_by in
    shadow)
      if [ -n "$hw_want_main" ]; then set -- "$@" -g "$hw_want_main"; else set -- "$@" -U; fi
      if [ "$hw_want_create" = yes ]; then set -- "$@" -m; else set -- "$@" -M; fi
      useradd "$@" ${hw_want_home:+-d "$hw_want_home"} ${hw_want_comment:+-c "$hw_want_comment"} ${hw_want_system:+-r} -- "$hw_account"
      ;;
    pw)
      [ -z "$hw_want_main" ] || set -- "$@" -g "$hw_want_main"
      [ "$hw_want_create" != yes ] || set -- "$@" -m
      pw useradd -n "$hw_account" "$@" ${hw_want_home:+-d "$hw_want_home"} ${hw_want_comment:+-c "$hw_want_comment"} -h - </dev/null
      ;;
    busybox)
      if [ -z "$hw_want_main" ] && [ -n "$hw_want_system" ]; then
        # Else it would be in the group nogroup.
        addgroup -S -- "$hw_account" || return
        hw_want_main=$hw_account
      fi
      hw_busybox_group "$hw_want_main" || return
      [ "$hw_want_create" = yes ] || set -- "$@" -H
      adduser -D "$@" ${hw_found:+-G "$hw_found"} ${hw_want_home:+-h "$hw_want_home"} ${hw_want_comment:+-g "$hw_want_comment"} \
        ${hw_want_system:+-S} -- "$hw_account" >/dev/null
      ;;
  esac
}

# hw_user_has_home: one that is new gets a home directory, unless something else is wanted.
hw_user_has_home() {
  [ -n "$hw_want_create" ] || [ -n "$hw_want_system" ] || hw_want_create=yes
}

# hw_busybox_group NAME|GID: the name of a group into hw_found: busybox takes no numbers.
hw_busybox_group() {
  hw_found=$1
  case $1 in '' | *[!0-9]*) return 0 ;; esac
  hw_load_accounts
  case $hw_groups in *":$1:"*) ;; *) hw_fail "there is no group with the ID $1" || return ;; esac
  hw_found=${hw_groups%%":$1:"*}
  hw_found=${hw_found##*"$hw_newline"}
  hw_found=${hw_found%%:*}
}

# hw_user_change: what hw_pending lists.
hw_user_change() {
  [ -n "$hw_pending" ] || return 0
  hw_change_accounts || return
  # The files first: a later run sees by the account alone that they are still to be moved.
  hw_moved=
  if hw_user_must home && [ -n "$hw_want_move" ] && [ -d "$hw_is_home" ]; then
    if [ "$hw_by" = shadow ] && hw_user_must uid; then
      # It gives the user the files of the home directory that it knows.
      usermod -u "$hw_want_uid" -- "$hw_account" || hw_fail "could not change the user $hw_account" || return
      hw_pending="${hw_pending%% uid *} ${hw_pending#* uid }"
    fi
    hw_user_move_home || return
  fi
  hw_user_modify || {
    [ -z "$hw_moved" ] || mv -- "$hw_want_home" "$hw_is_home"
    hw_fail "could not change the user $hw_account"
    return
  }
  if hw_user_must directory; then
    hw_user_make_home || hw_fail "could not make ${hw_want_home:-$hw_is_home}" || return
  fi
  if hw_user_must password || hw_user_must locked || hw_user_must unlocked; then
    case $hw_by in
      pw) hw_lines "$hw_new_hash" | pw usermod -n "$hw_account" -H 0 ;;
      *) hw_lines "$hw_account:$hw_new_hash" | chpasswd -e 2>&1 ;;
    esac >&2 || hw_fail "could not set the password of $hw_account" || return
  fi
}

# hw_user_move_home: the home directory is where it is to be, as a whole. To another file system it is copied, under
# another name until that is done.
hw_user_move_home() {
  [ ! -e "$hw_want_home" ] ||
    hw_fail "$hw_want_home is there already: the files of $hw_account stay in $hw_is_home" || return
  hw_make_above "$hw_want_home" || return
  if [ "$(stat -c %d -- "$hw_is_home" 2>/dev/null)" = "$(stat -c %d -- "${hw_want_home%/*}/" 2>/dev/null)" ]; then
    mv -- "$hw_is_home" "$hw_want_home" || hw_fail "could not move $hw_is_home to $hw_want_home" || return
    hw_moved=1
    return
  fi
  hw_name_beside "$hw_want_home"
  hw_stage=$hw_beside
  cp -a -- "$hw_is_home" "$hw_stage" && mv -- "$hw_stage" "$hw_want_home" || {
    hw_drop_stage
    hw_fail "could not copy $hw_is_home to $hw_want_home: nothing has changed"
    return
  }
  hw_stage=
  rm -rf -- "$hw_is_home" || hw_fail "could not remove $hw_is_home, of which $hw_want_home is a copy"
}

hw_user_modify() {
  case $hw_by in
    shadow | pw) ;;
    busybox)
      hw_user_modify_by_field
      return
      ;;
  esac
  set --
  ! hw_user_must uid || set -- "$@" -u "$hw_want_uid"
  ! hw_user_must group || set -- "$@" -g "$hw_want_group"
  ! hw_user_must groups || set -- "$@" -G "$hw_all_groups"
  ! hw_user_must home || set -- "$@" -d "$hw_want_home"
  ! hw_user_must shell || set -- "$@" -s "$hw_want_shell"
  ! hw_user_must comment || set -- "$@" -c "$hw_want_comment"
  case $hw_by in
    shadow)
      case $hw_want_expires in never) hw_found='' ;; *) hw_found=$hw_want_expires ;; esac
      ! hw_user_must expires || set -- "$@" -e "$hw_found"
      [ $# -eq 0 ] || usermod "$@" -- "$hw_account"
      ;;
    pw)
      ! hw_user_must expires || set -- "$@" -e "$hw_new_expires"
      [ $# -eq 0 ] || pw usermod -n "$hw_account" "$@"
      ;;
  esac
}

# busybox has programs for groups only.
hw_user_modify_by_field() {
  if hw_user_must uid; then
    hw_set_field /etc/passwd "$hw_account" 3 "$hw_want_uid" || return
    # As usermod does it.
    hw_each=$hw_is_home
    [ -d "$hw_each" ] || hw_each=$hw_want_home
    [ ! -d "$hw_each" ] || find "$hw_each" -xdev -user "$hw_is_uid" -exec chown -h -- "$hw_want_uid" {} + || return
  fi
  if hw_user_must group; then
    hw_find_gid "$hw_want_group" && hw_set_field /etc/passwd "$hw_account" 4 "$hw_found" || return
  fi
  if hw_user_must groups; then
    for hw_each in $hw_joining; do addgroup -- "$hw_account" "$hw_each" || return; done
    for hw_each in $hw_leaving; do delgroup "$hw_account" "$hw_each" || return; done
  fi
  if hw_user_must comment; then hw_set_field /etc/passwd "$hw_account" 5 "$hw_want_comment" || return; fi
  if hw_user_must shell; then hw_set_field /etc/passwd "$hw_account" 7 "$hw_want_shell" || return; fi
  if hw_user_must home; then
    hw_set_field /etc/passwd "$hw_account" 6 "$hw_want_home" || return
  fi
  if hw_user_must expires; then hw_set_field /etc/shadow "$hw_account" 8 "$hw_want_days"; fi
}

# hw_user_make_home: the home directory of one who has none, for nobody else to read.
hw_user_make_home() {
  hw_find_user "$hw_account" || return
  hw_path=$hw_is_home
  hw_make_above "$hw_path" || return
  # Under its name when it is whole: that it is there is all that a later run looks at.
  hw_make_stage "$hw_path" || return
  # With the modes that they have there.
  { [ ! -d /etc/skel ] || cp -Rp -- /etc/skel/. "$hw_stage/"; } && chmod 700 -- "$hw_stage" &&
    chown -hR -- "$hw_is_uid:$hw_is_gid" "$hw_stage" && mv -- "$hw_stage" "$hw_path" && hw_stage='' && hw_label_below "$hw_path" && return
  hw_drop_stage
  return 1
}

# hw_user_remove: the account goes before its home directory, of which nothing would be known later.
hw_user_remove() {
  hw_change_accounts || return
  [ -z "$hw_want_remove" ] || hw_begin_work "home $hw_account" "$hw_is_uid $hw_is_home" || return
  case $hw_by in
    # It also fails where the home directory it is to remove was gone before.
    shadow) userdel ${hw_want_remove:+-r} -- "$hw_account" 2>&1 || { [ $? -eq 12 ] && [ ! -e "$hw_is_home" ]; } ;;
    pw) pw userdel -n "$hw_account" ${hw_want_remove:+-r} ;;
    busybox) deluser ${hw_want_remove:+--remove-home} "$hw_account" ;;
  esac >&2 || hw_fail "could not remove the user $hw_account" || return
  [ -z "$hw_want_remove" ] || hw_end_work "home $hw_account"
}

# hw_user_no_home: the home directory of one whom an earlier run has removed, but for that; as long as it is theirs.
hw_user_no_home() {
  [ -n "$hw_want_remove" ] && hw_was_begun "home $hw_account" || return 0
  hw_wanted=${hw_found%% *} hw_path=${hw_found#* }
  if [ -d "$hw_path" ] && [ ! -L "$hw_path" ]; then
    hw_stat "$hw_path" || return
    if [ "$hw_uid" = "$hw_wanted" ]; then
      hw_also 'home directory'
      [ -z "$hw_check" ] || return 0
      hw_act || return
      hw_touch_all
      rm -rf -- "$hw_path" || hw_fail "can't remove all of $hw_path" || return
    fi
  fi
  [ -n "$hw_check" ] || hw_end_work "home $hw_account"
}
