# shellcheck shell=sh
# fetch.sh: files of the host that are copied to the controller.
# Needs: path

# hw_fetch PATH [optional=] [to=] [local_sum=] [done=] [content=]: asks the controller to fetch PATH, to `to` there,
# unless the file that it has is the same by its SHA-256. With `done` it has fetched it; `content` prints what it
# had before, where a difference is wanted.
hw_fetch() {
  hw_words 1 'optional to local_sum done content' "$@" || return
  hw_resolve "$1" || return
  if [ -n "$hw_want_done" ] && [ -z "$hw_check" ]; then
    # It is there: to look once more could fail, and a later run would find nothing to do.
    hw_also fetched
    hw_fetch_shown
    return
  fi
  hw_stat "$hw_path" || return
  case $hw_type in
    file) ;;
    absent)
      [ -n "$hw_want_optional" ] || hw_lacks path "$1" "$1 does not exist"
      return
      ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
  hw_sum "$hw_path" || return
  hw_saw "local $hw_want_local_sum"
  [ "$hw_found" != "$hw_want_local_sum" ] || return 0
  # A dry run that shows no difference needs nothing of it.
  if [ -z "$hw_want_done" ] && { [ -z "$hw_check" ] || [ -n "$hw_diff" ]; }; then
    [ -n "$hw_check" ] || hw_act || return
    hw_mark fetch "$hw_found" "$hw_size"
    hw_status=need
    return
  fi
  hw_also fetched
  hw_fetch_shown
}

# hw_fetch_shown: the difference, where one is wanted.
hw_fetch_shown() {
  [ -n "$hw_want_content" ] || return 0
  hw_mark old
  "$hw_want_content"
  hw_mark new
  cat -- "$hw_path"
}
