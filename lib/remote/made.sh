# shellcheck shell=sh
# made.sh: which of the files that a resource owns as a whole it has made: $hw_dir/made, a path a line. In the
# place of one there may be a package's file of that name, or a link to another file: Debian's
# /etc/sysctl.d/99-sysctl.conf leads to /etc/sysctl.conf.
# Needs: noted

# hw_may_take PATH TAKE_OVER: fails where something is there that the resource did not make, unless TAKE_OVER is
# `yes`. Asked before it is replaced.
hw_may_take() {
  [ "$2" != yes ] || return 0
  if [ -L "$1" ]; then
    hw_fail "$1 is a link, which hostwright did not make: it is not followed" foreign_file
  elif [ -e "$1" ]; then
    hw_is_made "$1" || hw_fail "$1 exists, and hostwright did not make it" foreign_file
  fi
}

# hw_is_made PATH: hw_made_file is where that is noted. Of the users who have no bootstrap_dir only root owns
# such files.
hw_is_made() {
  hw_made_file=${hw_dir:-/var/lib/hostwright}/made
  hw_is_noted "$hw_made_file" "$1"
}

# hw_note_made PATH: it is ours from now on. Asked before it is made: what is cut off then is taken for ours.
hw_note_made() {
  hw_is_made "$1" || hw_add_note "$hw_made_file" "$1"
}

# hw_forget_made PATH: it is no longer. Asked before it is removed: nobody looks for what is not there.
hw_forget_made() {
  ! hw_is_made "$1" || hw_drop_note "$hw_made_file" "$1"
}
