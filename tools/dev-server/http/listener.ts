import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** An HTTP or HTTPS server on 127.0.0.1 that can be closed, connections and all, and opened again on its port. */
export class Listener {
  readonly #server: HttpServer;
  readonly #sockets = new Set<Socket>();
  #port: number;

  constructor(server: HttpServer, port: number) {
    this.#server = server;
    this.#port = port;
    // For TLS too: this is the connection below, whose end takes the TLS socket with it.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on the given port, later on the one it had. Rejects if the port is taken. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses new connections and breaks those there are. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Opens or closes; undefined leaves it as it is. */
  async listen(listening: boolean | undefined): Promise<void> {
    if (listening === true) await this.open();
    if (listening === false) await this.close();
  }
}
