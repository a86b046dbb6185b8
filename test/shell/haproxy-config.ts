/** A real configuration of haproxy's, with what makes editing it hard. */
export const haproxyConfig = (maxconn: string, timeout: string) => `# Managed by hand, mostly
global
    log /dev/log local0
    maxconn ${maxconn}   # per process
    user haproxy

defaults
    mode    http
    option  httplog
    option  dontlognull
    timeout connect 5000
    timeout  client  50000
    timeout server  ${timeout}
    errorfile 400 /etc/haproxy/errors/400.http

frontend web   # the public one
    bind *:80
    bind :::443 ssl crt "/etc/haproxy/site #1.pem"
    acl is_api path_beg /api
    use_backend api if is_api
    default_backend app

backend app
    balance roundrobin
    server app1 10.0.0.1:8080 check
    server app2 10.0.0.2:8080 check

backend api
    balance leastconn
`
