/**
 * A connection to the bus on which a systemd manager listens. The D-Bus client is an optional dependency, loaded when
 * a bus is first asked for.
 */
import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { messageOf } from '../realm/index.js';

/** `system`: of pid 1. `user`: of the manager of one user (`user@<uid>.service`). */
export type BusKind = 'system' | 'user';

/** No manager can be reached; another manager or a direct write may still do what was asked. */
export class BusUnavailable extends Error {}

/** An error reply of the other side. */
export class BusError extends Error {
  /** For example `org.freedesktop.DBus.Error.AccessDenied`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(`${text} (${errorName})`);
    this.errorName = errorName;
  }
}

export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: unknown[];
}

export interface Signal {
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/** The used part of the library, whose own types do not compile. */
interface Library {
  sessionBus(options: { busAddress: string; authMethods: string[] }): Client;
  readonly Message: new (call: Call) => object;
  readonly Variant: new (signature: string, value: unknown) => object;
  readonly DBusError: abstract new (
    ...args: never
  ) => { readonly type: string; readonly text: string };
}

interface Client extends EventEmitter {
  /** Our name on the bus; null before the connection. */
  readonly name: string | null;
  call(message: object): Promise<{ readonly body: readonly unknown[] } | null>;
  /** Not public, but there is no other way to let the process end, or to notice that a bus went away. */
  readonly _connection: { readonly stream?: Socket };
}

interface Heard {
  readonly type: number;
  readonly interface?: string;
  readonly member?: string;
  readonly body: readonly unknown[];
}

const LIBRARY: string = '@jellybrick/dbus-next';

const CONNECT_TIMEOUT_MS = 10_000;
const SIGNAL_TYPE = 4;
/** dbus-daemon accepts 128 unanswered calls of one connection, and refuses the next. */
const MAX_CALLS = 64;

/** Why systemd cannot be reached here, determined without connecting; null if it may be reachable. */
export function whyNoBus(kind: BusKind): string | null {
  if (!existsSync('/run/systemd/system')) return 'this system was not booted with systemd';
  const path = socketPath(kind);
  if (path === null) return `no ${kind} bus is known: its address is not unix:path=…`;
  return existsSync(path) ? null : `there is no ${kind} bus at ${path}`;
}

/** Accepts only a socket in the file system: other addresses may name programs to start. */
function socketPath(kind: BusKind): string | null {
  const variable = kind === 'system' ? 'DBUS_SYSTEM_BUS_ADDRESS' : 'DBUS_SESSION_BUS_ADDRESS';
  const address = process.env[variable];
  if (!address) {
    if (kind === 'system') return '/run/dbus/system_bus_socket';
    return `${process.env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.() ?? 0}`}/bus`;
  }
  const [, path] = /(?:^|;)unix:(?:[^;]*,)?path=([^,;]+)/.exec(address) ?? [];
  return path === undefined ? null : decodeURIComponent(path);
}

async function loadLibrary(): Promise<Library> {
  try {
    return (await import(LIBRARY)) as Library;
  } catch (cause) {
    throw new BusUnavailable(`the optional dependency ${LIBRARY} is not installed`, { cause });
  }
}

export class Bus {
  readonly #library: Library;
  readonly #bus: Client;
  readonly #pending = new Set<(cause: Error) => void>();
  readonly #onSignal: (signal: Signal) => void;
  readonly #waiting: (() => void)[] = [];
  #calls = 0;
  #ended: Error | null = null;

  private constructor(library: Library, bus: Client, onSignal: (signal: Signal) => void) {
    this.#library = library;
    this.#bus = bus;
    this.#onSignal = onSignal;
    bus.on('error', (cause: Error) => this.#end(cause));
    bus.on('message', (message: Heard) => this.#hear(message));
  }

  /**
   * Throws `BusUnavailable`. `onSignal` receives every signal. An open connection does not keep the process alive.
   */
  static async connect(kind: BusKind, onSignal: (signal: Signal) => void): Promise<Bus> {
    const why = whyNoBus(kind);
    if (why !== null) throw new BusUnavailable(why);
    const library = await loadLibrary();
    const busAddress = `unix:path=${encodePath(socketPath(kind) ?? '')}`;
    const client = library.sessionBus({ busAddress, authMethods: ['EXTERNAL'] });
    const bus = new Bus(library, client, onSignal);
    const timer = setTimeout(
      () => bus.#end(new Error('no answer within 10 s')),
      CONNECT_TIMEOUT_MS,
    );
    try {
      await new Promise<void>((resolve, reject) => {
        if (bus.#ended !== null) reject(bus.#ended);
        bus.#pending.add(reject);
        client.once('connect', () => {
          bus.#pending.delete(reject);
          resolve();
        });
      });
    } catch (cause) {
      bus.close();
      const text = messageOf(cause);
      throw new BusUnavailable(`the ${kind} bus cannot be reached: ${text}`, { cause });
    } finally {
      clearTimeout(timer);
    }
    bus.#socket?.once('close', () => bus.#end(new Error('the bus closed the connection')));
    bus.#socket?.unref();
    return bus;
  }

  get #socket(): Socket | undefined {
    return this.#bus._connection.stream;
  }

  /** The pid of the owner of this bus name, or of this connection, in the pid namespace of the bus. */
  async pidOf(name: string | null = this.#bus.name): Promise<number> {
    const [pid] = await this.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'GetConnectionUnixProcessID',
      signature: 's',
      body: [name ?? ''],
    });
    return Number(pid);
  }

  get isOpen(): boolean {
    return this.#ended === null;
  }

  /** Returns the body of the reply. Throws `BusError`, or the reason why the connection ended. */
  async call(call: Call): Promise<readonly unknown[]> {
    while (this.#calls >= MAX_CALLS) await new Promise<void>((go) => this.#waiting.push(go));
    this.#calls += 1;
    try {
      return await this.#call(call);
    } finally {
      this.#calls -= 1;
      this.#waiting.shift()?.();
    }
  }

  #call(call: Call): Promise<readonly unknown[]> {
    const { Message, DBusError } = this.#library;
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      this.#pending.add(reject);
      this.#bus.call(new Message(call)).then(
        (reply) => {
          this.#pending.delete(reject);
          resolve(reply?.body ?? []);
        },
        (cause: unknown) => {
          this.#pending.delete(reject);
          reject(cause instanceof DBusError ? new BusError(cause.type, cause.text) : cause);
        },
      );
    });
  }

  /** Wraps a value of the type `signature` in a variant. */
  variant(signature: string, value: unknown): unknown {
    return new this.#library.Variant(signature, value);
  }

  close(): void {
    this.#end(new Error('the connection was closed'));
  }

  #hear(message: Heard): void {
    if (message.type !== SIGNAL_TYPE) return;
    const { interface: name, member, body } = message;
    if (name && member) this.#onSignal({ interface: name, member, body });
  }

  #end(cause: Error): void {
    if (this.#ended !== null) return;
    this.#ended = cause;
    for (const reject of this.#pending) reject(cause);
    this.#pending.clear();
    this.#socket?.destroy();
  }
}

function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9_/.-]/g, (each) => encodeURIComponent(each));
}
