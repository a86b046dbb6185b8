#!/bin/sh
# A docker that only keeps books, as far as lib/resources/commands/container.sh asks: the recorded contract of its
# commands (docs.docker.com/reference/cli/docker), in the directory of this program: containers/NAME has
# state, image id, label; images/NAME the id on the host, registry/NAME the one to be pulled; log the
# arguments; env what `create` had of -e NAME in its environment.
at=${0%/*}
printf '%s|' "$@" >>"$at/log"
echo >>"$at/log"
[ ! -e "$at/down" ] || { echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1; }
mkdir -p "$at/containers" "$at/images" "$at/registry"
path_of() { printf '%s/%s/%s' "$at" "$1" "$(printf %s "$2" | tr / _)"; }
need() { [ -e "$(path_of containers "$1")" ] || { echo "Error response from daemon: No such container: $1" >&2; exit 1; }; }
set_state() { need "$1"; sed "1s/.*/$2/" "$at/containers/$1" >"$at/new" && mv "$at/new" "$at/containers/$1"; echo "$1"; }
case "$1 $2" in
  'container inspect')
    for name in "$@"; do :; done
    need "$name"
    { read -r state; read -r image; read -r label; } <"$at/containers/$name"
    echo "WARNING: something of no interest" >&2
    echo "hw=$state $image $label"
    ;;
  'image inspect')
    for name in "$@"; do :; done
    cat "$(path_of images "$name")" 2>/dev/null || { echo "Error: No such image: $name" >&2; exit 1; }
    ;;
  'pull '*)
    cp "$(path_of registry "$3")" "$(path_of images "$3")" 2>/dev/null ||
      { echo "Error response from daemon: manifest for $3 not found" >&2; exit 1; }
    ;;
  'create '*)
    shift
    name='' label='' image=''
    while [ $# -gt 0 ] && [ -z "$image" ]; do
      case $1 in
        --name) name=$2; shift ;;
        --label) case $2 in hostwright.specification=*) label=${2#*=} ;; esac; shift ;;
        --env) case $2 in *=*) ;; *) printenv "$2" >"$at/env-$2" ;; esac; shift ;;
        --bad-option) echo "unknown flag: --bad-option" >&2; exit 125 ;;
        -*) shift ;;
        *) image=$1 ;;
      esac
      shift
    done
    [ ! -e "$at/containers/$name" ] || { echo "Conflict. The container name is in use" >&2; exit 1; }
    id=$(cat "$(path_of images "$image")") || exit 1
    printf '%s\n' created "$id" "$label" "$*" >"$at/containers/$name"
    ;;
  'rename '*) need "$2"; mv "$at/containers/$2" "$at/containers/$3" ;;
  'start '*)
    need "$2"
    ! grep -q no-start "$at/containers/$2" || { echo 'port is already allocated' >&2; exit 1; }
    set_state "$2" running
    ;;
  'stop '*) set_state "$2" exited ;;
  'unpause '*) set_state "$2" running ;;
  'rm -f') need "$3"; rm "$at/containers/$3" ;;
  *) echo "docker: '$*' is not a docker command." >&2; exit 1 ;;
esac
