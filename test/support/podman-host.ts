/** Hosts with containers: real podman and crun, as far as a test machine's kernel lets them. */
import { beforeAll } from 'vitest'
import { overlayHost } from './resource-hosts.ts'

/** What a container runs: it exits immediately on TERM. */
export const loop = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done']

/** The one image there is, of busybox. */
export const image = 'localhost/bb:1'

/** An overlay host with a podman that runs containers there, and one image, of busybox. */
export function podmanHost(): ReturnType<typeof overlayHost> {
  const made = overlayHost()
  beforeAll(async () => {
    await made.script(
      `mount -t tmpfs none /sys/fs/cgroup
      mkdir -p /etc/containers /mnt/image/bin
      printf '%s\\n' '[containers]' 'default_ulimits=["nofile=1024:1024","nproc=1024:1024"]' \\
        'cgroups="disabled"' 'netns="none"' '[engine]' 'events_logger="none"' \\
        'cgroup_manager="cgroupfs"' 'runtime="crun"' >/etc/containers/containers.conf
      printf '%s\\n' '[storage]' 'driver="vfs"' 'graphroot="/mnt/podman"' 'runroot="/mnt/podman-run"' \\
        >/etc/containers/storage.conf
      echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
      cd /mnt/image
      busybox=$(command -v busybox)
      cp "$busybox" bin/busybox
      for each in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ )]*'); do
        mkdir -p ".\${each%/*}"; cp -L "$each" ".$each"
      done
      for each in $(busybox --list); do [ -e "bin/$each" ] || ln -s busybox "bin/$each"; done
      mkdir etc; echo root:x:0:0::/:/bin/sh >etc/passwd
      tar -cf ../image.tar .
      podman import ../image.tar ${image}`,
      '/',
    )
  }, 60_000)
  return {
    ...made,
    // What podman keeps for itself changes when it is asked.
    snapshot: at =>
      made.script(
        `find "$at" -printf '%p %m %U %G %s %C@\\n' | sort
        podman ps -aq | xargs -r podman container inspect --format '{{.Id}} {{.Name}} {{.State.Status}} {{.State.StartedAt}}'`,
        at,
      ),
  }
}
