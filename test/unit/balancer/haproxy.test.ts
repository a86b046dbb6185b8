import { describe, expect, test } from 'vitest'
import { isUp, parseSeen } from '../../../lib/balancer/haproxy.ts'

/** What haproxy 2.6 answers, without the columns that nobody reads. */
const answer = ({ level = 'admin', bits = '0', status = 'UP', weight = '1', sessions = '0,0' }) =>
  `${level}

1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight
3 app 1 web1 127.0.0.1 2 ${bits} 1 1 2 15 3 2 6 0 0 0 - 80 - 0 0 - - 0
3 app 2 web2 127.0.0.1 0 0 1 1 1 8 2 0 6 0 0 0 - 80 - 0 0 - - 0

# pxname,svname,qcur,scur,status,uweight,
other,web1,9,9,DOWN,1,
app,web1,${sessions},${status},${weight},
app,web2,0,0,DOWN,1,
`

const seen = (given: Parameters<typeof answer>[0] = {}) => parseSeen(answer(given), 'app', 'web1')

describe('what a balancer says of a server', () => {
  test.each([
    ['0', 'ready'],
    ['1', 'maint'],
    ['5', 'maint'],
    ['8', 'drain'],
    ['9', 'maint'],
    // Its address is not known yet, and it follows another: nobody has set that.
    ['34', 'ready'],
  ])('has the admin state %s as %s', (bits, set) => {
    expect(seen({ bits }).set).toBe(set)
  })

  test('counts sessions, and those that wait for it', () => {
    expect(seen({ sessions: '2,3' }).sessions).toBe(5)
  })

  test.each([
    ['UP', '1', true],
    ['no check', '1', true],
    ['UP 1/2', '1', false],
    ['DOWN 1/2', '1', false],
    ['MAINT', '1', false],
    ['NOLB', '1', false],
    ['DRAIN', '1', false],
    ['DRAIN', '0', true],
  ])('is UP as %s with the weight %s: %s', (status, weight, up) => {
    expect(isUp(seen({ status, weight }))).toBe(up)
  })

  test.each([
    ["admin\n\nCan't find backend.\n\n# pxname,svname,status\n", 'no backend app'],
    [answer({}).replaceAll('web1', 'web9'), 'backend app has no server web1'],
    [answer({ level: 'operator' }), 'has the level operator, which may not set servers'],
    [answer({ bits: '$(id)' }), 'has no server web1'],
    ['', 'no answer of haproxy'],
    ['HTTP/1.0 400 Bad request\n', 'no answer of haproxy: HTTP/1.0 400 Bad request'],
  ])('is refused where it is %j', (text, why) => {
    expect(() => parseSeen(text, 'app', 'web1')).toThrow(
      expect.objectContaining({
        code: 'balancer_failed',
        message: expect.stringContaining(why),
      }),
    )
  })
})
