# shellcheck shell=sh
# cron.sh: jobs of cron, in a file of their own or in a user's crontab.
# Needs: text

# hw_cron_file PATH TEXT PERMS MODE: a file in a directory that cron reads.
hw_cron_file() {
  if [ ! -d "${1%/*}" ]; then
    hw_cron_unknown && return
    hw_without "a cron that reads ${1%/*}" cron || return
  fi
  hw_shown_text "$1" "$2" content "$3" "$4"
}

# hw_cron_unknown: with --check, an earlier step may bring cron or the user.
hw_cron_unknown() {
  [ -n "$hw_check" ] && hw_note=unknown hw_status=changed
}

# hw_crontab USER NAME JOB: the crontab of USER (empty: ours) has the line JOB behind one that names it; an
# empty JOB is not there.
hw_crontab() {
  hw_cron_user=$1 hw_cron_mark="# hostwright: $2" hw_cron_job=$3
  if ! command -v crontab >/dev/null; then
    hw_cron_unknown && return
    hw_without crontab cron || return
  fi
  if ! hw_cron_old=$(hw_crontab_of -l 2>/dev/null); then
    case $(hw_crontab_of -l 2>&1) in
      *'no crontab for'* | *'No such file'*) hw_cron_old='' ;;
      *)
        hw_cron_unknown && return
        hw_crontab_of -l >&2
        hw_fail "can't read the crontab of ${1:-this user}" || return
        ;;
    esac
  fi
  hw_saw "crontab $1 $hw_cron_old"
  hw_cron_old=$hw_cron_old${hw_cron_old:+$hw_newline}
  hw_cron_edit
  [ "$hw_cron_new" != "$hw_cron_old" ] || return 0
  case $3-$hw_cron_there in
    -*) hw_also removed ;;
    *-yes) hw_also content ;;
    *) hw_also created ;;
  esac
  if [ -n "$hw_diff" ]; then
    hw_mark old
    hw_put "$hw_cron_old"
    hw_mark new
    hw_put "$hw_cron_new"
  fi
  [ -z "$hw_check" ] || return 0
  hw_put "$hw_cron_new" | hw_crontab_of - || hw_fail "could not set the crontab of ${1:-this user}"
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
    if [ -n "$hw_skip" ]; then
      hw_skip=
      # The line behind the mark is the job, unless somebody has taken it away.
      case $hw_line in '' | '#'*) ;; *) continue ;; esac
    fi
    if [ "$hw_line" != "$hw_cron_mark" ]; then
      hw_cron_new=$hw_cron_new$hw_line$hw_newline
      continue
    fi
    hw_skip=1
    # One that stands there twice would run twice.
    [ -n "$hw_cron_there" ] || [ -z "$hw_cron_job" ] || hw_cron_add
    hw_cron_there=yes
  done
  [ -n "$hw_cron_there" ] || [ -z "$hw_cron_job" ] || hw_cron_add
}

hw_cron_add() {
  hw_cron_new=$hw_cron_new$hw_cron_mark$hw_newline$hw_cron_job$hw_newline
}
