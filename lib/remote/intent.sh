# shellcheck shell=sh
# intent.sh: what is under way with a product, in products/NAME.intent: written down before the first change, with a
# copy of the config; noted as it goes; gone when the product is proven or as it was. See docs/durability.md.
# Needs: record lock
#
# What outlives a function:
#   hw_intents_begun     numbers of the intents that are written down, each between blanks
#   hw_intent_KEY_NUMBER what hw_intend was given
hw_intents_begun=' '

# hw_intend NUMBER name= text= [server=] [config=] [copy=] [aside=] [fresh=] [hold=]: the steps that are within NUMBER (hw_undertake) are
# about to do this. `text`: the file without what is noted in its end. `server`: what server.ini becomes with it.
# `copy`: where in bootstrap_dir the config is copied to, unless the file that is there has noted a copy already.
# `aside`: where a config goes that somebody has changed meanwhile. `fresh`: the run that begins it; what another
# run has noted in a file that is there is about something else. `hold`: the first step that would change something
# asks instead, as other hosts have to be ready for it.
hw_intend() {
  hw_words 1 'name text server config copy aside fresh hold' "$@" || return
  for hw_each in name text server config copy aside fresh hold; do
    eval "hw_intent_${hw_each}_$1=\$hw_want_$hw_each"
  done
}

# hw_undertake NUMBER PART FUNCTION ARG…: a step of what is under way. Before the first one that changes something it is
# written down; so each is asked first what it would do, until then. PART: `forward`, the upgrade script, which runs
# once; `back`, the same the other way, only if it ran forward; `restore`, the copy of the config, once; `adopt`, a copy that
# an earlier upgrade left, once; or `-`.
hw_undertake() {
  hw_intent_part=$2
  hw_intent_use "$1" || return
  # Beside the script that is being run back, or from, nothing is changed.
  hw_intent_await || return
  shift 2
  hw_intent_before=$hw_noted_script
  case $hw_intent_part:$hw_noted_script in
    'forward:forward ended' | back: | 'back:back ended') return 0 ;;
  esac
  if [ -n "$hw_check" ]; then
    "$@"
    return
  fi
  hw_intent_due=yes hw_intent_said=
  case $hw_intents_begun in
    *" $hw_intent "*) ;;
    *)
      # On the way back a later run must know how far this one came, also where there was little to do.
      [ "$hw_intent_part" = restore ] || hw_intent_look "$@" || return
      [ -n "$hw_intent_due" ] || return 0
      if [ -n "$hw_intent_hold" ] && [ "$hw_intent_due" != look ]; then
        hw_status=need hw_note=held
        return
      fi
      [ "$hw_intent_due" = look ] || hw_intent_begin || return
      ;;
  esac
  hw_status=ok hw_note='' hw_code=-
  case $hw_intent_part in
    forward | back) hw_intent_note script "$hw_intent_part begun" || return ;;
  esac
  "$@"
  set -- $?
  [ -z "$hw_intent_said" ] || hw_note=${hw_note:+$hw_note, }$hw_intent_said
  if [ "$hw_status" = changed ] || [ "$1" -ne 0 ]; then
    hw_intent_note_config || [ "$1" -ne 0 ] || return
  fi
  [ "$1" -eq 0 ] && [ "$hw_status" != need ] || return "$1"
  case $hw_intent_part in
    forward | back) hw_intent_note script "$hw_intent_part ended" ;;
    restore) hw_intent_note restored yes ;;
    adopt) hw_intent_note adopted yes ;;
  esac
}

# hw_intent_use NUMBER: what hw_intend was given, and what is noted in the file.
hw_intent_use() {
  hw_intent=$1
  for hw_each in name text server config copy aside fresh hold; do
    eval "hw_intent_$hw_each=\$hw_intent_${hw_each}_$hw_intent"
  done
  hw_intent_read
}

# hw_intent_await: until the upgrade script has ended that an earlier attempt of this run has begun.
hw_intent_await() {
  hw_intent_record=$hw_dir/runs/${hw_lock_run-}/product-$hw_intent_name
  [ -e "$hw_intent_record/started" ] || return 0
  while [ ! -e "$hw_intent_record/exit" ] && hw_read_lock "$hw_intent_record/started"; do
    ! hw_holder_away || hw_fail "the upgrade script of $hw_intent_name began in another PID namespace: from here nobody can tell whether it still runs" uncertain || return
    # Where its runner was killed, it may go on by itself.
    hw_holder_alive || hw_command_works "$hw_intent_record" || break
    sleep 0.2 2>/dev/null || sleep 1
  done
  hw_intent_read
}

# hw_open_intent NUMBER: it is written down at once, before steps of another user, who may not do that.
hw_open_intent() {
  case $hw_intents_begun in *" $1 "*) return 0 ;; esac
  hw_intent_said=
  hw_intent_use "$1" && hw_intent_begin
}

# hw_intent_look FUNCTION ARG…: what the step would do, as with --check. hw_intent_due becomes empty if that is nothing,
# or if it asks for content first; `look` if it only looks, which it does not do with --check.
hw_intent_look() {
  hw_intent_diff=$hw_diff hw_intent_seen=$hw_seen
  hw_check=1 hw_diff=''
  "$@"
  set -- $?
  hw_check='' hw_diff=$hw_intent_diff hw_seen=$hw_intent_seen
  case $hw_status:$hw_note in
    ok: | need:* | skipped:*) hw_intent_due='' ;;
    ok:*) hw_intent_due=look ;;
  esac
  return "$1"
}

# hw_intent_begin: written down: the copy of the config first, as the rest names it.
hw_intent_begin() {
  if [ -n "$hw_noted_copy" ]; then
    hw_intent_compare || return
  else
    hw_intent_keep || return
  fi
  if [ -n "$hw_intent_fresh" ] && [ -e "$hw_dir/products/$hw_intent_name.started" ]; then
    rm -f -- "$hw_dir/products/$hw_intent_name.started" || return
  fi
  hw_record "products/$hw_intent_name.intent" hw_intent_print || return
  if [ -n "$hw_intent_server" ]; then
    hw_record server.ini hw_put "$hw_intent_server" || return
  fi
  hw_intents_begun="$hw_intents_begun$hw_intent "
}

# hw_intent_keep: a copy of the config, made aside and compared: on a full disk it would be cut off.
hw_intent_keep() {
  hw_noted_copy=none
  [ -n "$hw_intent_config" ] || return 0
  hw_intent_sum "$hw_intent_config" || return
  hw_noted_copy=$hw_found hw_noted_config=$hw_found
  [ "$hw_found" != absent ] || return 0
  hw_make_dir && hw_private_directory "$hw_dir/products" || return
  hw_copy_whole "$hw_intent_config" "$hw_dir/$hw_intent_copy"
}

# hw_intent_compare: an earlier run has begun it. A config that is neither its copy nor what that run left is kept aside,
# unless the way back left it to others.
hw_intent_compare() {
  [ -n "$hw_intent_config" ] && [ "$hw_noted_restored" != yes ] || return 0
  hw_intent_sum "$hw_intent_config" || return
  case $hw_found in absent | "$hw_noted_copy" | "$hw_noted_config") return 0 ;; esac
  hw_noted_config=$hw_found hw_path=$hw_intent_config
  hw_intent_by_script || hw_intent_put_aside
}

# hw_intent_by_script: whether the config is as the script left it, which has ended, or of which a person has said so,
# after what began it had gone: so nothing was noted of it.
hw_intent_by_script() {
  [ -n "$hw_noted_open" ] && [ -e "$hw_dir/runs/$hw_noted_run/product-$hw_intent_name/exit" ] || return
  hw_line=$(find -L "$hw_path" -prune -newer "$hw_dir/runs/$hw_noted_run/product-$hw_intent_name/exit") && [ -z "$hw_line" ]
}

# hw_copy_whole FROM TO: TO becomes a copy of FROM, with its owner and mode; whole or not at all.
hw_copy_whole() {
  hw_new_file "$2" || return
  { cp -p -- "$1" "$hw_temporary" && cmp -s -- "$1" "$hw_temporary" && hw_no_directory "$2" &&
    hw_place_durably "$hw_temporary" "$2"; } || hw_give_up "can't copy $1 to $2: $1 stays as it is" || return
  hw_temporary=
}

# hw_intent_sum PATH: size and checksum of a file into hw_found; `absent` where there is none.
hw_intent_sum() {
  hw_found=absent
  [ -e "$1" ] || return 0
  # shellcheck disable=SC2086 # the program and its options
  hw_found=$(wc -c <"$1" && ${hw_sha:-cksum} <"$1") || hw_fail "can't read $1" || return
  # shellcheck disable=SC2086 # the fields are to be split
  set -- $hw_found
  hw_found="$1 $2"
}

# hw_intent_print: the file, with what is noted.
hw_intent_print() {
  hw_put "$hw_intent_text" || return
  for hw_each in copy config script restored adopted; do
    eval "hw_line=\$hw_noted_$hw_each"
    [ -z "$hw_line" ] || hw_lines "$hw_each = $hw_line" || return
  done
}

# hw_intent_read: what is noted in the file, into hw_noted_KEY; empty where there is none. hw_noted_open: it has a script
# whose end is not noted.
hw_intent_read() {
  hw_noted_copy='' hw_noted_config='' hw_noted_script='' hw_noted_restored='' hw_noted_adopted='' hw_noted_run='' hw_noted_open='' hw_intent_tail=''
  [ -f "$hw_dir/products/$hw_intent_name.intent" ] || return 0
  while IFS= read -r hw_line; do
    case $hw_intent_tail$hw_line in
      'run = '*)
        hw_noted_run=${hw_noted_run:-${hw_line#*= }}
        [ "$hw_noted_run" != "$hw_intent_fresh" ] || hw_intent_fresh=''
        ;;
      '[steps]')
        [ -z "$hw_intent_fresh" ] || return 0
        hw_intent_tail=-
        ;;
      '-copy = '*) hw_noted_copy=${hw_line#*= } ;;
      '-config = '*) hw_noted_config=${hw_line#*= } ;;
      '-script = '*) hw_noted_script=${hw_line#*= } ;;
      '-restored = '*) hw_noted_restored=${hw_line#*= } ;;
      '-adopted = '*) hw_noted_adopted=${hw_line#*= } ;;
    esac
  done <"$hw_dir/products/$hw_intent_name.intent" ||
    hw_fail "can't read $hw_dir/products/$hw_intent_name.intent" || return
  # It was about to: the script itself says that it has begun (see upgradeScript in tasks/product.ts).
  case $hw_noted_script in
    'forward begun') [ -e "$hw_dir/products/$hw_intent_name.started" ] || hw_noted_script='' ;;
  esac
  # Of this run itself the record is passed on, with what it printed.
  case $hw_noted_script in
    *' begun')
      hw_noted_open=yes
      [ "$hw_noted_run" = "${hw_lock_run-}" ] || ! hw_script_ended "$hw_noted_run" "$hw_intent_name" "${hw_noted_script% begun}" ||
        hw_noted_script="${hw_noted_script% begun} ended"
      ;;
  esac
}

# hw_intent_note KEY VALUE: one more thing is noted, before what comes after it begins.
hw_intent_note() {
  eval "hw_noted_$1=\$2"
  hw_record "products/$hw_intent_name.intent" hw_intent_print
}

# hw_intent_note_config: the config as we leave it: what is otherwise later is somebody else's.
hw_intent_note_config() {
  [ -n "$hw_intent_config" ] || return 0
  hw_intent_sum "$hw_intent_config" || return
  [ "$hw_found" = "$hw_noted_config" ] || hw_intent_note config "$hw_found"
}

# hw_restore_config CONFIG COPY: the config is the copy again, byte for byte. Once: what is in the file later, somebody
# has put there who repairs it. For hw_undertake.
hw_restore_config() {
  [ "$hw_noted_restored" != yes ] || return 0
  case $hw_noted_copy in '' | none) return 0 ;; esac
  hw_resolve "$1" || return
  hw_intent_sum "$hw_path" || return
  [ "$hw_found" != "$hw_noted_copy" ] || return 0
  hw_also restored
  hw_trust "$1" || return
  [ -z "$hw_check" ] || return 0
  [ "$hw_found" = "$hw_noted_config" ] || [ "$hw_found" = absent ] || hw_intent_put_aside || return
  hw_touch "$hw_path"
  if [ "$hw_noted_copy" = absent ]; then
    hw_act || return
    rm -f -- "$hw_path" || hw_fail "can't remove $hw_path"
    return
  fi
  hw_intent_sum "$hw_dir/$2" || return
  [ "$hw_found" = "$hw_noted_copy" ] ||
    hw_fail "$hw_dir/$2 is not the copy that was made of $1: it is not put back" || return
  hw_act && hw_copy_whole "$hw_dir/$2" "$hw_path"
}

# hw_adopt_config CONFIG COPY SUM: the config becomes the one that was kept of this version, if it is the one that was
# kept. Once, as somebody may change it later. For hw_undertake.
hw_adopt_config() {
  [ "$hw_noted_adopted" != yes ] || return 0
  hw_intent_sum "$hw_dir/$2" || return
  if [ "$hw_found" != "$3" ]; then
    hw_leave_out "$hw_dir/$2 is not there, or not as it was kept"
    return
  fi
  hw_resolve "$1" || return
  hw_intent_sum "$hw_path" || return
  [ "$hw_found" != "$3" ] || return 0
  hw_also restored
  hw_trust "$1" || return
  [ -z "$hw_check" ] || return 0
  hw_touch "$hw_path"
  hw_act && hw_copy_whole "$hw_dir/$2" "$hw_path"
}

# hw_intent_put_aside: somebody has changed the config meanwhile: it is kept.
hw_intent_put_aside() {
  hw_copy_whole "$hw_path" "$hw_dir/$hw_intent_aside" || return
  hw_intent_said="$hw_path, which was changed meanwhile, is kept in $hw_dir/$hw_intent_aside"
  hw_mark aside "$hw_intent_said"
}

# hw_keep_releases HOME COUNT VERSION…: releases in HOME other than the COUNT that were unpacked last and VERSION… are
# removed. Their names are printed.
hw_keep_releases() {
  hw_intent_home=$1 hw_count=$2
  shift 2
  [ -d "$hw_intent_home/releases/" ] || return 0
  hw_found=$(cd -- "$hw_intent_home/releases" && ls -t) || hw_fail "can't look into $hw_intent_home/releases" || return
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # line by line
  for hw_line in $hw_found; do
    IFS=" 	$hw_newline"
    hw_count=$((hw_count - 1))
    [ "$hw_count" -lt 0 ] || continue
    for hw_each in "$@"; do [ "$hw_each" != "$hw_line" ] || continue 2; done
    rm -rf -- "$hw_intent_home/releases/$hw_line" || hw_fail "can't remove $hw_intent_home/releases/$hw_line" || break
    hw_lines "$hw_line"
  done
  set +f
  IFS=" 	$hw_newline"
  [ "$hw_code" = - ]
}

# hw_end_intent NAME [FILE…]: it is proven, or undone. FILE are copies that nothing needs any more, in bootstrap_dir.
hw_end_intent() {
  hw_intent_name=$1
  shift
  rm -f -- "$hw_dir/products/$hw_intent_name.intent" && hw_flush "$hw_dir/products" ||
    hw_fail "can't remove $hw_dir/products/$hw_intent_name.intent" || return
  for hw_each in "products/$hw_intent_name.started" "$@"; do
    [ ! -e "$hw_dir/$hw_each" ] || rm -f -- "$hw_dir/$hw_each" || return
  done
}
