/** Key pairs of a lab: one for its client, one for each host. */
import ssh2 from 'ssh2'

/** Both keys in OpenSSH’s file formats. */
export interface KeyPair {
  private: string
  public: string
}

/**
 * A new ed25519 key pair. ssh2 drops leading zero bytes of the public key, which breaks about one pair in
 * 256, so each pair is tested before it is returned.
 */
export function createKeyPair(comment: string): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    if (works(pair)) return pair
  }
}

function works(pair: KeyPair): boolean {
  const secret = ssh2.utils.parseKey(pair.private)
  const known = ssh2.utils.parseKey(pair.public)
  if (secret instanceof Error || known instanceof Error) return false
  const message = Buffer.from('hostwright')
  return known.getPublicSSH().length === 51 && known.verify(message, secret.sign(message)) === true
}

/** The base64 part of a public key, as used in known_hosts lines and fingerprints. */
export function keyData(publicKey: string): string {
  return publicKey.split(' ')[1]!
}
