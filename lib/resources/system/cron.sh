# shellcheck shell=sh
# cron.sh: jobs of cron, in a file of their own or in a user's crontab.
# Needs: text

# hw_cron_file PATH TEXT PERMS MODE user= take_over=: a file in a directory that cron reads, with a job of that user.
hw_cron_file() {
  hw_words 4 'user take_over' "$@" || return
  # Packages bring files for that directory without bringing cron.
  if [ ! -d "${1%/*}" ] || ! hw_cron_is_here; then
    hw_without "a cron that reads ${1%/*}" cron || return
  fi
  # For a user who is not there cron refuses the file.
  hw_has_account passwd "$hw_want_user" || hw_lacks user "$hw_want_user" "there is no user $hw_want_user for the job" || return
  hw_own_text "$1" "$2" content "$hw_want_take_over" "$3" "$4"
}

# hw_cron_is_here: whether a program is here that reads directories of jobs: cron, cronie's or dcron's crond,
# bcron, or what makes timers of them. busybox's crond does not; where it is, hw_cron_busybox is not empty. Found without
# a process.
hw_cron_is_here() {
  hw_cron_busybox=''
  IFS=:
  # shellcheck disable=SC2086 # a directory a word
  set -- $PATH
  IFS=" 	$hw_newline"
  for hw_found in "$@"; do
    for hw_each in cron crond cronie bcron-start; do
      # shellcheck disable=SC3013 # all shells of hosts have -ef
      [ -x "$hw_found/$hw_each" ] || continue
      [ "$hw_found/$hw_each" -ef /bin/busybox ] || return 0
      hw_cron_busybox=1
    done
  done
  for hw_each in /lib /usr/lib; do
    [ ! -e "$hw_each/systemd/system-generators/systemd-crontab-generator" ] || return 0
  done
  return 1
}

# hw_crontab USER NAME JOB: the crontab of USER (empty: ours) has the line JOB behind one that names it; an
# empty JOB is not there. A job that Ansible made under that name becomes ours.
hw_crontab() {
  hw_cron_mark="# hostwright: $2" hw_cron_other="#Ansible: $2" hw_cron_job=$3
  hw_crontab_read "$1" || return
  hw_cron_is_here || [ -z "$hw_cron_busybox" ] || hw_cron_plain_percent
  hw_cron_edit
  [ "$hw_cron_new" != "$hw_cron_old" ] || return 0
  case $3-$hw_cron_there in
    -*) hw_also removed ;;
    *-yes) hw_also content ;;
    *) hw_also created ;;
  esac
  hw_crontab_write
}

# hw_crontab_env USER [absent=] [-- NAME=VALUE…]: the crontab of USER (empty: ours) has these variables, for all of its jobs, or
# with `absent` none of these names.
hw_crontab_env() {
  hw_words 1 absent "$@" || return
  hw_crontab_read "$1" || return
  shift "$hw_skip"
  hw_cron_new=$hw_cron_old hw_cron_top=''
  for hw_cron_variable in "$@"; do
    hw_cron_find
    if [ -n "$hw_want_absent" ]; then
      [ "$hw_cron_times" -eq 0 ] || hw_also "${hw_cron_variable%%=*}"
    elif [ "$hw_cron_there" = yes ]; then
      continue
    else
      hw_also "${hw_cron_variable%%=*}"
      hw_cron_top=$hw_cron_top$hw_cron_variable$hw_newline
    fi
    hw_cron_new=$hw_cron_others
  done
  [ "$hw_status" = changed ] || return 0
  hw_cron_put_top
  hw_crontab_write
}

# hw_cron_find: where hw_cron_new has hw_cron_variable: hw_cron_times; whether once, as it is to be, and before all jobs:
# hw_cron_there; and all other lines: hw_cron_others.
hw_cron_find() {
  hw_cron_there='' hw_cron_times=0 hw_cron_others='' hw_rest=$hw_cron_new hw_each=''
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line$hw_newline"}
    hw_found=${hw_line#"${hw_line%%[! 	]*}"}
    case $hw_found in
      "${hw_cron_variable%%=*}"*)
        hw_found=${hw_found#"${hw_cron_variable%%=*}"}
        case ${hw_found#"${hw_found%%[! 	]*}"} in
          =*)
            hw_cron_times=$((hw_cron_times + 1))
            [ -n "$hw_each" ] || [ "$hw_line" != "$hw_cron_variable" ] || hw_cron_there=yes
            continue
            ;;
        esac
        ;;
      [0-9*@]*) hw_each=job ;;
    esac
    hw_cron_others=$hw_cron_others$hw_line$hw_newline
  done
  [ "$hw_cron_times" -eq 1 ] || hw_cron_there=
}

# hw_cron_put_top: hw_cron_top into hw_cron_new: behind the comments at its beginning, and before what names a job.
hw_cron_put_top() {
  hw_rest=$hw_cron_new hw_cron_new=''
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    case $hw_line in
      '# hostwright: '* | '#Ansible: '*) break ;;
      '' | '#'*) ;;
      *) break ;;
    esac
    hw_rest=${hw_rest#"$hw_line$hw_newline"} hw_cron_new=$hw_cron_new$hw_line$hw_newline
  done
  hw_cron_new=$hw_cron_new$hw_cron_top$hw_rest
}

# hw_crontab_read USER: the crontab of USER (empty: ours) into hw_cron_old.
hw_crontab_read() {
  hw_cron_user=$1
  command -v crontab >/dev/null || hw_without crontab cron || return
  if ! hw_cron_old=$(hw_crontab_of -l 2>/dev/null); then
    case $(hw_crontab_of -l 2>&1) in
      *'no crontab for'* | *'No such file'*) hw_cron_old='' ;;
      *)
        hw_crontab_unread "$1" || return
        ;;
    esac
  fi
  hw_saw "crontab $1 $hw_cron_old"
  hw_cron_old=$hw_cron_old${hw_cron_old:+$hw_newline}
}

# hw_crontab_write: hw_cron_new becomes the crontab of hw_cron_user.
hw_crontab_write() {
  if [ -n "$hw_diff" ]; then
    hw_mark old
    hw_put "$hw_cron_old"
    hw_mark new
    hw_put "$hw_cron_new"
  fi
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_put "$hw_cron_new" | hw_crontab_of - || hw_fail "could not set the crontab of ${hw_cron_user:-this user}"
}

# hw_cron_plain_percent: to busybox's crond a % is nothing special, and the backslash that other crons take away from before
# it stays.
hw_cron_plain_percent() {
  hw_rest=$hw_cron_job hw_cron_job=
  while :; do
    case $hw_rest in *'\%'*) ;; *) break ;; esac
    hw_cron_job=$hw_cron_job${hw_rest%%'\%'*}%
    hw_rest=${hw_rest#*'\%'}
  done
  hw_cron_job=$hw_cron_job$hw_rest
}

# hw_crontab_unread USER: why it can't be read.
hw_crontab_unread() {
  set -- "$1" "$(hw_crontab_of -l 2>&1)${hw_newline}can't read the crontab of ${1:-this user}"
  if hw_has_account passwd "$1"; then hw_fail "$2"; else hw_lacks user "$1" "$2"; fi
}

# hw_crontab_of OPTION: crontab for hw_cron_user.
hw_crontab_of() {
  if [ -n "$hw_cron_user" ]; then crontab -u "$hw_cron_user" "$1"; else crontab "$1"; fi
}

# hw_cron_edit: hw_cron_old with the job into hw_cron_new; hw_cron_there is yes if it was there in some form.
hw_cron_edit() {
  hw_cron_new='' hw_cron_there='' hw_skip='' hw_rest=$hw_cron_old
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line$hw_newline"}
    # The line behind the mark is the job, unless somebody has taken it away. A job is turned off by a sign in front.
    case $hw_skip-$hw_line in
      -* | ?-) hw_skip='' ;;
      ?-'#'[0-9*@]*) hw_skip=this ;;
      ?-'#'*) hw_skip='' ;;
      *) hw_skip=this ;;
    esac
    if [ -n "$hw_skip" ]; then
      hw_skip=
      continue
    fi
    case $hw_line in
      "$hw_cron_mark") hw_skip=1 ;;
      "$hw_cron_other") hw_skip=2 ;;
      *)
        hw_cron_new=$hw_cron_new$hw_line$hw_newline
        continue
        ;;
    esac
    # One that stands there twice would run twice.
    [ -n "$hw_cron_there" ] || [ -z "$hw_cron_job" ] || hw_cron_add
    hw_cron_there=yes
  done
  [ -n "$hw_cron_there" ] || [ -z "$hw_cron_job" ] || hw_cron_add
}

hw_cron_add() {
  hw_cron_new=$hw_cron_new$hw_cron_mark$hw_newline$hw_cron_job$hw_newline
}
