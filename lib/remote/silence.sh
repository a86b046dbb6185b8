# shellcheck shell=sh
# silence.sh: sessions whose network has fallen silent. Neither end hears of that, and the host's shell would wait for its
# next line, with the lock, for as long as TCP does: two hours. So the controller sends a line every now and then, which
# keepalive.sh hears; a shell that has heard nothing for a while is ended. bootstrap.heard says when the holder of the lock
# was last heard: who that is, a blank, and hw_elapse's seconds. Of a session that has not lasted long enough for that, the
# lock itself has them.

# How long a silence ends a session, in seconds; see lib/session/keepalive.ts.
hw_silence_limit=60

# hw_note_heard HOLDER: the holder of the lock was heard just now.
hw_note_heard() {
  hw_elapse
  { [ -f "$hw_dir/bootstrap.heard" ] || hw_private_file "$hw_dir/bootstrap.heard"; } &&
    hw_lines "$1 $hw_seconds" >"$hw_dir/bootstrap.heard"
}

# hw_heard: this session was, by its own shell, as the host lets nobody else listen.
hw_heard() {
  [ -z "$hw_claim" ] || hw_note_heard "$hw_self" 2>/dev/null
}

# hw_measure_silence: for how many seconds the holder that hw_read_lock found was not heard, into hw_silent; empty where
# that is not known.
hw_measure_silence() {
  hw_silent='' hw_heard_at=$hw_holder_heard
  if [ -f "$hw_dir/bootstrap.heard" ]; then
    { read -r hw_heard_who hw_heard_when <"$hw_dir/bootstrap.heard"; } 2>/dev/null
    [ "$hw_heard_who" != "$hw_holder" ] || hw_heard_at=$hw_heard_when
  fi
  case $hw_heard_at in '' | *[!0-9]*) return 0 ;; esac
  hw_elapse
  hw_silent=$((hw_seconds - hw_heard_at))
  [ "$hw_silent" -ge 0 ] || hw_silent=0
}
