import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { webhookHeaders } from '../../../lib/callbacks/sign.ts'

const body = '{"run":"naïve 日本"}'
const now = () => Math.floor(Date.now() / 1000)

describe('webhookHeaders', () => {
  it('signs with a whsec_ secret so that Standard Webhooks receivers can verify it', () => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    const headers = webhookHeaders({ id: 'msg_1', timestamp: now(), body, secret })
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
    expect(() => new Webhook(secret).verify(body.replace('run', 'rum'), headers)).toThrow()
  })

  it('signs with each of two secrets, so that a receiver of either can verify it', () => {
    const secrets = [0, 1].map(() => `whsec_${randomBytes(32).toString('base64')}`)
    const secret = secrets.join(' ')
    const headers = webhookHeaders({ id: 'msg_1', timestamp: now(), body, secret })
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/)
    for (const each of secrets)
      expect(new Webhook(each).verify(body, headers)).toEqual(JSON.parse(body))
    const other = `whsec_${randomBytes(32).toString('base64')}`
    expect(() => new Webhook(other).verify(body, headers)).toThrow()
  })

  it('uses any other secret as it is', () => {
    const secret = 'correct horse battery staple'
    const headers = webhookHeaders({ id: 'msg_1', timestamp: now(), body, secret })
    expect(new Webhook(secret, { format: 'raw' }).verify(body, headers)).toEqual(JSON.parse(body))
  })

  it('produces the signature of the specification’s reference', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const message = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1614265330,
      body: '{"test": 2432232314}',
    }
    expect(webhookHeaders({ ...message, secret })).toEqual({
      'webhook-id': message.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('leaves the signature out if there is no secret', () => {
    expect(webhookHeaders({ id: 'msg_1', timestamp: 7, body })).toEqual({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '7',
    })
  })

  it.each(['', 'whsec_', 'whsec_not base64!', 'whsec_YQ== whsec_'])(
    'refuses the secret %j without repeating it',
    secret => {
      expect(() => webhookHeaders({ id: 'msg_1', timestamp: 7, body, secret })).toThrowError(
        expect.objectContaining({
          code: 'invalid_value',
          message: 'the callback secret is empty, or not base64 after whsec_',
        }),
      )
    },
  )
})
