# shellcheck shell=sh
# download.sh: what the host fetches by itself, with curl or wget. URLs and headers may be secrets: they go
# to the program by a pipe, never as arguments.
# Needs: write scratch

# hw_download PATH [perms=] [mode=] [user=] [group=] [validate=] [refresh=] [algorithm=] [sum=] url= curl= [wget=]
# [private=]: a file with what the URL gives. `algorithm` and `sum` say what that must be; anything will do
# without. `curl` and `wget` are lines of configuration, see lib/resources/transfer/url.ts, which hold secrets
# if `private`.
hw_download() {
  hw_words 1 'perms mode user group validate refresh algorithm sum url curl wget private' "$@" || return
  hw_want_mode=${hw_want_mode:+00$hw_want_mode} hw_validate=$hw_want_validate hw_wanted=$hw_want_sum
  hw_resolve "$1" || return
  hw_download_named=$1
  hw_stat "$hw_path" || return
  hw_saw "want $hw_want_algorithm $hw_wanted"
  hw_anew=1
  case $hw_type in
    absent) hw_also created ;;
    file)
      hw_is_current "$hw_path"
      case $? in
        0) hw_anew='' ;;
        1) hw_also content && hw_note_links ;;
        *) return 1 ;;
      esac
      hw_compare_owner
      ;;
    *) hw_lacks gone "$hw_path" "$hw_path is not a regular file" || return ;;
  esac
  [ "$hw_status" = changed ] || return 0
  hw_trust "$hw_download_named" || return
  if [ -n "$hw_check" ]; then
    hw_has_place "$hw_path" && { [ -z "$hw_anew" ] || hw_find_client; }
    return
  fi
  if [ -z "$hw_anew" ]; then
    hw_act || return
    hw_apply_owner "$hw_path" || hw_fail "can't set owner or mode of $hw_path" || return
    hw_touch "$hw_path"
    return
  fi
  hw_find_client && hw_replace "$hw_path" hw_download_here
}

# hw_is_current PATH: whether the file is what is wanted: 0 yes, 1 no, 2 unknown. With nothing to
# compare it with it is.
hw_is_current() {
  if [ -n "$hw_wanted" ]; then
    hw_digest "$hw_want_algorithm" <"$1" || return 2
    hw_saw "$hw_want_algorithm $1 $hw_found"
    [ "$hw_found" = "$hw_wanted" ]
    return
  fi
  [ -n "$hw_want_refresh" ] || return 0
  hw_find_client && hw_sum "$1" || return 2
  hw_have=$hw_found
  # Nothing is written: neither here with --check nor where it turns out to be the same.
  hw_found=$({ {
    hw_get
    echo "ended $?" >&3
  } | $hw_sha >&4; } 3>&1 4>&1)
  case $hw_found in
    'ended 0'*) hw_found=${hw_found#*"$hw_newline"} ;;
    *) hw_lacks remote 'what the download needs' "the download failed" || return 2 ;;
  esac
  hw_saw "remote ${hw_found%% *}"
  [ "${hw_found%% *}" = "$hw_have" ]
}

# hw_download_here: what the URL gives on standard output, which is hw_temporary; checked.
hw_download_here() {
  hw_get || {
    hw_why='the download failed'
    return 1
  }
  [ -n "$hw_wanted" ] || return 0
  hw_digest "$hw_want_algorithm" <"$hw_temporary" || return
  [ "$hw_found" = "$hw_wanted" ] || {
    hw_why="what was downloaded has the $hw_want_algorithm $hw_found, not $hw_wanted"
    hw_why_code=checksum_mismatch
    return 1
  }
}

# hw_digest ALGORITHM: the checksum of standard input into hw_found.
hw_digest() {
  case $1 in
    sha256)
      [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
      # shellcheck disable=SC2086 # the program and its options
      hw_found=$($hw_sha) || return
      ;;
    *)
      if command -v sha512sum >/dev/null; then
        hw_found=$(sha512sum) || return
      elif command -v shasum >/dev/null; then
        hw_found=$(shasum -a 512) || return
      elif command -v openssl >/dev/null; then
        hw_found=$(openssl dgst -sha512 -r) || return
      else
        hw_without sha512sum coreutils || return
      fi
      ;;
  esac
  hw_found=${hw_found%% *}
}

# hw_find_client: the program that fetches, into hw_client. curl first: it does most.
hw_find_client() {
  hw_client=curl
  ! command -v curl >/dev/null || return 0
  command -v wget >/dev/null || hw_without curl curl || return
  case $(wget --version 2>/dev/null) in
    'GNU Wget'*) hw_client=gnu ;;
    *) hw_client=plain ;;
  esac
  [ "$hw_client$hw_want_private" != plainyes ] ||
    hw_fail "curl is not on this host, and its wget would show secrets to other users; the package that has it is curl" tool_missing
}

# hw_get: what hw_want_url gives, on standard output. A transfer that stands still for a minute fails.
hw_get() {
  case $hw_client in
    gnu) { [ -z "$hw_want_wget" ] || hw_scratch_make; } && hw_gnu_wget ;;
    plain) hw_plain_wget ;;
    *)
      hw_put "$hw_want_curl$hw_newline" | curl -q -K - -f -sS --proto '=http,https' --proto-redir '=http,https' \
        --connect-timeout 30 --speed-limit 1 --speed-time 60
      ;;
  esac
}

# hw_gnu_wget: it reads its configuration from a regular file only; that has no name any more when it does.
hw_gnu_wget() (
  set -- -nv -O - -T 60 -t 2 -i -
  if [ -n "$hw_want_wget" ]; then
    umask 077
    hw_config=$hw_scratch/wget
    hw_lines "$hw_want_wget" >"$hw_config" && exec 5<"$hw_config" || exit
    rm -f -- "$hw_config"
    set -- --config=/dev/fd/5 "$@"
  fi
  hw_put "$hw_want_url$hw_newline" | wget "$@"
)

# hw_plain_wget: busybox's, which takes headers as arguments only. No -T: Debian 12's dies of it.
hw_plain_wget() {
  set -- -q -O -
  hw_rest=$hw_want_wget
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line"} hw_rest=${hw_rest#"$hw_newline"}
    set -- "$@" --header "${hw_line#header = }"
  done
  wget "$@" -- "$hw_want_url"
}
