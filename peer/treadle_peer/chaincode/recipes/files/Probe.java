import java.net.InetSocketAddress;
import java.net.Socket;

/** Tells whether somebody listens at the given host:port: exit code 0, or 3. */
public class Probe {
    public static void main(String[] arguments) {
        int colon = arguments[0].lastIndexOf(':');
        String host = arguments[0].substring(0, colon);
        int port = Integer.parseInt(arguments[0].substring(colon + 1));
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 3000);
        } catch (java.io.IOException | RuntimeException away) {
            System.exit(3);
        }
    }
}
