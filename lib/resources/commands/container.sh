# shellcheck shell=sh
# container.sh: containers of docker or podman, whose commands are the same as far as they go here.
# Needs: noted

# hw_container NAME running|stopped|absent sum= pull= [engine=] [image=] [env=]… [argument=]…: a container made of this
# specification, which has its checksum as a label. `engine`: docker, podman, or without what is there. `pull`:
# missing, always, never. `env`: NAME=VALUE; `argument`: those of `create`.
hw_container() {
  hw_words 2 'sum pull engine image env argument' "$@" || return
  hw_engine=$hw_want_engine hw_container=$1 hw_container_want=$2 hw_container_sum=$hw_want_sum
  hw_pull=$hw_want_pull hw_image=$hw_want_image
  shift 2
  hw_container_look || return
  if ! hw_was_begun "container $hw_engine $hw_container"; then
    hw_container_bring "$@"
    return
  fi
  [ -n "$hw_check" ] || { hw_container_settle "$hw_found" && hw_end_work "container $hw_engine $hw_container"; } || return
  hw_container_bring "$@" && hw_also 'rest of an interrupted step'
}

# hw_container_settle TOKEN: a session that ended while it replaced the container has left two: the old one gets its
# name back, unless the new one has taken its place.
hw_container_settle() {
  hw_act || return
  hw_touch_all
  "$hw_engine" rm -f "$hw_container-new-$1" >/dev/null 2>&1
  "$hw_engine" container inspect "$hw_container-old-$1" >/dev/null 2>&1 || return 0
  case $hw_container_want-$hw_container_is in
    *-absent | running-created | running-configured)
      [ "$hw_container_is" = absent ] || "$hw_engine" rm -f "$hw_container" >/dev/null
      "$hw_engine" rename "$hw_container-old-$1" "$hw_container" >/dev/null
      ;;
    *) "$hw_engine" rm -f "$hw_container-old-$1" >/dev/null ;;
  esac || hw_fail "could not take away what an interrupted step left: $hw_container-old-$1" || return
  hw_container_look
}

# hw_container_bring WORD… (those of hw_container): it becomes as it is to be.
hw_container_bring() {
  case $hw_container_want in
    absent)
      [ "$hw_container_is" != absent ] || return 0
      hw_also removed
      [ -n "$hw_check" ] || hw_container_remove
      return
      ;;
  esac
  if [ "$hw_container_is" = absent ]; then
    hw_also created
  else
    [ "$hw_container_has" = "$hw_container_sum" ] || hw_also specification
    hw_container_compare_image || return
  fi
  if [ "$hw_status" = changed ]; then
    [ -n "$hw_check" ] || hw_container_replace "$@"
    return
  fi
  case $hw_container_want-$hw_container_is in
    running-running | running-restarting | stopped-created | stopped-configured | stopped-exited | stopped-stopped | stopped-dead) return 0 ;;
    running-paused) hw_verb=unpause ;;
    running-*) hw_verb=start ;;
    stopped-*) hw_verb=stop ;;
  esac
  case $hw_verb in stop) hw_also stopped ;; unpause) hw_also resumed ;; start) hw_also started ;; esac
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  "$hw_engine" "$hw_verb" "$hw_container" >/dev/null || hw_fail "could not $hw_verb the container $hw_container"
}

# hw_container_look: which engine there is into hw_engine; what the container is (absent running exited …)
# into hw_container_is, its image and the sum of its specification into hw_container_image and
# hw_container_has.
hw_container_look() {
  if [ -z "$hw_engine" ]; then
    hw_engine=docker
    command -v docker >/dev/null || hw_engine=podman
    command -v "$hw_engine" >/dev/null || hw_without 'docker or podman' 'docker.io, docker-ce or podman' || return
  elif ! command -v "$hw_engine" >/dev/null; then
    case $hw_engine in
      docker) hw_without docker 'docker.io or docker-ce' || return ;;
      *) hw_without podman podman || return ;;
    esac
  fi
  # A word of ours before it: the engines may warn of this and that.
  if hw_found=$("$hw_engine" container inspect \
    --format 'hw={{.State.Status}} {{.Image}} {{index .Config.Labels "hostwright.specification"}}' "$hw_container" 2>&1); then
    hw_found=${hw_found##*hw=}
    hw_found=${hw_found%%"$hw_newline"*}
    hw_container_is=${hw_found%% *} hw_found=${hw_found#* }
    hw_container_image=${hw_found%% *} hw_container_has=${hw_found#* }
    # Docker has the kind of the sum before it, podman has not.
    hw_container_image=${hw_container_image#sha256:}
    hw_saw "container $hw_container $hw_container_is $hw_container_image $hw_container_has"
  else
    case $hw_found in
      *[Nn]'o such container'* | *[Nn]'o such object'*) ;;
      *)
        # An earlier step may start it.
        hw_lacks service "$hw_engine.service" "$hw_found$hw_newline$hw_engine does not answer" || return
        ;;
    esac
    hw_container_is=absent hw_container_image='' hw_container_has=''
    hw_saw "no container $hw_container"
  fi
}

# hw_container_compare_image: with `always`, whether the image of this name is another by now. It is
# pulled for that, but not with --check: that compares what is on the host.
hw_container_compare_image() {
  [ "$hw_pull" = always ] || return 0
  [ -n "$hw_check" ] || hw_container_pull || return
  hw_found=$("$hw_engine" image inspect --format '{{.Id}}' "$hw_image" 2>/dev/null) || hw_found=none
  hw_saw "image $hw_image $hw_found"
  [ "${hw_found#sha256:}" = "$hw_container_image" ] || hw_also image
}

hw_container_pull() {
  "$hw_engine" pull -q "$hw_image" >/dev/null || hw_fail "could not pull the image $hw_image"
}

# hw_container_replace WORD… (those of hw_container): the new one is made beside the old one, which
# stops only then, and is there again if the new one does not start.
hw_container_replace() {
  hw_touch_all
  if [ "$hw_container_is" = absent ] || [ "$hw_pull" != always ]; then
    case $hw_pull in
      always) hw_container_pull || return ;;
      missing) "$hw_engine" image inspect "$hw_image" >/dev/null 2>&1 || hw_container_pull || return ;;
    esac
  fi
  hw_begin_work "container $hw_engine $hw_container" "$hw_token" || return
  hw_container_create "$hw_container-new-$hw_token" "$@" ||
    hw_container_drop_new "could not make the container $hw_container; nothing has changed" || return
  hw_act || {
    hw_container_drop_new
    return 1
  }
  if [ "$hw_container_is" != absent ]; then
    "$hw_engine" stop "$hw_container" >/dev/null &&
      "$hw_engine" rename "$hw_container" "$hw_container-old-$hw_token" >/dev/null ||
      hw_container_go_back "could not put the old container $hw_container out of the way" || return
  fi
  "$hw_engine" rename "$hw_container-new-$hw_token" "$hw_container" >/dev/null ||
    hw_container_go_back "could not give the new container the name $hw_container" || return
  if [ "$hw_container_want" = running ]; then
    "$hw_engine" start "$hw_container" >/dev/null || hw_container_go_back "the new container $hw_container does not start" || return
  fi
  [ "$hw_container_is" = absent ] || "$hw_engine" rm -f "$hw_container-old-$hw_token" >/dev/null ||
    hw_fail "could not remove the old container $hw_container-old-$hw_token" || return
  hw_end_work "container $hw_engine $hw_container"
}

# hw_container_drop_new [MESSAGE]: the new container goes, before the old one was touched.
hw_container_drop_new() {
  "$hw_engine" rm -f "$hw_container-new-$hw_token" >/dev/null 2>&1
  hw_end_work "container $hw_engine $hw_container"
  [ -z "${1-}" ] || hw_fail "$1"
}

# hw_container_go_back MESSAGE: the old container is there again.
hw_container_go_back() {
  "$hw_engine" rm -f "$hw_container-new-$hw_token" >/dev/null 2>&1
  if [ "$hw_container_is" = absent ]; then
    "$hw_engine" rm -f "$hw_container" >/dev/null 2>&1
    hw_end_work "container $hw_engine $hw_container"
    hw_fail "$1"
    return
  fi
  if "$hw_engine" container inspect "$hw_container-old-$hw_token" >/dev/null 2>&1; then
    "$hw_engine" rm -f "$hw_container" >/dev/null 2>&1
    "$hw_engine" rename "$hw_container-old-$hw_token" "$hw_container" >/dev/null || hw_fail "$1, and the old one is $hw_container-old-$hw_token now" || return
  fi
  hw_end_work "container $hw_engine $hw_container"
  case $hw_container_is in
    running | restarting) "$hw_engine" start "$hw_container" >/dev/null || hw_fail "$1, and neither does the old one" || return ;;
  esac
  hw_fail "$1; the old one is there again"
}

# hw_container_create NAME WORD…: the variables by environment, where `-e NAME` takes them from: others could
# read an argument.
hw_container_create() (
  hw_made=$1
  shift
  for hw_each in "$@"; do
    shift
    case $hw_each in
      # The controller has checked the name.
      env=*) export "${hw_each#env=}" || exit 1 ;;
      argument=*) set -- "$@" "${hw_each#argument=}" ;;
    esac
  done
  exec "$hw_engine" create --name "$hw_made" --label "hostwright.specification=$hw_container_sum" "$@" >/dev/null
)

hw_container_remove() {
  hw_act || return
  hw_touch_all
  case $hw_container_is in
    running | paused | restarting) "$hw_engine" stop "$hw_container" >/dev/null ;;
  esac
  "$hw_engine" rm -f "$hw_container" >/dev/null || hw_fail "could not remove the container $hw_container"
}
