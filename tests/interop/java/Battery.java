// What every client is put through, for CometD's Java client: the steps of battery.mjs, and the same report.
// java -cp 'build/java/*' Battery.java --url=http://127.0.0.1:8080/cometd --transport=websocket

import jakarta.websocket.ContainerProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.cometd.bayeux.Channel;
import org.cometd.bayeux.Message;
import org.cometd.bayeux.client.ClientSession;
import org.cometd.bayeux.client.ClientSessionChannel;
import org.cometd.client.BayeuxClient;
import org.cometd.client.ext.AckExtension;
import org.cometd.client.http.jetty.JettyHttpClientTransport;
import org.cometd.client.transport.ClientTransport;
import org.cometd.client.websocket.jakarta.WebSocketTransport;
import org.eclipse.jetty.client.HttpClient;

public class Battery {
    /** How many messages must arrive in their order, and how many go out together where requests overtake. */
    private static final int COUNT = 60;
    private static final int TOGETHER = 15;
    private static final long PATIENCE = 20; // seconds

    private final BayeuxClient client;
    private final List<Object> acknowledged = Collections.synchronizedList(new ArrayList<>());
    private volatile Object negotiated;
    private volatile CompletableFuture<Object> numbered = new CompletableFuture<>();

    private Battery(String url, ClientTransport transport) {
        client = new BayeuxClient(url, transport);
        client.addExtension(new AckExtension());
        client.addExtension(new ClientSession.Extension() {
            @Override
            public boolean rcvMeta(ClientSession session, Message.Mutable message) {
                note(message);
                return true;
            }
        });
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (String argument : arguments) {
            String[] parts = argument.substring(2).split("=", 2);
            options.put(parts[0], parts[1]);
        }
        HttpClient http = new HttpClient();
        http.start();
        // It comes back quickly, for the sake of the test.
        Map<String, Object> quick = new HashMap<>(Map.of("backoffIncrement", 100L, "maxBackoff", 200L));
        ClientTransport transport = options.get("transport").equals("websocket")
            ? new WebSocketTransport(quick, null, ContainerProvider.getWebSocketContainer())
            : new JettyHttpClientTransport(quick, http);
        new Battery(options.get("url"), transport).run();
        System.exit(0); // what the clients leave running
    }

    private void run() throws Exception {
        connect();
        subscribe();
        wildcards();
        order();
        batch();
        calls();
        unsubscribe();
        recover();
        numbered.get(PATIENCE, TimeUnit.SECONDS); // the first answer of the second session
        report("extensions", "negotiated", negotiated, "acknowledged", acknowledged);
        replied(callback -> client.disconnect(callback));
        report("disconnected");
    }

    private void connect() throws Exception {
        CompletableFuture<Message> connected = new CompletableFuture<>();
        client.getChannel(Channel.META_CONNECT).addListener((ClientSessionChannel.MessageListener)
            (channel, message) -> connected.complete(message));
        client.handshake();
        connected.get(PATIENCE, TimeUnit.SECONDS);
    }

    private void subscribe() throws Exception {
        Inbox inbox = new Inbox();
        subscribe("/plain", inbox);
        report("subscribed", "transport", client.getTransport().getName());
        publish("/plain", Map.of("text", "hällo €"));
        report("published", "data", inbox.await(1));
    }

    private void wildcards() throws Exception {
        Inbox one = new Inbox();
        Inbox many = new Inbox();
        Inbox fence = new Inbox();
        subscribe("/stocks/ny/*", one);
        subscribe("/stocks/**", many);
        subscribe("/fence", fence);
        for (String name : List.of("/stocks/ny/orcl", "/stocks/london/bp", "/stocks", "/bonds/ny/x")) {
            publish(name, Map.of("name", name));
        }
        // Messages arrive in order: after the fence nothing can follow.
        publish("/fence", Map.of());
        fence.await(1);
        report("wildcards", "one", one.all("name"), "many", many.all("name"));
    }

    private void order() throws Exception {
        Inbox own = new Inbox();
        subscribe("/own", own);
        for (int sent = 0; sent < COUNT; sent += TOGETHER) {
            int first = sent;
            client.batch(() -> numbers(TOGETHER).forEach(number -> send("/own", first + number)));
            own.await(sent + TOGETHER);
        }
        Inbox servers = new Inbox();
        subscribe("/servers", servers);
        publish("/service/announce", Map.of("channel", "/servers", "count", COUNT));
        servers.await(COUNT);
        report("ordered", "own", own.all("number"), "servers", servers.all("number"));
    }

    private void batch() throws Exception {
        Inbox inbox = new Inbox();
        subscribe("/batch", inbox);
        client.batch(() -> numbers(10).forEach(number -> send("/batch", number)));
        inbox.await(10);
        report("batched", "numbers", inbox.all("number"));
    }

    private void calls() throws Exception {
        List<Object> nested = new ArrayList<>(List.of(true, "ü", Map.of("b", 1.5)));
        nested.add(0, null);
        report("called", "echoed", call("echo", Map.of("a", nested)), "failed", call("fail", Map.of()));
    }

    private void unsubscribe() throws Exception {
        Inbox inbox = new Inbox();
        Inbox fence = new Inbox();
        subscribe("/short", inbox);
        subscribe("/fence/short", fence);
        publish("/short", Map.of("text", "while subscribed"));
        inbox.await(1);
        replied(callback -> client.getChannel("/short").unsubscribe(inbox, callback));
        publish("/short", Map.of("text", "after that"));
        publish("/fence/short", Map.of());
        fence.await(1);
        report("unsubscribed", "data", inbox.messages);
    }

    /** The server is restarted. Applications subscribe after each handshake; the client forgets. */
    private void recover() throws Exception {
        Inbox inbox = new Inbox();
        subscribe("/kept", inbox);
        publish("/kept", Map.of("text", "before"));
        inbox.await(1);
        CompletableFuture<Message> renewed = new CompletableFuture<>();
        client.getChannel(Channel.META_HANDSHAKE).addListener((ClientSessionChannel.MessageListener)
            (channel, handshake) -> {
                if (handshake.isSuccessful()) {
                    client.getChannel("/kept").subscribe(inbox, renewed::complete);
                }
            });
        report("ready");
        renewed.get(PATIENCE, TimeUnit.SECONDS);
        publish("/kept", Map.of("text", "after"));
        report("recovered", "data", inbox.await(2));
    }

    private void note(Message message) {
        Object ack = message.getExt() == null ? null : message.getExt().get("ack");
        if (Channel.META_HANDSHAKE.equals(message.getChannel())) {
            negotiated = ack;
            acknowledged.clear(); // the numbers begin anew
            numbered = new CompletableFuture<>();
        } else if (Channel.META_CONNECT.equals(message.getChannel()) && message.isSuccessful() && ack != null) {
            acknowledged.add(ack);
            numbered.complete(ack);
        }
    }

    private void subscribe(String channel, Inbox inbox) throws Exception {
        replied(callback -> client.getChannel(channel).subscribe(inbox, callback));
    }

    private void publish(String channel, Object data) throws Exception {
        replied(callback -> client.getChannel(channel).publish(data, callback));
    }

    private void send(String channel, int number) {
        client.getChannel(channel).publish(Map.of("number", number));
    }

    private Object call(String target, Object data) throws Exception {
        CompletableFuture<Message> answered = new CompletableFuture<>();
        client.remoteCall(target, data, answered::complete);
        Message answer = answered.get(PATIENCE, TimeUnit.SECONDS);
        return Map.of("successful", answer.isSuccessful(), "data", answer.getData());
    }

    private static void replied(Consumer<ClientSession.MessageListener> sending) throws Exception {
        CompletableFuture<Message> reply = new CompletableFuture<>();
        sending.accept(reply::complete);
        Message message = reply.get(PATIENCE, TimeUnit.SECONDS);
        if (!message.isSuccessful()) {
            throw new IllegalStateException(message.toString());
        }
    }

    private static List<Integer> numbers(int count) {
        return IntStream.range(0, count).boxed().collect(Collectors.toList());
    }

    /** Prints a line of the report; *facts* are names and values in turn. */
    private static void report(String event, Object... facts) {
        Map<String, Object> line = new HashMap<>(Map.of("event", event));
        for (int at = 0; at < facts.length; at += 2) {
            line.put((String) facts[at], facts[at + 1]);
        }
        System.out.println(json(line));
    }

    private static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                .map(entry -> json(entry.getKey()) + ":" + json(entry.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        } else if (value instanceof Object[] array) {
            return json(Arrays.asList(array));
        } else if (value instanceof List<?> list) {
            return list.stream().map(Battery::json).collect(Collectors.joining(",", "[", "]"));
        } else if (value instanceof String text) {
            StringBuilder spelled = new StringBuilder("\"");
            text.chars().forEach(unit -> spelled.append(
                unit < ' ' || unit > '~' || unit == '"' || unit == '\\'
                    ? String.format("\\u%04x", unit) : String.valueOf((char) unit)));
            return spelled.append('"').toString();
        }
        return String.valueOf(value);
    }

    /** Messages in the order of their arrival. */
    private static class Inbox implements ClientSessionChannel.MessageListener {
        private final LinkedBlockingQueue<Object> arriving = new LinkedBlockingQueue<>();
        private final List<Object> messages = new ArrayList<>();

        @Override
        public void onMessage(ClientSessionChannel channel, Message message) {
            arriving.add(message.getData());
        }

        /** Waits until *count* messages have arrived in all, and returns them. */
        List<Object> await(int count) throws Exception {
            while (messages.size() < count) {
                Object message = arriving.poll(PATIENCE, TimeUnit.SECONDS);
                if (message == null) {
                    throw new IllegalStateException("only " + messages + " arrived");
                }
                messages.add(message);
            }
            arriving.drainTo(messages);
            return messages;
        }

        List<Object> all(String key) {
            arriving.drainTo(messages);
            return messages.stream().map(data -> ((Map<?, ?>) data).get(key)).collect(Collectors.toList());
        }
    }
}
