# shellcheck shell=sh
# archive.sh: tarballs and zip files, unpacked once.
# Needs: write download

# hw_archive DIR host|url|sent format= strip= [name=] [include=] [exclude=] [chosen=] [perms=] [mode=] [user=] [group=] [path=] [algorithm=] [sum=]
# [url=] [curl=] [wget=] [private=] [content=]: what the archive holds is in DIR. host: `path` is its path; url: see
# hw_download; sent: `content` prints it, or is the path of a file that came in for it. `format`: tar, or the
# program that makes one of it (gzip xz zstd bzip2), or zip. `name` distinguishes several archives in DIR. `include` and `exclude` are words of find, a line each, for
# what of it is unpacked, and `chosen` distinguishes one choice from another.
hw_archive() {
  hw_words 2 'format strip name include exclude chosen perms mode user group path algorithm sum url curl wget private content' "$@" || return
  hw_want_mode=${hw_want_mode:+00$hw_want_mode} hw_kind=$2 hw_archive_file=$hw_want_path hw_wanted=$hw_want_sum
  hw_resolve "$1" || return
  hw_archive_named=$1
  hw_tree=$hw_path hw_unpack=
  hw_stat "$hw_tree" || return
  case $hw_type in
    directory) hw_compare_owner ;;
    absent)
      hw_also created
      hw_know_mode rwxr-xr-x directory
      ;;
    *) hw_lacks gone "$hw_tree" "$hw_tree is not a directory" || return ;;
  esac
  hw_know_archive || return
  hw_have=
  hw_marker=.hostwright-archive${hw_want_name:+-$hw_want_name}
  [ ! -f "$hw_tree/$hw_marker" ] || read -r hw_have <"$hw_tree/$hw_marker"
  hw_saw "has $hw_have wants $hw_wanted"
  hw_chosen="strip=$hw_want_strip${hw_want_chosen:+ chosen=$hw_want_chosen}"
  if [ "$hw_have" != "$hw_wanted $hw_chosen" ]; then
    hw_also unpacked
    hw_unpack=1
  fi
  [ "$hw_status" = changed ] || return 0
  hw_trust "$hw_archive_named" || return
  if [ -n "$hw_check" ]; then
    hw_has_owners && { [ -z "$hw_unpack" ] || hw_have_unpackers; } && { [ "$hw_kind" != url ] || hw_find_client; }
    return
  fi
  if [ -z "$hw_unpack" ]; then
    hw_act || return
    hw_apply_owner "$hw_tree" || hw_fail "can't set owner or mode of $hw_tree" || return
    hw_touch "$hw_tree"
    return
  fi
  if [ "$hw_kind" = sent ] && [ -z "$hw_want_content" ]; then
    hw_status=need hw_note=
    return
  fi
  hw_have_unpackers || return
  [ "$hw_kind" != url ] || hw_find_client || return
  hw_stage_archive
}

# hw_know_archive: the checksum of one that is on the host, if none is wanted.
hw_know_archive() {
  [ "$hw_kind" = host ] || return 0
  if [ ! -f "$hw_archive_file" ]; then
    hw_awaits path "$hw_archive_file" "$hw_archive_file does not exist"
    return
  fi
  [ -z "$hw_wanted" ] || return 0
  hw_sum "$hw_archive_file" || return
  hw_wanted=$hw_found
}

# hw_have_unpackers: fails if a program is missing that unpacks it.
hw_have_unpackers() {
  case $hw_want_format in
    zip)
      command -v unzip >/dev/null || hw_without unzip unzip
      return
      ;;
    xz) [ "$hw_package_manager" = apt-get ] && set -- xz xz-utils || set -- xz xz ;;
    *) set -- "$hw_want_format" "$hw_want_format" ;;
  esac
  [ -z "$hw_want_chosen" ] || command -v find >/dev/null || hw_without find findutils || return
  command -v "$1" >/dev/null || hw_without "$1" "$2" || return
  command -v tar >/dev/null || hw_without tar tar
}

# hw_stage_archive: unpacks beside the directory and brings all in place when it is whole.
hw_stage_archive() {
  hw_make_above "$hw_tree" || return
  hw_make_stage "$hw_tree" && mkdir -- "$hw_stage/tree" || hw_fail "can't make a directory beside $hw_tree" || return
  hw_fill_stage
  set -- $?
  hw_drop_stage
  [ "$1" -eq 0 ] || return "$1"
  hw_touch_all
  # What came in beside the session is not needed any more.
  case $hw_want_content in /*) hw_drop_incoming "$hw_want_content" ;; esac
}

hw_fill_stage() {
  hw_bring_archive && hw_check_names || return
  if [ "$hw_want_format" = zip ]; then
    hw_unzip -q -o "$hw_archive_file" -d "$hw_stage/tree" >&2
  else
    hw_tar -x -o -C "$hw_stage/tree"
  fi || hw_fail "can't unpack the archive: $hw_tree stays as it is" || return
  hw_choose || return
  hw_count=$hw_want_strip
  while [ "$hw_count" -gt 0 ]; do
    hw_strip_one || hw_fail "can't leave out $hw_want_strip leading directories" || return
    hw_count=$((hw_count - 1))
  done
  hw_place_tree
}

# hw_choose: of what was unpacked only that stays which is wanted. By find, whose patterns are the same everywhere: tars and
# unzips have their own.
hw_choose() {
  if [ -n "$hw_want_exclude" ]; then
    hw_find_chosen "$hw_want_exclude" hw_drop_excluded || hw_fail "can't leave out what is excluded" || return
  fi
  if [ -n "$hw_want_include" ]; then
    hw_find_chosen "$hw_want_include" hw_drop_others || hw_fail "can't leave out what is not included" || return
    hw_found=
    hw_each_in "$hw_stage/tree" hw_note_one
    [ -n "$hw_found" ] || hw_fail "the archive contains nothing that include names: nothing was unpacked"
  fi
}

hw_note_one() { hw_found=$1; }

# hw_find_chosen WORDS FUNCTION: calls it in the tree with WORDS, a line each, as its arguments.
hw_find_chosen() (
  cd -- "$hw_stage/tree" || exit
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # a word a line
  "$2" $1
)

hw_drop_excluded() { find . ! -name . \( "$@" \) -prune -exec rm -rf -- {} +; }

# What is left of the others is directories of what stays, and empty ones.
hw_drop_others() {
  find . ! -type d ! \( "$@" \) -exec rm -f -- {} + || return
  find . -depth -type d ! -name . ! \( "$@" \) -exec rmdir -- {} + 2>/dev/null
  return 0
}

# hw_unzip ARGUMENT…: with the status 1 it has only warned, and done it all.
hw_unzip() {
  unzip "$@" || [ $? -eq 1 ]
}

# hw_bring_archive: its bytes into a file, hw_archive_file, compared with its checksum.
hw_bring_archive() {
  case $hw_kind:$hw_want_content in
    host:*) ;;
    url:*)
      hw_archive_file=$hw_stage/archive
      hw_get >"$hw_archive_file" || hw_fail 'the download failed' || return
      ;;
    sent:/*) hw_archive_file=$hw_want_content ;;
    *)
      hw_archive_file=$hw_stage/archive
      "$hw_want_content" >"$hw_archive_file" || hw_fail "can't write $hw_archive_file" || return
      ;;
  esac
  [ -n "$hw_want_algorithm" ] || return 0
  hw_digest "$hw_want_algorithm" <"$hw_archive_file" || {
    [ "$hw_code" = tool_missing ] || hw_fail "can't read $hw_archive_file"
    return 1
  }
  [ "$hw_found" = "$hw_wanted" ] ||
    hw_fail "the archive has the $hw_want_algorithm $hw_found, not $hw_wanted" checksum_mismatch
}

# hw_tar ARGUMENT…: tar of the archive. Fails too where the program before it does.
hw_tar() {
  case $hw_want_format in
    tar) tar "$@" -f "$hw_archive_file" ;;
    *)
      hw_found=$({
        {
          "$hw_want_format" -dc <"$hw_archive_file" 3>&-
          echo $? >&3
        } | hw_untar "$@" >&4 3>&-
      } 3>&1 4>&1 >&2) && [ "${hw_found##*"$hw_newline"}" = 0 ]
      ;;
  esac
}

# hw_untar ARGUMENT…: tar of standard input, up to its end: tar stops at the end of what it knows.
hw_untar() {
  tar "$@" -f -
  set -- $?
  cat >/dev/null
  return "$1"
}

# hw_check_names: refuses what would be written outside of the directory: by its own name, through a link
# that the archive brings itself, or by a hard link to something else of the host (which busybox's tar makes;
# it lists them as `-… NAME -> TARGET`, others as `h… NAME link to TARGET`). Lines of both lists come in one
# order.
hw_check_names() {
  if [ "$hw_want_format" = zip ]; then
    hw_list=$(hw_unzip -l "$hw_archive_file") || hw_fail "can't read the archive" || return
    # It makes slashes of the backslashes that some programs of Windows write.
    hw_list=$(hw_lines "$hw_list" | sed -n 's/^ *[0-9][0-9]*  *[0-9-]* *[0-9:]*  *//p' | tr '\\' /)
    hw_kinds=
  else
    hw_list=$(hw_list_tar -t) && hw_kinds=$(hw_list_tar -t -v) || hw_fail "can't read the archive" || return
  fi
  # The line between the lists is a word that no archive knows.
  hw_found=$(hw_lines "$hw_token" "$hw_list" "$hw_token" "$hw_kinds" | awk '
    NR == 1 { border = $0; next }
    $0 == border { second = 1; next }
    !second {
      raw[++count] = $0
      name = names[count] = clean($0)
      there[name] = 1
      if (name ~ /^\//) { print "the absolute path " $0; exit }
      if (name ~ /(^|\/)\.\.(\/|$)/) { print "the path " $0; exit }
      next
    }
    {
      name = raw[++line]
      if (substr($0, 1, 1) == "l") links[names[line]] = 1
      else if (at = index($0, name " -> ")) target[line] = substr($0, at + length(name) + 4)
      else if (substr($0, 1, 1) == "h") {
        at = index($0, name " link to ")
        target[line] = at ? substr($0, at + length(name) + 9) : "an unknown file"
      }
    }
    function clean(name) {
      gsub(/\/+/, "/", name)
      while (sub(/\/\.\//, "/", name)) continue
      sub(/^\.\//, "", name)
      sub(/\/\.?$/, "", name)
      return name
    }
    END {
      for (each in target) if (!(clean(target[each]) in there)) {
        print names[each] ", a hard link to " target[each] " outside of it"
        exit
      }
      for (each = 1; each <= count; each++) {
        rest = names[each]
        while (sub("/[^/]*$", "", rest)) if (rest in links) {
          print names[each] " within the link " rest
          exit
        }
      }
    }')
  [ -z "$hw_found" ] || hw_fail "the archive contains $hw_found: nothing was unpacked"
}

# hw_list_tar -t [-v]: lines of its list, without the status that hw_tar adds.
hw_list_tar() {
  case $hw_want_format in
    tar) tar "$@" -f "$hw_archive_file" ;;
    *) "$hw_want_format" -dc <"$hw_archive_file" | tar "$@" -f - ;;
  esac
}

# hw_strip_one: what is in the directories at the top takes their place.
hw_strip_one() {
  mv -- "$hw_stage/tree" "$hw_stage/top" && mkdir -- "$hw_stage/tree" || return
  hw_each_in "$hw_stage/top" hw_raise && rm -rf -- "$hw_stage/top"
}

hw_raise() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 0
  hw_each_in "$1" hw_raise_one
}
hw_raise_one() { mv -- "$1" "$hw_stage/tree/"; }

# hw_each_in DIR FUNCTION: calls it with each path in DIR. (In a loop of its own: functions share variables.)
hw_each_in() {
  for hw_each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -e "$hw_each" ] || [ -L "$hw_each" ]; then "$2" "$hw_each" || return; fi
  done
}

# hw_place_tree: the tree becomes the directory, or comes into the one that is there. The note of what was
# unpacked comes last.
hw_place_tree() {
  { hw_lines "$hw_wanted $hw_chosen" >"$hw_stage/note" && chmod 644 -- "$hw_stage/note"; } ||
    hw_fail "can't write to $hw_stage" || return
  if [ -n "$hw_want_user$hw_want_group" ]; then
    chown -Rh -- "$hw_want_user${hw_want_group:+:$hw_want_group}" "$hw_stage/tree" "$hw_stage/note" ||
      hw_fail "can't set the owner of what was unpacked" || return
  fi
  # Whatever fails from here on may have changed something.
  hw_act || return
  if [ "$hw_type" = absent ]; then
    hw_want_mode=${hw_want_mode:-00755}
    hw_label "$hw_stage/tree" "$hw_tree" dir
    { hw_has_selinux || mv -- "$hw_stage/note" "$hw_stage/tree/$hw_marker"; } && hw_apply_owner "$hw_stage/tree" &&
      mv -- "$hw_stage/tree" "$hw_tree" || hw_fail "can't make $hw_tree" || return
    hw_has_selinux || return 0
    # Labels go by the names that files have in their place. Until that is done it has not been unpacked.
    hw_label_below "$hw_tree"
    mv -- "$hw_stage/note" "$hw_tree/$hw_marker" || hw_fail "can't write $hw_tree/$hw_marker"
    return
  fi
  hw_apply_owner "$hw_tree" || hw_fail "can't set owner or mode of $hw_tree" || return
  # Of neither version from now on, until all of it is there.
  rm -f -- "$hw_tree/$hw_marker" || hw_fail "can't remove $hw_tree/$hw_marker" || return
  hw_each_in "$hw_stage/tree" hw_place_one ||
    hw_fail "can't put all of the archive into $hw_tree" || return
  hw_no_directory "$hw_tree/$hw_marker" && mv -f -- "$hw_stage/note" "$hw_tree/$hw_marker" ||
    hw_fail "can't write $hw_tree/$hw_marker"
}

# hw_place_one PATH: by tar where there is one, which puts a file in the place of another; cp writes into
# it, or into what it points to. Then it has the labels of its path, where there are any.
hw_place_one() {
  hw_put_one "$1" && hw_label_below "$hw_tree/${1##*/}"
}

hw_put_one() {
  if command -v tar >/dev/null; then
    hw_found=$({
      {
        tar -C "$hw_stage/tree" -cf - -- "./${1##*/}" 3>&-
        echo $? >&3
      } | tar -C "$hw_tree" -xpf - >&4 3>&-
    } 3>&1 4>&1 >&2) && [ "$hw_found" = 0 ]
  else
    cp -af -- "$1" "$hw_tree/"
  fi
}
