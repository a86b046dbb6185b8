/** Twenty inventories in the shape of well-known public projects; each is written in three formats. */
import type { Shape, Vars } from './shapes.ts'

const hosts = (names: string, vars: (at: number) => Vars = () => ({})): Record<string, Vars> =>
  Object.fromEntries(names.split(' ').map((name, at) => [name, vars(at)]))

export const projects: Readonly<Record<string, Shape>> = {
  'a cluster with control planes, nodes and etcd': {
    hosts: hosts('node1 node2 node3', at => ({
      ansible_host: `192.0.2.${at + 1}`,
      ip: `10.0.0.${at + 1}`,
      access_ip: '{{ ip }}',
      etcd_member_name: `etcd${at + 1}`,
    })),
    groups: {
      kube_control_plane: { hosts: ['node1', 'node2'] },
      etcd: { hosts: ['node1', 'node2', 'node3'] },
      kube_node: { hosts: ['node2', 'node3'] },
      calico_rr: {},
      k8s_cluster: { children: ['kube_control_plane', 'kube_node', 'calico_rr'] },
    },
    files: {
      'group_vars/all/all.yml':
        'bin_dir: /usr/local/bin\nloadbalancer_apiserver_port: 6443\nno_proxy_exclude_workers: false\n# upstream:\nupstream_dns_servers:\n  - 192.0.2.53\n  - 198.51.100.53\nunsafe_show_logs: no\nntp_servers: ["0.pool.example iburst"]\n',
      'group_vars/all/etcd.yml': '---\netcd_data_dir: /var/lib/etcd\netcd_deployment_type: host\n',
      'group_vars/k8s_cluster/k8s-cluster.yml':
        'kube_version: v1.29.3\nkube_network_plugin: calico\nkube_service_addresses: 10.233.0.0/18\nkube_apiserver_ip: "{{ kube_service_addresses.split(\'/\')[0] }}"\ndns_domain: "{{ cluster_name }}"\ncluster_name: cluster.local\nkube_users:\n  admin: {groups: [system:masters]}\nlocal_release_dir: "/tmp/releases"\nkube_log_level: 2\npodsecurity: !!null\n',
    },
  },
  'storage with monitors and devices': {
    hosts: {
      ...hosts('mon0 mon1 mon2'),
      ...hosts('osd0 osd1', at => ({
        devices: ['/dev/sdb', `/dev/sd${'cd'[at]}`],
        osd_weight: 1.5,
      })),
    },
    groups: {
      mons: { hosts: ['mon0', 'mon1', 'mon2'] },
      osds: { hosts: ['osd0', 'osd1'], vars: { dmcrypt: true } },
      mgrs: { children: ['mons'] },
      ceph: { children: ['mons', 'osds', 'mgrs'] },
    },
    files: {
      'group_vars/all.yml':
        'fsid: "{{ cluster_uuid }}"\ncluster_uuid: 00000000-0000-0000-0000-000000000001\npublic_network: 192.0.2.0/24\nmonitor_address_block: "{{ public_network }}"\nceph_conf_overrides:\n  global:\n    osd_pool_default_size: 3\n    mon_host: "{{ groups[\'mons\'] | join(\',\') }}"\nosd_memory_target: 4_294_967_296\n',
      'group_vars/osds': 'osd_scenario: lvm\nosd_auto_discovery: off\n',
      'host_vars/osd1.yaml': 'devices: [/dev/nvme0n1]\n',
    },
  },
  'a small cluster with a token': {
    hosts: hosts('192.0.2.10 192.0.2.11 192.0.2.12'),
    groups: {
      server: { hosts: ['192.0.2.10'] },
      agent: { hosts: ['192.0.2.11', '192.0.2.12'] },
      k3s_cluster: {
        children: ['server', 'agent'],
        vars: {
          ansible_port: 22,
          ansible_user: 'debian',
          k3s_version: 'v1.30.2+k3s1',
          token: 'changeme!',
          api_endpoint:
            "{{ hostvars[groups['server'][0]]['ansible_host'] | default(groups['server'][0]) }}",
          extra_server_args: '',
        },
      },
    },
  },
  'one host with many services': {
    hosts: { 'host.example.org': { ansible_become: true, netbase__domain: 'example.org' } },
    groups: {
      debops_all_hosts: { hosts: ['host.example.org'] },
      debops_service_nginx: { children: ['debops_all_hosts'] },
      debops_service_postgresql: { children: ['debops_all_hosts'] },
    },
    files: {
      'group_vars/all/core.yml':
        'nginx__domain: "{{ netbase__domain }}"\nnginx__servers:\n  - name: [ "{{ \'www.\' + nginx__domain }}", "{{ nginx__domain }}" ]\n    ssl: yes\n    root: "/srv/{{ inventory_hostname_short }}"\nusers__enabled: True\n',
      'host_vars/host.example.org/nginx.yml':
        'nginx__worker_connections: 1024\nnginx__port: 0o17\n',
      'host_vars/host.example.org/deep/more': 'a: 1\n',
    },
  },
  'sites with databases in one mapping': {
    hosts: hosts('production.example.com', () => ({ ansible_host: 'production.example.com' })),
    groups: {
      production: { hosts: ['production.example.com'] },
      web: { hosts: ['production.example.com'] },
    },
    files: {
      'group_vars/all/users.yml':
        'admin_user: admin\nusers:\n  - name: "{{ web_user }}"\n    groups:\n      - "{{ web_group }}"\n    keys: []\n  - name: "{{ admin_user }}"\n    groups: [sudo]\nweb_user: web\nweb_group: www-data\n',
      'group_vars/production/wordpress_sites.yml':
        'wordpress_sites:\n  example.com:\n    site_hosts:\n      - canonical: example.com\n        redirects: [www.example.com]\n    branch: master\n    multisite: {enabled: false}\n    ssl: {enabled: true, provider: letsencrypt}\n    cache: {enabled: no, duration: 30s}\n    env:\n      db_prefix: wp_\n',
    },
  },
  'a service and its database by lookups of the other': {
    hosts: { galaxy: { ansible_connection: 'local' }, db: { listen: '192.0.2.7' } },
    groups: { galaxyservers: { hosts: ['galaxy'] }, dbservers: { hosts: ['db'] } },
    files: {
      'group_vars/all.yml':
        'db_port: 5432\n_defaults: &defaults\n  threads: 4\n  mem: 8\nsmall:\n  <<: *defaults\n  mem: 2\n',
      'group_vars/galaxyservers.yml':
        'galaxy_root: /srv/galaxy\ngalaxy_config:\n  galaxy:\n    database_connection: "postgresql://{{ hostvars[groups.dbservers[0]].listen }}:{{ db_port }}/galaxy"\n    file_path: "{{ galaxy_root }}/files"\n    brand: \'{{ "A" if db_port > 5000 else "B" }}\'\nextra: "{{ galaxy_config.galaxy.file_path | upper }}"\nthreads_total: "{{ small.threads * 2 }}"\n',
    },
  },
  'regions and stages': {
    hosts: hosts('web1.eu web2.eu web1.us db1.eu', at => ({ n: at })),
    groups: {
      web: { hosts: ['web1.eu', 'web2.eu', 'web1.us'], vars: { tier: 'web' } },
      db: { hosts: ['db1.eu'], vars: { tier: 'db' } },
      eu: { hosts: ['web1.eu', 'web2.eu', 'db1.eu'], vars: { region: 'eu', ntp: 'eu.pool' } },
      us: { hosts: ['web1.us'], vars: { region: 'us' } },
      prod: { children: ['eu', 'us'], vars: { stage: 'prod', ntp: 'pool' } },
      special: { hosts: ['web1.eu'], vars: { tier: 'special', ansible_group_priority: 10 } },
    },
    files: {
      'group_vars/prod.yml': 'name: "{{ tier }}-{{ region }}-{{ n }}"\n',
      '../group_vars/all.yml': 'stage: lab\nname: all\nowner: ops\n',
      '../group_vars/eu.yml': 'owner: eu-ops\n',
      '../host_vars/db1.eu.yml': 'tier: main\n',
    },
  },
  'cloud machines by tags': {
    hosts: hosts('i-0a1 i-0b2 i-0c3', at => ({
      ec2_id: `i-0${at}`,
      ec2_tags: { Name: `m${at}`, 'aws:stack': 'x' },
      ec2_ports: [22, 443],
      public: at === 0,
      zone: null,
    })),
    groups: {
      tag_Role_web: { hosts: ['i-0a1', 'i-0b2'] },
      type_m5_large: { hosts: ['i-0a1', 'i-0c3'] },
      ec2: { children: ['tag_Role_web', 'type_m5_large'], vars: { ansible_user: 'admin' } },
    },
  },
  'network of sites with dashes in names': {
    hosts: hosts('sw-1 sw-2', at => ({ mgmt: `2001:db8::${at + 1}`, vlan: 100 + at })),
    groups: {
      'site-a': { hosts: ['sw-1'] },
      'site-b': { hosts: ['sw-2'] },
      'all-sites': {
        children: ['site-a', 'site-b'],
        vars: {
          vlans: [
            { id: 1, name: 'a b' },
            { id: 2, name: "c'd" },
          ],
        },
      },
    },
    files: { 'group_vars/site-a.json': '{"gateway": "192.0.2.1", "mtu": 9000, "ratio": 0.5}' },
  },
  'values of all of YAML’s types': {
    hosts: hosts('a'),
    groups: { g: { hosts: ['a'] } },
    files: {
      'group_vars/g.yml':
        'b: [yes, No, on, OFF, true, False, y, n, "yes"]\ni: [017, 0x1F, 0b11, 1_000, +5, -3, 0, 08, 190:20:30, 12:30]\nf: [1.0, 1.10, 6.8523015e+5, 1e3, 685_230.15, .5, -.inf, 1., 1.5e3]\nd: [2001-12-14, 2001-12-14t21:59:43.10-05:00, 2001-12-15 2:59:43.10]\nn: [~, null, Null, , ""]\ns: [1.2.3, 0o17, "1", \'2\', a: b]\nm: {1: one, true: yes, 1.5: x, null: y}\nblock: |\n  line 1\n  line 2\nfold: >-\n  a\n  b\n\n  c\ntags: [!!str 5, !!int "7", !!float 3, !!bool "no"]\n? complex\n: key\n',
    },
  },
  'templates of all kinds': {
    hosts: hosts('a b', at => ({ n: at + 1 })),
    groups: { g: { hosts: ['a', 'b'] }, h: { hosts: ['a'] } },
    files: {
      'group_vars/all.yml':
        'num: "{{ n }}"\nsum: "{{ n + 1 }}"\ntext: "n is {{ n }}"\nlist: "{{ [n, n * 2] }}"\ndict: "{{ {\'a\': n} }}"\nbool: "{{ n > 1 }}"\nstr: "{{ n | string }}"\nnothing: "{{ none }}"\ndef: "{{ missing | default(\'d\') }}"\nundef: "{{ missing }}"\ndeep: {a: ["{{ text }}", {b: "{{ list[0] }}"}]}\nnames: "{{ groups[\'g\'] }}"\nme: "{{ inventory_hostname }}/{{ group_names | join(\'-\') }}"\nother: "{{ hostvars[\'b\'][\'n\'] }}"\ncircle: "{{ circle2 }}"\ncircle2: "{{ circle }}"\ncond: "{% if n == 1 %}one{% else %}many{% endif %}"\nloop: "{% for x in [1, 2] %}{{ x }},{% endfor %}"\nfloat: "{{ 1.0 }}"\ndiv: "{{ 4 / 2 }}"\nquoted: "[1, \'two\']"\ntrue_text: "{{ \'True\' }}"\nlower: "{{ \'ABC\' | lower }}"\nsorted: "{{ [3, 1, 2] | sort }}"\nuniq: "{{ [1, 1, 2] | unique }}"\nint: "{{ \'7\' | int }}"\nmapped: "{{ [{\'x\': 1}, {\'x\': 2}] | map(attribute=\'x\') | list }}"\nb64: "{{ \'a\' | b64encode }}"\nrepl: "{{ \'a.b\' | replace(\'.\', \'-\') }}"\nre: "{{ \'a1b22\' | regex_replace(\'[0-9]+\', \'#\') }}"\ntern: "{{ (n > 1) | ternary(\'y\', \'n\') }}"\njson: "{{ {\'a\': [1, true]} | to_json }}"\n',
    },
  },
  'unsafe text and empty files': {
    hosts: hosts('a'),
    groups: { g: { hosts: ['a'] } },
    files: {
      'group_vars/all.yml': '',
      'group_vars/g.yml': '---\n# nothing\n',
      'host_vars/a.yml': 'raw: !unsafe "{{ x }}"\nlist: !unsafe ["{{ y }}", 1]\n',
    },
  },
  'deep groups': {
    hosts: hosts('x'),
    groups: {
      l4: { hosts: ['x'], vars: { a: 4, b: 4 } },
      l3: { children: ['l4'], vars: { a: 3, c: 3 } },
      l2: { children: ['l3'], vars: { a: 2, d: 2 } },
      l1: { children: ['l2', 'l4'], vars: { a: 1, b: 1, c: 1, d: 1, e: 1 } },
    },
    files: { 'group_vars/l1.yml': 'b: file1\n', 'group_vars/l3.yml': 'e: file3\n' },
  },
  'priorities of groups': {
    hosts: hosts('x'),
    groups: {
      aa: { hosts: ['x'], vars: { v: 'aa', ansible_group_priority: 5 } },
      bb: { hosts: ['x'], vars: { v: 'bb', ansible_group_priority: '3' } },
      cc: { hosts: ['x'], vars: { v: 'cc', ansible_group_priority: -1 } },
    },
    files: { 'group_vars/cc.yml': 'w: cc\n', 'group_vars/aa.yml': 'w: aa\n' },
  },
  'settings of the connection': {
    hosts: {
      bastion: { ansible_host: '192.0.2.1', ansible_port: 2222 },
      inner: { ansible_host: '10.0.0.2', ansible_ssh_common_args: '-J bastion' },
      box: { ansible_connection: 'local' },
    },
    groups: {
      all: {
        vars: {
          ansible_user: 'ops',
          ansible_become: 'yes',
          ansible_python_interpreter: '/usr/bin/python3',
        },
      },
    },
    files: { 'host_vars/inner.yml': 'ansible_host: "{{ net }}.3"\nnet: 10.0.1\n' },
  },
  'JSON beside YAML': {
    hosts: hosts('a b'),
    groups: { g: { hosts: ['a', 'b'] } },
    files: {
      'group_vars/g.json': '{"a": 1, "b": {"c": [true, null]}, "t": "{{ a }}"}',
      'host_vars/a.yml': '{"d": 2}\n',
      'host_vars/b.json': 'e: yes\n',
    },
  },
  'directories and files of one name': {
    hosts: hosts('a'),
    groups: { g: { hosts: ['a'] } },
    files: {
      'group_vars/g/z.yml': 'v: z\nw: z\n',
      'group_vars/g/a.yml': 'v: a\n',
      'group_vars/g/sub/b.yml': 'w: b\n',
      'group_vars/g/.hidden.yml': 'v: hidden\n',
      'group_vars/g/old.yml~': 'v: old\n',
      'group_vars/g/notes.md': 'v: notes\n',
      'group_vars/g.yml': 'v: beside\n',
      'host_vars/a': 'h: 1\n',
      'host_vars/a.yml': 'h: 2\n',
    },
  },
  'quotes, colons and words of other languages': {
    hosts: hosts('a', () => ({
      q: `it's "quoted"`,
      s: 'a # b',
      c: 'k: v',
      u: 'é日本😀',
      e: '',
      t: 'true',
      l: '[1, 2',
      b: 'back\\slash',
      nl: 'two\nlines',
    })),
    groups: { all: { vars: { eq: 'a=b=c', sp: '  padded  ', hash: '#x' } } },
  },
  'a variable for each of several levels': {
    hosts: { a: { v: 'line', w: { x: 1 } } },
    groups: {
      all: { vars: { v: 'all', w: { y: 2 } } },
      g: { hosts: ['a'], vars: { v: 'g', w: { z: 3 } } },
    },
    files: {
      'group_vars/all.yml': 'v: file-all\nw: {k: 4}\n',
      'group_vars/g.yml': 'w: {l: 5}\n',
      'host_vars/a.yml': 'v: file-host\n',
      '../host_vars/a.yml': 'w: {m: 6}\n',
    },
  },
  'hosts without groups': {
    hosts: hosts('lone1 lone2 grouped', at => ({ at })),
    groups: { g: { hosts: ['grouped'] }, empty: {} },
    files: { 'group_vars/ungrouped.yml': 'is: lone\n', 'group_vars/all.yml': 'is: any\n' },
  },
}
