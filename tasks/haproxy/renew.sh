# shellcheck shell=sh
# Reloads or restarts haproxy without putting back into service what somebody took out of it: states that were
# set at its admin socket live in the process alone. Needs SERVICE, ACTION (reload or restart), SOCKET and STATES,
# the file that haproxy.cfg names as server-state-file.
set -u
# haproxy, which may have a user of its own, reads the file.
umask 022

# One command to the admin socket.
ask() {
  if command -v socat >/dev/null; then
    echo "$1" | socat -t 5 - "UNIX-CONNECT:$SOCKET"
  elif command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # for perl
    perl -MIO::Socket::UNIX -e '
      my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
      syswrite $s, "$ARGV[1]\n"; print while <$s>' "$SOCKET" "$1"
  elif command -v python3 >/dev/null; then
    python3 -I -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b"\n")
for part in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(part)' "$SOCKET" "$1"
  else
    echo 'the states of servers can be read with socat, perl or python3: install one of them' >&2
    exit 1
  fi
}

# The process that answers at the socket.
process() {
  ask 'show info' 2>/dev/null | sed -n 's/^Pid: *//p'
}

# A file of version 1 without servers. It is this between two runs of this script, so that a restart of the
# machine does not bring back what has long been over.
none() {
  echo 1 >"$STATES.new" && mv -f "$STATES.new" "$STATES"
}

mkdir -p "${STATES%/*}" || exit
before=
if [ -S "$SOCKET" ]; then
  before=$(process)
  # Only what a person set: forced maintenance (bit 1) or drain (bit 8), and weights. Whether a server is up,
  # haproxy has to find out again (check status 1, INI), as the new configuration may have changed that.
  ask 'show servers state' | awk '
    /^#/ || NF < 12 { if (NF) print; next }
    { forced = $7 % 2 || int($7 / 8) % 2 }
    forced || $8 != $9 { if (!forced) $11 = 1; print }' >"$STATES.new" && [ -s "$STATES.new" ] &&
    mv -f "$STATES.new" "$STATES" || none || exit
else
  none || exit
fi

case $SERVICE in
  /*) "$SERVICE" "$ACTION" ;;
  *)
    if [ -d /run/systemd/system ]; then
      systemctl "$ACTION" "$SERVICE"
    elif [ -e /run/openrc/softlevel ]; then
      rc-service "$SERVICE" "$ACTION"
    else
      "/etc/init.d/$SERVICE" "$ACTION"
    fi
    ;;
esac
result=$?

# A reload may go on behind this: the states are read by the new process.
for each in 1 2 3 4 5 6 7 8 9 10; do
  [ "$result" -eq 0 ] || break
  after=$(process)
  [ -z "$after" ] || [ "$after" = "$before" ] || break
  sleep "$each"
done
none || exit
exit "$result"
