# shellcheck shell=sh
# state.sh: the dynamic state in bootstrap_dir: server.ini, products/*.ini, and handlers, those that a run
# left due (see step.sh).

# hw_may_look: fails where this user may not look into bootstrap_dir: it would seem that nothing is there.
hw_may_look() {
  [ ! -d "$hw_dir" ] || [ -x "$hw_dir" ] || hw_fail "this user may not look into $hw_dir" state_unreadable
}

# hw_read_state: every state file, each after a marker that names it. Read with built-ins: most hosts have three.
hw_read_state() {
  hw_may_look || return
  for hw_path in "$hw_dir/server.ini" "$hw_dir"/products/*.ini "$hw_dir/handlers"; do
    [ -f "$hw_path" ] || continue
    hw_mark file "${hw_path#"$hw_dir"/}"
    while IFS= read -r hw_line || [ -n "$hw_line" ]; do
      hw_lines "$hw_line"
    done <"$hw_path" || hw_fail "can't read $hw_path" state_unreadable || return
  done
}

# hw_make_dir: bootstrap_dir, for nobody else to read.
hw_make_dir() {
  hw_private_directory "$hw_dir" || hw_fail "can't make the directory $hw_dir"
}
