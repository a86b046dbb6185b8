# shellcheck shell=sh
# fetch.sh: files of the host that are copied to the controller.
# Needs: path

# hw_fetch PATH OPTIONAL TO LOCAL_SUM [done [OLD]]: asks the controller to fetch PATH, to TO, unless the file
# that is there has its SHA-256. With `done` it has; OLD prints what it had, where a difference is wanted.
hw_fetch() {
  hw_resolve "$1" || return
  hw_stat "$hw_path" || return
  case $hw_type in
    file) ;;
    absent)
      [ -n "$2" ] || hw_fail "$1 does not exist"
      return
      ;;
    *) hw_fail "$1 is not a regular file" || return ;;
  esac
  hw_sum "$hw_path" || return
  hw_saw "local $4"
  [ "$hw_found" != "$4" ] || return 0
  # A dry run that shows no difference needs nothing of it.
  if [ -z "${5-}" ] && { [ -z "$hw_check" ] || [ -n "$hw_diff" ]; }; then
    hw_mark fetch "$hw_found" "$hw_size"
    hw_status=need
    return
  fi
  hw_also fetched
  [ -n "${6-}" ] || return 0
  hw_mark old
  "$6"
  hw_mark new
  cat -- "$hw_path"
}
