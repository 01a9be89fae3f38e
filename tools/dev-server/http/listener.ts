import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** An HTTP or HTTPS server on one address that can close with all its connections and open again on the same port. */
export class Listener {
  readonly #server: HttpServer;
  readonly #sockets = new Set<Socket>();
  readonly #host: string;
  #port: number;

  constructor(server: HttpServer, port: number, host = '127.0.0.1') {
    this.#server = server;
    this.#port = port;
    this.#host = host;
    // This is the TCP connection for TLS too; its end also ends the TLS socket.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on the given port, or on the previous one if it was open before. Rejects if the port is in use. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses new connections and breaks the existing ones. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Opens or closes it; undefined changes nothing. */
  async listen(listening: boolean | undefined): Promise<void> {
    if (listening === true) await this.open();
    if (listening === false) await this.close();
  }
}
