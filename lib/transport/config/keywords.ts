/**
 * The keywords of ssh_config(5), for a reader that is not `ssh` itself: what is not among them is mistyped,
 * or newer than this list. Pure.
 */

const names = (text: string) => text.trim().split(/\s+/)

/** Old names of keywords that count. */
const aliases: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  identityfile2: 'identityfile',
  skeyauthentication: 'kbdinteractiveauthentication',
  smartcarddevice: 'pkcs11provider',
  tisauthentication: 'kbdinteractiveauthentication',
}

/** Those of OpenSSH 10, in lower case, with what it still accepts and ignores. */
const known = new Set(
  names(`
    addkeystoagent addressfamily batchmode bindaddress bindinterface canonicaldomains
    canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames
    casignaturealgorithms certificatefile channeltimeout checkhostip ciphers clearallforwardings
    compression connectionattempts connecttimeout controlmaster controlpath controlpersist
    dynamicforward enableescapecommandline enablesshkeysign escapechar exitonforwardfailure
    fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted
    gatewayports globalknownhostsfile gssapiauthentication gssapiclientidentity
    gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
    gssapiserveridentity gssapitrustdns hashknownhosts host hostbasedacceptedalgorithms
    hostbasedauthentication hostbasedkeytypes hostkeyalgorithms hostkeyalias hostname identitiesonly
    identityagent identityfile ignoreunknown include ipqos kbdinteractiveauthentication
    kbdinteractivedevices kexalgorithms knownhostscommand localcommand localforward loglevel logverbose
    macs match nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming
    passwordauthentication permitlocalcommand permitremoteopen pkcs11provider port
    preferredauthentications proxycommand proxyjump proxyusefdpass pubkeyacceptedalgorithms
    pubkeyacceptedkeytypes pubkeyauthentication refuseconnection rekeylimit remotecommand remoteforward
    requesttty requiredrsasize revokedhostkeys securitykeyprovider sendenv serveralivecountmax
    serveraliveinterval sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink
    stricthostkeychecking syslogfacility tag tcpkeepalive tunnel tunneldevice updatehostkeys user
    userknownhostsfile verifyhostkeydns versionaddendum visualhostkey warnweakcrypto xauthlocation

    afstokenpassing cipher compressionlevel fallbacktorsh globalknownhostsfile2 kerberosauthentication
    kerberostgtpassing keepalive protocol protocolkeepalives rhostsauthentication
    rhostsrsaauthentication rsaauthentication setuptimeout useblacklistedkeys useprivilegedport
    userknownhostsfile2 useroaming usersh
  `),
)

/** The keyword that a word of a file stands for, in lower case; undefined: ssh does not know it. */
export function keywordOf(word: string): string | undefined {
  const name = word.toLowerCase()
  return aliases[name] ?? (known.has(name) ? name : undefined)
}

const flag = /^(yes|no|true|false)$/i
const number = /^\d+$/
const time = /^(\d+[smhdw]?)+$|^none$/i

/** The values of keywords by which a wrong one would be taken for another setting. */
const forms: Readonly<Record<string, RegExp>> = {
  addressfamily: /^(any|inet|inet6)$/i,
  batchmode: flag,
  connecttimeout: time,
  forkafterauthentication: flag,
  gssapiauthentication: flag,
  hashknownhosts: flag,
  hostbasedauthentication: flag,
  identitiesonly: flag,
  kbdinteractiveauthentication: flag,
  numberofpasswordprompts: number,
  passwordauthentication: flag,
  permitlocalcommand: flag,
  port: /^(?!0+$)\d{1,5}$/,
  pubkeyauthentication: /^(yes|no|true|false|unbound|host-bound)$/i,
  requiredrsasize: number,
  serveralivecountmax: number,
  serveraliveinterval: time,
}

/** Whether ssh would accept these words as the keyword’s value, as far as they matter here. */
export const isValue = (keyword: string, values: readonly string[]): boolean => {
  const form = forms[keyword]
  return form === undefined || (values.length === 1 && form.test(values[0]!))
}
