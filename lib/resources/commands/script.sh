# shellcheck shell=sh
# script.sh: scripts of the controller, run on the host.
# Needs: command

# hw_script NAME COMMAND [text=] [creates=] [unless=] [only_if=] [ok=] [changed=] [seconds=] [directory=] [input=]
# [env=]… [content=]: as hw_command, of a script that COMMAND finds in a file of the name in $HOSTWRIGHT_SCRIPT. It
# is `text`, or what the function `content` prints; the step asks for that.
hw_script() {
  hw_words 2 'text creates unless only_if ok changed seconds directory input env content' "$@" || return
  hw_want_shell='' hw_script_name=$1 hw_script_line=$2
  shift 2
  for hw_each in "$@"; do
    shift
    case $hw_each in env=*) set -- "$@" "${hw_each#env=}" ;; esac
  done
  hw_action_begin "$@" && hw_action_due || return
  [ -n "$hw_action" ] || return 0
  # The command is `exec INTERPRETER …`, quoted where it is an odd one.
  hw_interpreter=${hw_script_line#exec } hw_interpreter=${hw_interpreter%% *}
  case $hw_interpreter in *[!A-Za-z0-9_./+-]*) ;; *) hw_action_has "$hw_interpreter" || return ;; esac
  [ "$hw_action" = run ] || return 0
  if [ -z "$hw_want_text$hw_want_content" ]; then
    hw_status=need hw_note=''
    return 0
  fi
  if [ -n "${hw_effect-}" ]; then
    hw_script_remember "$@"
    return
  fi
  hw_scratch_make && hw_script_write "$hw_scratch/$hw_script_name" || return
  hw_action_run "$hw_script_line" "$@" "HOSTWRIGHT_SCRIPT=$hw_scratch/$hw_script_name"
}

hw_script_write() {
  (umask 077 && if [ -n "$hw_want_content" ]; then "$hw_want_content"; else hw_put "$hw_want_text"; fi >"$1") ||
    hw_fail "can't write the script to ${1%/*}"
}

# hw_script_remember [NAME=VALUE…]: the same for an effect, which outlives this session: the script is beside its record.
# Another user may not look there, and gets it with its input, into a directory of that user's own.
hw_script_remember() {
  hw_script_file=$hw_effect/$hw_script_name hw_script_size=0
  if [ "$hw_effect_state" = new ]; then
    [ ! -e "$hw_effect" ] || rm -rf -- "$hw_effect" || return
    hw_private_directory "$hw_effect" && hw_script_write "$hw_script_file" || return
  fi
  if [ -n "$hw_effect_user" ]; then
    hw_own_mark
    [ "$hw_effect_state" != new ] || hw_script_size=$(wc -c <"$hw_script_file") || return
    hw_script_size=$((hw_script_size))
    hw_effect_script=${TMPDIR:-/tmp}/hostwright-$hw_mine.$hw_token-$hw_id/$hw_script_name
    hw_action_run "$hw_script_line" "$@"
  else
    hw_action_run "$hw_script_line" "$@" "HOSTWRIGHT_SCRIPT=$hw_script_file"
  fi
}
