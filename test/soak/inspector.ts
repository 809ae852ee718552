/** A Node process that was started with `--inspect`: asked to collect its garbage, and what is left. */

/** Talks to the inspector at this port of the loopback address. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  /** @throws Error when nobody listens there */
  static async connect(port: number): Promise<Inspector> {
    const res = await fetch(`http://127.0.0.1:${port}/json/list`);
    // The inspector's own list; one entry for each process.
    const [target] = (await res.json()) as readonly { readonly webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error(`no process to inspect at port ${port}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no inspector at port ${port}`)));
    await promise;
    return new Inspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#hear(String(data)));
  }

  /** Collects twice, as weak references need, and answers the bytes that are in use on the main heap. */
  async liveBytes(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage');
    await this.#ask('HeapProfiler.collectGarbage');
    // The protocol's answer to this question.
    const { usedSize } = (await this.#ask('Runtime.getHeapUsage')) as { readonly usedSize: number };
    return usedSize;
  }

  /** Resolves when the other side knows. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.addEventListener('close', () => resolve());
    this.#socket.close();
    await promise;
  }

  #ask(method: string): Promise<unknown> {
    const id = (this.#last += 1);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method }));
    return promise;
  }

  #hear(text: string): void {
    // A message of the protocol; those without an id are news that nobody asked for.
    const { id, result } = JSON.parse(text) as { readonly id?: number; readonly result?: unknown };
    if (id === undefined) return;
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }
}
