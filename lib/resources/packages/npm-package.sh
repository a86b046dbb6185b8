# shellcheck shell=sh
# npm-package.sh: global packages of npm.
#
# Outlives a step: hw_npm_packages, what `npm ls` printed, with a newline at each end. It holds for all of the
# segment while hw_gathered_names has `npm/`.
# Needs: scratch noted

# hw_gather_npm_packages IDS: looks at all global packages, by one process for all steps. Where that fails, each
# step looks for itself, and says why it can't.
hw_gather_npm_packages() {
  command -v npm >/dev/null || return 0
  hw_npm_list 2>/dev/null && hw_gathered_names="$hw_gathered_names npm/ "
}

# hw_npm_package present|absent|latest NAME[@VERSION]…
hw_npm_package() {
  hw_want=$1 hw_pending='' hw_coming='' hw_npm_half=''
  shift
  if ! command -v npm >/dev/null; then
    hw_without npm npm
    return
  fi
  hw_npm_look || return
  for hw_each in "$@"; do
    hw_npm_find "$hw_each"
    hw_saw "npm $hw_npm_name $hw_version"
    case $hw_want in
      absent) [ -z "$hw_version" ] || hw_npm_removes ;;
      *) hw_npm_brings "$hw_each" || return ;;
    esac
  done
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  hw_gathered_names=
  # Neither names nor versions hold blanks; the controller checked them.
  # shellcheck disable=SC2086
  case $hw_want in
    absent) hw_npm uninstall -g $hw_pending || hw_fail "npm could not remove$hw_pending" || return ;;
    *)
      # Nothing else than that shows to a later run that npm did not come to the end.
      for hw_name in $hw_coming; do hw_begin_work "npm ${hw_name%@*}" 2>/dev/null; done
      hw_code=-
      [ -z "$hw_npm_half" ] || hw_npm uninstall -g $hw_npm_half || hw_fail "npm could not remove$hw_npm_half" || return
      hw_npm install -g $hw_coming || hw_fail "npm could not install$hw_coming" || return
      ;;
  esac
  hw_npm_verify || return
  for hw_name in $hw_coming; do hw_end_work "npm ${hw_name%@*}" || return; done
}

hw_npm_removes() {
  hw_pending="$hw_pending $hw_npm_name"
  hw_also "$hw_npm_name $hw_version removed"
}

# hw_npm_brings NAME[@VERSION]: if it is not as wanted, what the registry has of it into hw_coming.
hw_npm_brings() {
  if hw_was_begun "npm $hw_npm_name" && [ -n "$hw_version" ]; then
    hw_npm_half="$hw_npm_half $hw_npm_name" hw_version=
  fi
  case $hw_want$1 in
    present?*@*) [ "$hw_version" != "${1#"$hw_npm_name"@}" ] || return 0 ;;
    present*) [ -z "$hw_version" ] || return 0 ;;
  esac
  hw_new=$(hw_npm view "$1" version) || hw_new=''
  # A step before this one may set up the registry that has it.
  [ -n "$hw_new" ] || hw_awaits remote "$1" "npm's registry has no $1, or did not answer" || return
  # It becomes part of a command and of the note: a registry must not add options or packages to them.
  case $hw_new in *[!0-9A-Za-z.+-]*) hw_fail "npm's registry names no version of $1, but something else" || return ;; esac
  hw_saw "registry $1 $hw_new"
  [ "$hw_new" != "$hw_version" ] || [ -z "$hw_new" ] || return 0
  hw_coming="$hw_coming $hw_npm_name@$hw_new"
  hw_also "$hw_npm_name${hw_new:+${hw_version:+ $hw_version to} $hw_new}"
}

# hw_npm_verify: fails where npm did not do what it was to do.
hw_npm_verify() {
  hw_npm_list || return
  for hw_each in $hw_pending $hw_coming; do
    hw_npm_find "$hw_each"
    case $hw_want in
      absent) [ -z "$hw_version" ] || hw_fail "$hw_npm_name is still installed: $hw_version" || return ;;
      *)
        [ "$hw_npm_name@$hw_version" = "$hw_each" ] ||
          hw_fail "$hw_each is not what is installed: ${hw_version:-nothing}" || return
        ;;
    esac
  done
}

# hw_npm_look: what is installed into hw_npm_packages.
hw_npm_look() {
  case $hw_gathered_names in *' npm/ '*) [ -n "$hw_touched_all" ] || return 0 ;; esac
  hw_npm_list
}

# hw_npm_list: the same, asked now. A line is `PATH:NAME@VERSION`, of a package that leads elsewhere with more
# behind it. npm also fails where it lists all and finds fault with some; and where nothing was ever installed.
hw_npm_list() {
  [ -z "$hw_check" ] || { hw_scratch_make && hw_scratch_is_ours=''; } || return
  hw_npm_packages=$hw_newline$(hw_npm ls -g --depth=0 --parseable --long 2>/dev/null)$hw_newline
  [ "$hw_npm_packages" = "$hw_newline$hw_newline" ] || return 0
  hw_found=$(hw_npm ls -g --depth=0 --parseable --long 2>&1 >/dev/null) && return
  case $hw_found in *ENOENT*lstat*) return 0 ;; esac
  hw_lines "$hw_found" >&2
  hw_fail "npm can't list its global packages"
}

# hw_npm_find NAME[@VERSION]: the name into hw_npm_name, and the version that is installed into hw_version.
hw_npm_find() {
  case $1 in ?*@*) hw_npm_name=${1%@*} ;; *) hw_npm_name=$1 ;; esac
  hw_version=
  case $hw_npm_packages in
    *"/node_modules/$hw_npm_name:$hw_npm_name@"*)
      hw_version=${hw_npm_packages#*"/node_modules/$hw_npm_name:$hw_npm_name@"}
      hw_version=${hw_version%%"$hw_newline"*} hw_version=${hw_version%%:*}
      ;;
  esac
}

# hw_npm ARGUMENT…: npm, asking the registry for nothing else than that. With --check it leaves nothing in its
# cache either.
hw_npm() {
  [ -z "$hw_check" ] || set -- --cache="$hw_scratch/npm" "$@"
  npm --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error --logs-max=0 "$@"
}
