# What every client is put through, for Faye's client for Ruby: the steps of battery.mjs, and the same report.
# ruby battery.rb --url=http://127.0.0.1:8080/cometd --transport=websocket

require "eventmachine"
require "faye"
require "fiber"
require "json"

COUNT = 60 # messages that must arrive in their order
PATIENCE = 20 # seconds

$stdout.sync = true

# Waits within a fiber for a deferrable of EventMachine.
def await(deferrable)
  fiber = Fiber.current
  deferrable.callback { |*values| EM.next_tick { fiber.resume([:value, values.first]) } }
  deferrable.errback { |*values| EM.next_tick { fiber.resume([:error, values.first]) } }
  kind, value = Fiber.yield
  raise value.to_s if kind == :error

  value
end

def pause(seconds)
  fiber = Fiber.current
  EM.add_timer(seconds) { fiber.resume }
  Fiber.yield
end

def report(event, **facts)
  puts JSON.generate({ event: event, **facts })
end

# Messages in the order of their arrival.
class Inbox
  attr_reader :messages

  def initialize
    @messages = []
  end

  def put(message)
    @messages << message
    @waiting.call if @waiting && @messages.length >= @wanted
  end

  # Waits until so many messages have arrived in all, and returns them.
  def wait(count)
    return @messages if @messages.length >= count

    fiber = Fiber.current
    @wanted = count
    @waiting = lambda do
      @waiting = nil
      EM.next_tick { fiber.resume }
    end
    Fiber.yield
    @messages
  end

  def all(key)
    @messages.map { |message| message[key] }
  end
end

# Tells when the server has confirmed a subscription anew.
class Confirmations
  def initialize
    @waiting = {}
  end

  def of(channel)
    @waiting[channel] = EM::DefaultDeferrable.new
  end

  def incoming(message, callback)
    if message["channel"] == "/meta/subscribe" && message["successful"]
      @waiting.delete(message["subscription"])&.succeed
    end
    callback.call(message)
  end
end

class Battery
  def initialize(url, transport)
    @wanted = transport
    @client = Faye::Client.new(url, timeout: 20, retry: 0.2)
    @client.disable("websocket") unless transport == "websocket"
    @client.add_extension(@confirmations = Confirmations.new)
  end

  def run
    connect
    plain
    wildcards
    order
    unsubscribe
    recover
    await(@client.disconnect)
    report("disconnected")
  end

  # It is connected before it has found out whether the better transport works, and tells nobody of that.
  def connect
    connected = EM::DefaultDeferrable.new
    @client.connect { connected.succeed }
    await(connected)
    250.times { pause(0.02) if transport != @wanted }
  end

  # The transport in use has no public name.
  def transport
    @client.instance_variable_get(:@dispatcher).connection_type
  end

  def subscribe(channel, inbox)
    subscription = @client.subscribe(channel) { |message| inbox.put(message) }
    await(subscription)
    subscription
  end

  def publish(channel, data)
    await(@client.publish(channel, data))
  end

  def plain
    subscribe("/plain", inbox = Inbox.new)
    report("subscribed", transport: transport)
    publish("/plain", { text: "hällo €" })
    report("published", data: inbox.wait(1))
  end

  def wildcards
    subscribe("/stocks/ny/*", one = Inbox.new)
    subscribe("/stocks/**", many = Inbox.new)
    subscribe("/fence", fence = Inbox.new)
    ["/stocks/ny/orcl", "/stocks/london/bp", "/stocks", "/bonds/ny/x"].each do |name|
      publish(name, { name: name })
    end
    # Messages arrive in order: after the fence nothing can follow.
    publish("/fence", {})
    fence.wait(1)
    report("wildcards", one: one.all("name"), many: many.all("name"))
  end

  # Over HTTP it sends requests side by side, whose order nobody can tell.
  def order
    subscribe("/own", own = Inbox.new)
    COUNT.times do |number|
      sent = @client.publish("/own", { number: number })
      await(sent) unless @wanted == "websocket"
    end
    own.wait(COUNT)
    subscribe("/servers", servers = Inbox.new)
    publish("/service/announce", { channel: "/servers", count: COUNT })
    servers.wait(COUNT)
    report("ordered", own: own.all("number"), servers: servers.all("number"))
  end

  # It tells nobody of the reply to an unsubscribe; what is published afterwards leaves afterwards.
  def unsubscribe
    subscription = subscribe("/short", inbox = Inbox.new)
    subscribe("/fence/short", fence = Inbox.new)
    publish("/short", { text: "while subscribed" })
    inbox.wait(1)
    subscription.cancel
    publish("/short", { text: "after that" })
    publish("/fence/short", {})
    fence.wait(1)
    report("unsubscribed", data: inbox.messages)
  end

  # The server is restarted. The client subscribes again by itself.
  def recover
    subscribe("/kept", inbox = Inbox.new)
    publish("/kept", { text: "before" })
    inbox.wait(1)
    renewed = @confirmations.of("/kept")
    report("ready")
    await(renewed)
    publish("/kept", { text: "after" })
    report("recovered", data: inbox.wait(2))
  end
end

options = ARGV.to_h { |argument| argument.delete_prefix("--").split("=", 2) }
EM.run do
  EM.add_timer(3 * PATIENCE) { abort("nothing happened for a long time") }
  Fiber.new do
    Battery.new(options["url"], options["transport"]).run
    EM.stop
  end.resume
end
