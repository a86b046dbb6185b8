# shellcheck shell=sh
# scratch.sh: a place for what must not outlive the session, nor be read by anybody else.
# Needs: leftover

# hw_scratch_make: a directory for us alone, into hw_scratch; gone when the step, or the session, ends. In
# bootstrap_dir; with --check, which is to leave no trace, in memory where there is such a place. Other
# users have no bootstrap_dir: theirs is in /tmp, under a name that nobody knows before.
hw_scratch_make() {
  [ -z "$hw_scratch" ] || return 0
  hw_own_mark
  [ -n "$hw_check" ] || hw_sweep_scratch
  if [ -z "$hw_dir$hw_check" ]; then
    hw_scratch=${TMPDIR:-/tmp}/hostwright-$hw_mine.$hw_token
  elif [ -n "$hw_check" ]; then
    hw_scratch=/dev/shm
    [ -d "$hw_scratch" ] && [ -w "$hw_scratch" ] || hw_scratch=${TMPDIR:-/tmp}
    hw_scratch=$hw_scratch/hostwright-$hw_mine.$hw_token
  else
    hw_make_dir || return
    hw_scratch=$hw_dir/scratch-$hw_mine
  fi
  # It fails where somebody has laid something there.
  mkdir -m 700 -- "$hw_scratch" || {
    hw_found=$hw_scratch hw_scratch=''
    hw_fail "can't make the directory $hw_found" || return
  }
  hw_scratch_is_ours=1
}

# hw_scratch_end: a step that made the directory needs it no more. It may be another part's, for all of the
# session: then what the step put there goes by itself.
hw_scratch_end() {
  [ -z "${hw_scratch_is_ours-}" ] || { rm -rf -- "$hw_scratch" && hw_scratch='' hw_scratch_is_ours=''; }
}
