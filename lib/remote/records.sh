# shellcheck shell=sh
# records.sh: what a host keeps of effects (see effect.sh), for who takes the lock: whether one is at work, which have no
# known end, and which are old.
# Needs: holder

# hw_run_works RUN: whether an effect of that run is at work: its runner, or its command where that was killed.
hw_run_works() {
  case $1 in '' | *[!0-9A-Za-z_-]*) return 1 ;; esac
  [ -d "$hw_dir/runs/$1" ] || return 1
  (
    for hw_each in "$hw_dir/runs/$1"/*/started; do
      [ ! -e "${hw_each%/*}/exit" ] && hw_read_lock "$hw_each" &&
        { hw_holder_alive || hw_holder_away || hw_command_works "${hw_each%/*}"; } && exit
    done
    exit 1
  )
}

# hw_command_works RECORD: whether the command of that effect is alive, whose runner hw_read_lock found: it is in the
# runner's session of the kernel, and the number of that is not given out again while it lives.
hw_command_works() {
  [ "$hw_holder_boot" = "$hw_boot" ] && { IFS= read -r hw_command_pid <"$1/pid"; } 2>/dev/null || return
  case $hw_command_pid in '' | *[!0-9]*) return 1 ;; esac
  { IFS= read -r hw_process_text <"/proc/$hw_command_pid/stat"; } 2>/dev/null || return
  # State, parent, process group, session: see hw_process_start.
  # shellcheck disable=SC2086 # the fields are to be split
  set -- ${hw_process_text##*) }
  [ "$1" != Z ] && [ "$1" != X ] && [ "$4" = "$hw_holder_pid" ]
}

# hw_sweep_runs RUN: the records of effects (see effect.sh) of the last twenty runs stay, and of earlier ones those where
# one has begun and not ended, of RUN, which may be resumed now, and of those whose upgrade is under way.
hw_sweep_runs() {
  [ -d "$hw_dir/runs" ] || return 0
  hw_runs_wanted=" $1 "
  set -- "$hw_dir"/runs/*/
  [ "$#" -gt 20 ] || return 0
  hw_find_wanted_runs
  while [ "$#" -gt 20 ]; do
    hw_run_wanted "$1" || ! hw_run_ended "$1" || rm -rf -- "$1"
    shift
  done
}

# hw_find_wanted_runs: the runs whose upgrade is under way, into hw_runs_wanted too, each between blanks.
hw_find_wanted_runs() {
  for hw_each in "$hw_dir"/products/*.intent; do
    [ -f "$hw_each" ] || continue
    while IFS= read -r hw_line; do
      case $hw_line in 'run = '*) hw_runs_wanted="$hw_runs_wanted${hw_line#*= } " ;; esac
    done <"$hw_each"
  done
}

hw_run_wanted() {
  hw_each=${1%/}
  case $hw_runs_wanted in *" ${hw_each##*/} "*) return 0 ;; esac
  return 1
}

hw_run_ended() {
  for hw_each in "$1"*/started; do
    case $hw_each in */product-*/started) continue ;; esac
    [ ! -e "$hw_each" ] || [ -e "${hw_each%/*}/exit" ] || return 1
  done
}

# hw_report_unknown: prints `left=RUN TITLE` for each command of an earlier run that began, and whose end is not known. Of
# upgrade scripts the intent says what is to be done: see intent.sh.
hw_report_unknown() {
  [ -d "$hw_dir/runs" ] || return 0
  for hw_path in "$hw_dir"/runs/*/*/started; do
    hw_each=${hw_path%/*}
    case $hw_each in */product-*) continue ;; esac
    [ -s "$hw_path" ] && [ ! -e "$hw_each/exit" ] || continue
    hw_found=${hw_each%/*} hw_found=${hw_found##*/}
    [ "$hw_found" != "$hw_lock_run" ] && hw_title_of "$hw_each" || continue
    hw_lines "left=$hw_found $hw_title"
  done
  return 0
}

# hw_title_of DIR: what people call the effect whose record that is, into hw_title.
hw_title_of() {
  { IFS= read -r hw_title <"$1/intent"; } 2>/dev/null || return
  hw_title=${hw_title#title=}
}
