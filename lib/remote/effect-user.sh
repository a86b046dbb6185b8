# shellcheck shell=sh
# effect-user.sh: the command of an effect (see effect.sh) as another user, who has no hand in its record.
# Needs: leftover

# What becomes the command in a user's own shell, as hw_effect_announce: DIRECTORY INPUT SCRIPT SIZE COMMAND…. Its input begins with its environment, which
# sudo would not pass on, and which is for nobody else to see: lines of `=NAME=VALUE`, of a value further ones
# `+LINE`, and an empty line. Then the SIZE bytes of the script, if there is one, then the command's input.
# shellcheck disable=SC2016 # for the inner shell
hw_effect_as='cd / || exit
case $PATH in *:/usr/local/sbin:/usr/sbin:/sbin) ;; *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin ;; esac
hw_value=
while IFS= read -r hw_line && [ -n "$hw_line" ]; do
case $hw_line in
=*) [ -z "$hw_value" ] || export "$hw_value"; hw_value=${hw_line#=} ;;
*) hw_value="$hw_value
${hw_line#+}" ;;
esac
done
[ -z "$hw_value" ] || export "$hw_value"
hw_script=$3
if [ -n "$hw_script" ]; then
mkdir -m 700 -- "${hw_script%/*}" && (umask 077 && dd bs="$4" count=1 >"$hw_script" 2>/dev/null) || exit
fi
[ -z "$1" ] || cd -- "$1" || exit 1
[ -n "$2" ] || exec </dev/null
shift 4
trap "" PIPE
{ echo "pid $$" >&3; echo "$$" >&4; } 2>/dev/null
trap - PIPE
[ -n "$hw_script" ] || exec "$@" 3>&- 4>&-
trap : HUP INT QUIT TERM
"$@" 3>&- 4>&-
hw_status=$?
rm -rf -- "${hw_script%/*}"
exit "$hw_status"'

# hw_effect_as_user DIRECTORY INPUT SCRIPT SIZE WORD…: the runner of the words, by hw_effect_name; see sessions.ts.
hw_effect_as_user() {
  if [ "$hw_effect_by" = own ]; then
    "$hw_effect_how" sh -c "$hw_effect_as" sh "$@"
  elif [ "$hw_effect_by" = su ]; then
    "$hw_effect_how" su -s /bin/sh -- "$hw_effect_name" -c "$hw_effect_as" sh "$@"
  else
    "$hw_effect_how" sh -c "$hw_effect_announce" sh sudo -n -H -u "$hw_effect_name" -- sh -c "$hw_effect_as" sh "$@"
  fi
}

# hw_effect_find_user: how to become hw_effect_user into hw_effect_by, and the name into hw_effect_name. That it can be
# done the controller has tried.
hw_effect_find_user() {
  hw_own_uid
  hw_effect_name=$(id -un -- "$hw_effect_user") && hw_found=$(id -u -- "$hw_effect_user") || return
  if [ "$hw_found" = "$hw_own_number" ]; then
    hw_effect_by=own
  elif [ "$hw_own_number" = 0 ]; then
    hw_effect_by=su
  else
    hw_effect_by=sudo
  fi
}

# hw_effect_pour [NAME=VALUE…]: the input of hw_effect_as.
hw_effect_pour() {
  for hw_each in "$@" "HOSTWRIGHT_KEY=$hw_lock_run-$hw_effect_key" ${hw_effect_script:+"HOSTWRIGHT_SCRIPT=$hw_effect_script"}; do
    hw_effect_line='='
    while :; do
      case $hw_each in
        *"$hw_newline"*)
          hw_lines "$hw_effect_line${hw_each%%"$hw_newline"*}"
          hw_each=${hw_each#*"$hw_newline"} hw_effect_line=+
          ;;
        *) break ;;
      esac
    done
    hw_lines "$hw_effect_line$hw_each"
  done
  echo
  [ -z "$hw_effect_script" ] || cat -- "$hw_script_file" || return
  [ -z "$hw_input" ] || "hw_input_$hw_id"
}
