# shellcheck shell=sh
# users.sh: users and groups of the host's own files. lib/facts/users.ts reads it.
# Needs: fact

# hw_fact_users: the two files, in sections that begin with a line `[NAME]`.
hw_fact_users() {
  for hw_each in passwd group; do
    [ -r "/etc/$hw_each" ] || hw_fail "can't read /etc/$hw_each" || return
    hw_fact_section "$hw_each" cat "/etc/$hw_each"
    # A last line need not have an end.
    echo
  done
}
