// Faye's own server, to keep the checks honest: prints its port, runs until its stdin is closed.
// Its bus refuses a handshake with `ext.stranger`, as the bus of the tests does.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.FAYE_MODULES ?? process.cwd()}/`)
const faye = require('faye')

const bus = new faye.NodeAdapter({ mount: '/cometd', timeout: 1 })
bus.addExtension({
  incoming(message, callback) {
    if (message.channel === '/meta/handshake' && message.ext?.stranger) {
      message.error = '403::handshake_denied'
    }
    callback(message)
  },
})

const server = createServer()
bus.attach(server)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit(0)).resume()
