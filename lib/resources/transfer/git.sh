# shellcheck shell=sh
# git.sh: a revision of a git repository, checked out.
# Needs: path scratch

# hw_git PATH remote= revision= name= [depth=] [submodules=] [force=] ssh= [key=] [config=]: `name` is the remote's, `ssh` the
# command for remotes of ssh, `key` the file that it names, `config` settings of git as in its files. They may be secret: they are in a file
# for us alone while git runs, as others can read the arguments of a process, and its user its environment.
hw_git() {
  hw_words 1 'remote revision name depth submodules force ssh key config' "$@" || return
  hw_git_config=
  if [ -n "$hw_want_config" ] && command -v git >/dev/null; then
    hw_scratch_make || return
    hw_git_config=$hw_scratch/git
    (umask 077 && hw_lines "$hw_want_config" >"$hw_git_config") || hw_fail "can't write $hw_git_config" || return
  fi
  hw_git_here "$1"
  set -- $?
  [ -z "$hw_git_config" ] || rm -f -- "$hw_git_config"
  hw_scratch_end
  return "$1"
}

hw_git_here() {
  hw_resolve "$1" || return
  hw_git_named=$1
  hw_clone=$hw_path
  if ! command -v git >/dev/null; then
    hw_without git git
    return
  fi
  hw_find_head && hw_find_commit || return
  hw_saw "head $hw_head wanted $hw_commit"
  hw_git_todo='' hw_git_half='' hw_git_own='' hw_changes_here=''
  hw_git_note=$hw_clone/.git/hostwright-unfinished
  [ ! -f "$hw_git_note" ] || read -r hw_git_half <"$hw_git_note" || :
  hw_saw "unfinished $hw_git_half"
  if [ -z "$hw_head" ]; then
    hw_also cloned
    hw_git_todo=move
  elif [ "$hw_git_half" = files ]; then
    hw_also 'rest of an interrupted checkout'
    hw_git_todo=move
  else
    hw_found=$(hw_git_run config --get "remote.$hw_want_name.url") || hw_found=''
    hw_saw "remote $hw_found"
    [ "$hw_found" = "$hw_want_remote" ] || {
      hw_also remote
      hw_git_todo="remote"
    }
    hw_compare_head || return
  fi
  if [ "$hw_git_todo" != move ] && [ -n "$hw_want_submodules" ] &&
    { [ -n "$hw_git_half" ] || hw_submodules_differ; }; then
    hw_also submodules
  fi
  [ "$hw_status" = changed ] || return 0
  hw_trust "$hw_git_named" || return
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  hw_bring_clone
}

# hw_git_run ARGUMENT…: git in the repository, asking nobody anything.
hw_git_run() (
  unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
  # No optional locks: to look at the state must not write the index.
  GIT_TERMINAL_PROMPT=0 GIT_OPTIONAL_LOCKS=0 GIT_SSH_COMMAND=$hw_want_ssh
  export GIT_TERMINAL_PROMPT GIT_OPTIONAL_LOCKS GIT_SSH_COMMAND
  cd / && [ ! -e "$hw_clone/.git" ] || cd -- "$hw_clone" || exit
  exec git ${hw_git_config:+-c "include.path=$hw_git_config"} "$@"
)

# hw_find_head: the commit that is checked out into hw_head; empty where there is none yet.
hw_find_head() {
  hw_head=
  if [ -e "$hw_clone/.git" ]; then
    hw_head=$(hw_git_run rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null) && return
    hw_head=
    hw_git_run rev-parse --git-dir >/dev/null || hw_fail "git refuses $hw_clone"
    return
  fi
  [ -e "$hw_clone" ] || return 0
  [ -d "$hw_clone" ] || hw_lacks gone "$hw_clone" "$hw_clone is not a directory" || return
  for hw_each in "$hw_clone"/* "$hw_clone"/.[!.]* "$hw_clone"/..?*; do
    if [ -e "$hw_each" ] || [ -L "$hw_each" ]; then
      hw_lacks gone "$hw_clone" "$hw_clone already has files and is not a git repository"
      return
    fi
  done
}

# hw_find_commit: the wanted commit into hw_commit, and what to ask the remote for it into hw_refspec.
hw_find_commit() {
  case $hw_want_revision in
    *[!0-9a-f]*) ;;
    ????????????????????????????????????????)
      hw_commit=$hw_want_revision hw_refspec=$hw_want_revision
      return
      ;;
  esac
  case $hw_want_revision in
    HEAD | refs/*) set -- "$hw_want_revision" "$hw_want_revision^{}" ;;
    *) set -- "refs/heads/$hw_want_revision" "refs/tags/$hw_want_revision" "refs/tags/$hw_want_revision^{}" ;;
  esac
  hw_list=$(hw_git_run ls-remote -q -- "$hw_want_remote" "$@") || hw_git_unread || return
  hw_commit=''
  # The first of them that is there; what a tag stands for before the tag itself.
  for hw_each in "$@"; do
    hw_found="$hw_newline$hw_list$hw_newline"
    case $hw_found in
      *"	$hw_each$hw_newline"*) hw_found=${hw_found%%"	$hw_each$hw_newline"*} ;;
      *) continue ;;
    esac
    case $hw_each in
      *'^{}') hw_commit=${hw_found##*"$hw_newline"} ;;
      *)
        [ -z "$hw_commit" ] || continue
        hw_commit=${hw_found##*"$hw_newline"} hw_refspec=$hw_each
        case $hw_each in refs/heads/*) return 0 ;; esac
        ;;
    esac
  done
  [ -n "$hw_commit" ] ||
    hw_fail "the remote $hw_want_remote has no branch or tag $hw_want_revision (a commit is named by all its 40 digits)"
}

# hw_git_unread: why the remote can't be read.
hw_git_unread() {
  [ -z "$hw_want_key" ] || [ -e "$hw_want_key" ] || hw_lacks path "$hw_want_key" "there is no key $hw_want_key" || return
  hw_lacks remote "$hw_want_remote" "can't read the remote $hw_want_remote"
}

# hw_compare_head: whether HEAD is to move, or local changes are to go; fails where they would be lost.
hw_compare_head() {
  if [ "$hw_head" = "$hw_commit" ] && [ -z "$hw_want_force" ]; then
    return 0
  fi
  hw_changes_here=$(hw_git_run status --porcelain --untracked-files=no --ignore-submodules=all) ||
    hw_fail "git can't read the state of $hw_clone" || return
  hw_saw "changes $hw_changes_here"
  if [ "$hw_head" != "$hw_commit" ]; then
    hw_git_todo=move
    hw_also "$(hw_put "$hw_head" | cut -c 1-7)..$(hw_put "$hw_commit" | cut -c 1-7)"
    [ -n "$hw_want_force" ] || [ -z "$hw_changes_here" ] ||
      hw_fail "$hw_changes_here
$hw_clone has local changes, which would be lost" || return
    [ -n "$hw_want_force" ] || [ -n "$(hw_git_run for-each-ref --count=1 --contains "$hw_head")" ] ||
      hw_fail "$hw_clone has local commits on no branch, which would be lost" || return
  elif [ -n "$hw_changes_here" ]; then
    hw_git_todo=move
    hw_also 'local changes dropped'
  fi
}

# hw_submodules_differ: whether one is not checked out, or at another commit.
hw_submodules_differ() {
  hw_found=$(hw_git_run submodule status --recursive 2>/dev/null) || return 0
  hw_saw "submodules $hw_found"
  case $hw_newline$hw_found in *"$hw_newline"[-+U]*) return 0 ;; esac
  return 1
}

# hw_bring_clone: makes it as wanted. What is cut off at any point is taken up by the next run: before git touches the
# files, hw_git_note says so, as git itself then has them for local changes, or, in a submodule, for what is wanted.
# It has `files` until all of the repository's own are there, and `submodules` after that.
hw_bring_clone() {
  if [ ! -e "$hw_clone/.git" ]; then
    hw_git_own=1
    hw_git_directory || return
    hw_git_run init -q -- "$hw_clone" || hw_fail "can't make a repository in $hw_clone" || return
  fi
  # What a later run looks at comes last.
  hw_git_run config "remote.$hw_want_name.fetch" "+refs/heads/*:refs/remotes/$hw_want_name/*" &&
    hw_git_run config "remote.$hw_want_name.url" "$hw_want_remote" ||
    hw_fail "can't set the remote of $hw_clone" || return
  if [ "$hw_git_todo" = move ]; then
    hw_fetch_commit || hw_fail "can't fetch $hw_want_revision from $hw_want_remote" || return
    # So that it stays reachable whatever the remote does: see hw_compare_head.
    hw_git_force=$hw_want_force
    [ "$hw_git_half" != files ] || hw_git_force=yes
    hw_git_run update-ref refs/hostwright/HEAD "$hw_commit" && hw_git_unfinished files &&
      hw_git_run checkout -q --detach ${hw_git_force:+--force} "$hw_commit" -- || {
      # Where git itself refuses nothing has changed, and what it refuses for must not be lost in the next run.
      [ -n "$hw_git_force$hw_git_own" ] || ! hw_git_is_untouched || rm -f -- "$hw_git_note"
      hw_fail "can't check out $hw_want_revision in $hw_clone"
      return
    }
  fi
  if [ -n "$hw_want_submodules" ]; then
    hw_git_force=$hw_want_force$hw_git_half
    hw_git_unfinished submodules &&
      hw_git_run submodule -q update --init --recursive ${hw_git_force:+--force} ${hw_want_depth:+--depth "$hw_want_depth"} ||
      hw_fail "can't check out the submodules of $hw_clone" || return
  fi
  [ ! -e "$hw_git_note" ] || rm -f -- "$hw_git_note" || hw_fail "can't remove $hw_git_note"
}

# hw_git_directory: the directory of a new clone, without the default ACL that it gets from the one above: git makes its files
# with 666 and 777, and where there is such a list the umask takes nothing from that.
hw_git_directory() {
  [ ! -e "$hw_clone" ] && command -v setfacl >/dev/null || return 0
  mkdir -p -- "${hw_clone%/*}/" && mkdir -- "$hw_clone" || hw_fail "can't make $hw_clone" || return
  case $(ls -ld -- "$hw_clone") in ??????????+*) ;; *) return 0 ;; esac
  setfacl -b -k -- "$hw_clone" && chmod 755 -- "$hw_clone" || hw_fail "can't set the mode of $hw_clone"
}

# hw_git_unfinished WHAT: the note of what is begun. A clone that is a worktree of another has no place for it.
hw_git_unfinished() {
  [ -d "$hw_clone/.git" ] || return 0
  hw_lines "$1" >"$hw_git_note"
}

# hw_git_is_untouched: whether HEAD is where it was, and the files are as it has them or as a person has left them.
hw_git_is_untouched() {
  [ "$(hw_git_run rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null)" = "$hw_head" ] &&
    [ "$(hw_git_run status --porcelain --untracked-files=no --ignore-submodules=all)" = "${hw_changes_here-}" ]
}

# hw_fetch_commit: what is not there already. A server that gives no single commit gives all branches and tags.
hw_fetch_commit() {
  ! hw_git_run cat-file -e "$hw_commit^{commit}" 2>/dev/null || return 0
  case $hw_refspec in
    refs/heads/*) hw_refspec="+$hw_refspec:refs/remotes/$hw_want_name/${hw_refspec#refs/heads/}" ;;
    refs/tags/*) hw_refspec="+$hw_refspec:$hw_refspec" ;;
  esac
  hw_git_run fetch -q ${hw_want_depth:+--depth "$hw_want_depth"} -- "$hw_want_name" "$hw_refspec" || {
    [ "$hw_refspec" = "$hw_commit" ] && hw_git_run fetch -q --tags -- "$hw_want_name"
  } || return
  # A branch may have moved on since it was asked for.
  [ "$hw_refspec" = "$hw_commit" ] || hw_commit=$(hw_git_run rev-parse --verify 'FETCH_HEAD^{commit}')
}
