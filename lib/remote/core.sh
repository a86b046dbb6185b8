# shellcheck shell=sh
# core.sh: the frame around every step, and the first answer of a session.
#
# The controller feeds these files to one `sh` on the host and then sends one short call a step. All
# names begin with hw_. There is no `local` in POSIX, so a function's variables are plain ones; what
# outlives a function is named here:
#   hw_nonce  word that only this session knows; begins every marker, so it must never be printed
#   hw_token  another such word, for names of temporary files: those show in messages
#   hw_dir    bootstrap_dir on this host
#   hw_id     id of the running step
#   hw_status ok | changed | need | failed, set by the running step (ok unless it says otherwise)
#   hw_note   a few words on what changed
#   hw_code   error code of a failure, or -
#   hw_stop   why the rest of the segment is not run: failed | need | interrupted, or empty
#   hw_check  1 with --check: find out, change nothing
#   hw_diff   1 with --diff: send the old and the new text of what changes
#   hw_plan   1 for a plan: send a hash of what each step saw
#   hw_leaving  not empty: the end of the input is meant, and no connection was lost
#   hw_acted  not empty: the running step may have changed something by now, and what it notifies is written down
#   hw_plain  directories in which new files have the mode that they are made with, see hw_is_plain
#   hw_modal  those of them whose file system is known to have modes
#   hw_confirm_open  id of the change that is not confirmed yet (see confirm.sh), or empty
#   hw_gathered_names  names that were gathered for all steps of the segment, each as ` KIND/NAME `
#
# A marker is nonce, word, arguments, newline, right behind the output before it: that stays byte-exact
# whether or not it ends its line, and what is there of it can be shown at once.

# A login whose startup files run `read` takes the first lines away: hw_first is looked for behind the functions.
# Each check is one line, for the same reason; lib/session/no-shell.ts knows their words.
hw_first=1
[ -z "${ZSH_VERSION-}" ] || { echo 'hostwright: this shell is zsh' >&2; exit 1; }
{ [ -c /dev/null ] && [ -r /dev/null ] && [ -w /dev/null ]; } || { echo 'hostwright: no usable /dev/null' >&2; exit 1; }
# bash takes options from SHELLOPTS, which startup files may export.
set +efuC

# What the host's profile may have set must not change what our commands print.
hw_lc_all=${LC_ALL-}
LC_ALL=C
export LC_ALL
unset CDPATH TIME_STYLE QUOTING_STYLE POSIXLY_CORRECT BASH_ENV ENV
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# What resources make does not depend on the login's umask; the commands of recipes get that back, see
# hw_enter. It is read from /proc, as $(umask) forks; kernels before 4.7 don't show it there.
hw_umask=
if [ -r /proc/self/status ]; then
  while read -r hw_each hw_line; do
    [ "$hw_each" != Umask: ] || { hw_umask=$hw_line && break; }
  done </proc/self/status
fi
hw_umask=${hw_umask:-$(umask)}
umask 022
hw_newline='
'

# hw_put TEXT: print TEXT and nothing else.
# hw_bytes TEXT: the same, with \0ooo for bytes and \\ for a backslash.
# hw_lines TEXT…: a line each.
# All without a process of their own, so that no text shows in a process list: printf is built in everywhere
# but in mksh.
if [ -n "${KSH_VERSION-}" ]; then
  # shellcheck disable=SC3061 # print is what mksh has
  hw_put() { print -rn -- "$1"; }
  # shellcheck disable=SC3061
  hw_bytes() { print -n -- "$1"; }
  hw_lines() {
    for hw_text in "$@"; do
      # shellcheck disable=SC3061
      print -r -- "$hw_text"
    done
  }
else
  hw_put() { printf %s "$1"; }
  hw_bytes() { printf %b "$1"; }
  hw_lines() { printf '%s\n' "$@"; }
fi

# hw_mark WORD…: a marker line on standard output. The words hold no newline. One text, so that it is
# one write(2) and what a process in the background prints can't get into it; echo is two in bash.
hw_mark() {
  hw_put "$hw_nonce $*$hw_newline"
}

# hw_segment CHECK DIFF PLAN [again]: a segment begins. `again` goes on with one that stopped for content:
# what was gathered of files still holds, but for what was touched since.
hw_segment() {
  hw_check=$1 hw_diff=$2 hw_plan=$3
  [ "$hw_stop" = interrupted ] || hw_stop=
  [ -n "${4-}" ] || hw_forget
}

# Where a step has to look again is noted here. Most runs change nothing, so the state of all paths of a
# segment is gathered at its start with one process for all (hw_gather_*), and a step looks there first. A
# path that a step touched is asked again, and each of the same last name; after a command, a package or
# a service anything may have changed, so all are.
hw_forget() {
  hw_touched=$hw_newline hw_touched_all='' hw_changes='' hw_fresh_services='' hw_gathered_names=''
  hw_plain=$hw_newline hw_modal=$hw_newline
}

# hw_touch PATH: what was gathered of PATH holds no longer. hw_touch_all: of any path. A path has many
# spellings, as one of its directories may be a link or `..`; but the last name is the same in all of
# them (PATH itself is not a link, see hw_resolve), unless it is a dot name itself. So it is with directories that
# are known to be plain.
hw_touch() {
  case ${1##*/} in
    . | ..) hw_touch_all ;;
    *) hw_touched=$hw_touched${1##*/}$hw_newline ;;
  esac
  case $hw_plain in */"${1##*/}"/*) hw_plain=$hw_newline hw_modal=$hw_newline ;; esac
}
hw_touch_all() { hw_touched_all=1 hw_plain=$hw_newline hw_modal=$hw_newline; }

# hw_act: the running step is about to change something. What it notifies is written down first (see hw_notify in
# step.sh), so that it is not lost, and what must be confirmed is kept. Where that can't be, nothing must change: `hw_act || return`.
# It is called in the middle of anything, but not in a subshell.
hw_act() {
  [ -z "$hw_acted" ] || return 0
  [ -z "$hw_confirming" ] || "$hw_confirming" || return
  [ -z "$hw_notifying" ] || "$hw_notifying" || return
  hw_acted=1
}

# hw_words COUNT KEYS ARGUMENT…: read the KEY=VALUE words that stand behind the first COUNT arguments: the
# value of each of KEYS into hw_want_KEY, empty where there is no such word. They end with the last argument,
# or with `--`; hw_skip is how many arguments that was. A key that is not one of KEYS fails the step: a value
# must never become a variable of another name, nor code.
hw_words() {
  for hw_each in $2; do eval "hw_want_$hw_each="; done
  hw_keys=" $2 " hw_skip=$1
  shift $((hw_skip + 2))
  for hw_each in "$@"; do
    hw_skip=$((hw_skip + 1))
    [ "$hw_each" != -- ] || return 0
    hw_key=${hw_each%%=*}
    case $hw_key in
      "$hw_each" | '' | *[!a-z0-9_]*) hw_key=' ' ;;
    esac
    case $hw_keys in
      *" $hw_key "*) eval "hw_want_$hw_key=\${hw_each#*=}" ;;
      *) hw_fail "an argument is not one of$hw_keys" || return ;;
    esac
  done
}

# hw_step ID FUNCTION ARGUMENT…: run one step between its markers. It reads from /dev/null, as this
# shell's own standard input is the script.
hw_step() {
  hw_id=$1 hw_status=ok hw_note='' hw_code=- hw_seen='' hw_in_place=mounted hw_acted=''
  shift
  if [ -n "$hw_stop" ]; then
    [ -z "$hw_confirm_open" ] || [ "$hw_stop" = need ] || "$hw_giving_up"
    hw_end skipped 0
    return
  fi
  "$@" </dev/null
  hw_exit_status=$?
  if [ "$hw_exit_status" -ne 0 ]; then
    hw_status=failed
    hw_stop=${hw_stop:-failed}
  elif [ "$hw_status" = need ]; then
    hw_stop=${hw_stop:-need}
  fi
  [ "$hw_status" != changed ] || { hw_changes="$hw_changes $hw_id " && [ -z "$hw_at_change" ]; } || "$hw_at_change"
  [ -z "$hw_plan" ] || hw_mark_seen
  hw_end "$hw_status" "$hw_exit_status"
}

# hw_end STATUS EXIT: the markers that end a step, on both streams.
hw_end() {
  hw_mark end "$hw_id" "$1" "$2" "$hw_code" "$hw_note"
  hw_mark end "$hw_id" >&2
}

# hw_also WORD: one more thing that changes.
hw_also() {
  hw_note=${hw_note:+$hw_note, }$1
  hw_status=changed
}

# hw_private_file PATH: an empty file for us alone, where there is none of that name. In a directory with a
# default ACL the kernel ignores the umask, so the mode is set before anything comes into it. By `true` and
# not `:`, whose failed redirection would end the shell, as it is a special built-in.
hw_private_file() {
  (umask 077 && set -C && true >"$1") && chmod 600 -- "$1"
}

# hw_private_directory PATH: a directory for us alone, as those above it that are missing.
hw_private_directory() {
  [ ! -d "$1/" ] || return 0
  case $1 in /*/*) hw_private_directory "${1%/*}" || return ;; esac
  # Another process may be faster.
  mkdir -m 700 -- "$1" || [ -d "$1/" ]
}

# hw_no_directory PATH: fails if PATH is a directory or a link to one: mv and ln would work inside it.
hw_no_directory() {
  [ ! -d "$1" ] || hw_fail "$1 is a directory, not a file"
}

# hw_saw TEXT: what a step found on the host, before it decides. `hostwright plan` keeps a hash of it, and
# `hostwright apply` does nothing on a host where it is another: see docs/protocol.md.
hw_saw() {
  [ -z "$hw_plan" ] || hw_seen=$hw_seen$1$hw_newline
}

# hw_mark_seen: the hash of all that the step saw.
hw_mark_seen() {
  # shellcheck disable=SC2086 # the program and its options
  hw_found=$(hw_put "$hw_seen" | ${hw_sha:-cksum}) && hw_mark saw "$hw_id" "${hw_found%% *}"
}

# hw_fail MESSAGE [CODE]: say why a step fails. Use as `hw_fail … || return`.
hw_fail() {
  hw_lines "$1" >&2
  hw_code=${2:-step_failed} hw_unknown=''
  return 1
}

# hw_awaits KIND NAME MESSAGE [CODE]: as hw_fail, of a step for want of what an earlier one may make; but with --check,
# if one would make it, all is well. KIND and NAME: see hw_foresees.
hw_awaits() {
  ! hw_explain "$1" "$2" || return 0
  shift 2
  hw_fail "$@"
}

# hw_explain KIND NAME: whether, with --check, an earlier step would make it: then hw_explained says which.
hw_explain() {
  hw_explained=
  [ -z "$hw_check" ] || [ -z "$hw_foresight" ] || hw_explained=$("$hw_foresight" "$1" "$2")
  [ -n "$hw_explained" ]
}

# hw_lacks KIND NAME MESSAGE [CODE]: the same, where the step can't go on without it. It fails in any case, and is
# unknown, not failed, if an earlier step explains that: see hw_foresee.
hw_lacks() {
  hw_awaits "$@" && hw_unknown=$hw_explained
  return 1
}

# hw_drop_incoming PATH: what came in beside the session (receive.sh) is not needed any more.
hw_drop_incoming() {
  rm -f -- "$1" && hw_drop_empty "$1"
}

# hw_drop_empty PATH: of another user's directory for it nothing is left once it is empty.
hw_drop_empty() {
  case $1 in
    */.cache/hostwright/incoming/*) rmdir -- "${1%/*}" "${1%/*/*}" "${1%/*/*/*}" 2>/dev/null ;;
    /var/tmp/hostwright-*) rmdir -- "${1%/*}" 2>/dev/null ;;
  esac
  return 0
}

# hw_refuse MESSAGE PATH: the failure of a step that would act on another machine than the host; there is nothing to
# refuse without PATH, unless that is empty.
hw_refuse() {
  [ -n "$2" ] && [ ! -e "$2" ] || hw_fail "$1"
}

# hw_leave_out MESSAGE: a step that has nothing to do on such a host.
hw_leave_out() {
  hw_note="left out: $1"
}

# hw_without PROGRAM PACKAGE: the failure of a step for want of a program.
hw_without() {
  hw_lacks program "$1" "$1 is not on this host; the package that has it is $2" tool_missing
}

# hw_begin NONCE BOOTSTRAP_DIR: the session's first step: facts, one `name=value` a line, then the
# dynamic state. A marker sets them apart from what the login said before.
hw_begin() {
  hw_nonce=$1 hw_dir=$2
  hw_mark facts
  hw_detect
  hw_facts
  hw_read_state
}

# What this host's programs are. Found with built-ins only: no process.
hw_detect() {
  hw_sha_value='*  '
  if command -v sha256sum >/dev/null; then
    hw_sha='sha256sum'
  elif command -v shasum >/dev/null; then
    hw_sha='shasum -a 256'
  elif command -v openssl >/dev/null; then
    hw_sha='openssl dgst -sha256 -r' hw_sha_value='* [*]'
  else
    hw_sha=
  fi
  hw_package_manager=
  for hw_each in apt-get dnf yum apk pacman zypper brew; do
    if command -v "$hw_each" >/dev/null; then
      hw_package_manager=$hw_each
      break
    fi
  done
  if [ -d /run/systemd/system ]; then
    hw_init=systemd
  elif [ -e /run/openrc/softlevel ]; then
    # The directory alone comes with the package already.
    hw_init=openrc
  elif [ -d /etc/init.d ] || [ -d /etc/rc.d ]; then
    hw_init=sysv
  else
    hw_init=
  fi
}

# hw_facts: what kind of host this is. On Linux all of it is read, with no process.
hw_facts() {
  if [ -r /proc/sys/kernel/arch ]; then
    read -r hw_os </proc/sys/kernel/ostype
    read -r hw_host </proc/sys/kernel/hostname
    read -r hw_machine </proc/sys/kernel/arch
  else
    # uname prints system, node, machine, in this order whatever the order of its options.
    hw_host=$(uname -s -m -n) || hw_host='unknown unknown unknown'
    hw_os=${hw_host%% *} hw_machine=${hw_host##* }
    hw_host=${hw_host#* } hw_host=${hw_host% *}
  fi
  hw_count_cpus
  hw_lines "os=$hw_os" "hostname=$hw_host" "architecture=$hw_machine" \
    "packageManager=$hw_package_manager" "init=$hw_init" "pid=$$" "cpus=$hw_cpus"
  if [ -r /proc/meminfo ]; then
    # The first line is `MemTotal: 123 kB`.
    # shellcheck disable=SC2034 # its name and its unit
    read -r hw_each hw_kib hw_rest </proc/meminfo
    hw_lines "memoryKib=$hw_kib"
  fi
  # Values of os-release are quoted as in shell; they are read as text, not run.
  for hw_each in /etc/os-release /usr/lib/os-release; do
    [ -r "$hw_each" ] || continue
    while IFS= read -r hw_line || [ -n "$hw_line" ]; do
      case $hw_line in
        ID=* | VERSION_ID=* | VERSION_CODENAME=*) hw_lines "$hw_line" ;;
      esac
    done <"$hw_each"
    break
  done
}

# hw_count_cpus: processors online into hw_cpus. The kernel lists them as `0-3,5`.
hw_count_cpus() {
  hw_cpus=0
  if [ -r /sys/devices/system/cpu/online ]; then
    read -r hw_each </sys/devices/system/cpu/online
    while [ -n "$hw_each" ]; do
      hw_line=${hw_each%%,*}
      hw_each=${hw_each#"$hw_line"} hw_each=${hw_each#,}
      hw_cpus=$((hw_cpus + ${hw_line#*-} - ${hw_line%-*} + 1))
    done
  else
    hw_cpus=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  fi
}

# hw_elapse: seconds into hw_seconds, to measure how long something takes. The uptime is steady even if the
# clock is corrected.
hw_elapse() {
  if [ -r /proc/uptime ]; then
    IFS=' .' read -r hw_seconds hw_each </proc/uptime
  else
    hw_seconds=$(date +%s)
  fi
}

# hw_cleanup: what must not outlive the session. Runs at the shell's end, however it comes: end of
# input, lost connection (a write fails: SIGPIPE), or a signal. A second signal must not cut it short.
# A goodbye says that the end has come: a process in the background may keep the streams open. The
# lock comes last, see hw_unlock.
hw_cleanup() {
  hw_exit_status=$?
  trap - EXIT
  trap '' HUP INT PIPE TERM USR1 USR2
  [ "$hw_status" != changed ] || [ -z "$hw_at_change" ] || "$hw_at_change" 2>/dev/null
  [ -z "$hw_at_end" ] || "$hw_at_end" 2>/dev/null
  [ -z "$hw_confirm_open" ] || [ -z "$hw_leaving" ] || "$hw_giving_up" 2>/dev/null
  [ -z "$hw_temporary" ] || rm -f -- "$hw_temporary" "$hw_temporary".*
  [ -z "$hw_stage$hw_scratch" ] || rm -rf -- ${hw_stage:+"$hw_stage"} ${hw_scratch:+"$hw_scratch"}
  if [ -n "$hw_nonce" ]; then
    hw_mark bye "$hw_exit_status" 2>/dev/null
    hw_mark bye >&2 2>/dev/null
  fi
  [ -z "$hw_claim" ] || hw_unlock exec
}

[ -n "${hw_first-}" ] || { echo 'hostwright: the login read input' >&2; exit 1; }
hw_nonce='' hw_token=none hw_dir='' hw_id=0 hw_stop='' hw_check='' hw_diff='' hw_plan='' hw_changes=''
hw_trigger=0 hw_temporary='' hw_stage='' hw_scratch='' hw_index='' hw_claim='' hw_due='' hw_due_loaded=''
hw_notifying='' hw_confirming='' hw_confirm_open='' hw_giving_up='' hw_at_end='' hw_at_change='' hw_acted='' hw_foresight='' hw_unknown='' hw_leaving='' hw_status=ok
hw_forget
trap hw_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
# The controller's first Ctrl-C: the running step ends by itself, the rest of the segment is skipped.
trap 'hw_stop=interrupted' USR1
# The running step took too long: it is ended, and so is its segment.
trap '[ "$hw_stop" = interrupted ] || hw_stop=failed' USR2
