/** A systemd manager, as far as transient scopes need it: `org.freedesktop.systemd1.Manager`. */
import { type Wait, within } from '../async/within.js';
import { Bus, type BusKind, BusUnavailable, type Signal } from './bus.js';

const DESTINATION = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER = `${DESTINATION}.Manager`;
const CONNECT_TIMEOUT_MS = 10_000;
const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** A property of a transient unit: name, D-Bus signature, value. */
export type UnitProperty = readonly [name: string, signature: string, value: unknown];

/** The manager did not answer in time; the requested operation may still happen. */
export class ManagerTimeout extends Error {}

/** A requested job. */
export interface StartedJob {
  /** Whether the manager accepts the job, however long that takes. Never rejects. */
  readonly accepted: Promise<boolean>;
  /** The job's result. Rejects if the wait ends first, or the manager refuses the job. */
  readonly done: Promise<string>;
}

/** The results of one unit's jobs. */
interface JobWaiter {
  readonly results: Map<string, string>;
  notify: () => void;
}

export class SystemdManager {
  readonly kind: BusKind;
  readonly #bus: Bus;
  readonly #waiters: Map<string, Set<JobWaiter>>;
  #uses = 0;

  private constructor(kind: BusKind, bus: Bus, waiters: Map<string, Set<JobWaiter>>) {
    this.kind = kind;
    this.#bus = bus;
    this.#waiters = waiters;
  }

  static async #connect(kind: BusKind): Promise<SystemdManager> {
    const waiters = new Map<string, Set<JobWaiter>>();
    const bus = await Bus.connect(kind, (signal) => hearJob(signal, waiters));
    const manager = new SystemdManager(kind, bus, waiters);
    const match = `type='signal',sender='${DESTINATION}',interface='${MANAGER}',member='JobRemoved'`;
    const wait = { deadline: performance.now() + CONNECT_TIMEOUT_MS };
    let pid: number;
    try {
      pid = await manager.#within(wait, () => bus.pidOf());
      await manager.#within(wait, () =>
        bus.call({
          destination: 'org.freedesktop.DBus',
          path: '/org/freedesktop/DBus',
          interface: 'org.freedesktop.DBus',
          member: 'AddMatch',
          signature: 's',
          body: [match],
        }),
      );
    } catch (cause) {
      bus.close();
      throw new BusUnavailable(`the ${kind} bus does not let us listen`, { cause });
    }
    if (pid !== process.pid) {
      bus.close();
      throw new BusUnavailable(
        `the ${kind} bus is in another pid namespace: it would take our pids for those of others`,
      );
    }
    return manager;
  }

  /**
   * The manager of a bus, over this thread's only connection; must be released by `release`. References to units last
   * until its last user releases it. Throws `BusUnavailable`.
   */
  static async acquire(kind: BusKind): Promise<SystemdManager> {
    for (;;) {
      const shared = connections.get(kind) ?? SystemdManager.#connect(kind);
      connections.set(kind, shared);
      const forget = (): void => {
        if (connections.get(kind) === shared) connections.delete(kind);
      };
      const manager = await shared.catch((cause: unknown) => {
        forget();
        throw cause;
      });
      if (manager.#bus.isOpen) {
        manager.#uses += 1;
        return manager;
      }
      // The bus went away, or the last user released it meanwhile.
      forget();
    }
  }

  release(): void {
    this.#uses -= 1;
    if (this.#uses === 0) this.#bus.close();
  }

  /** Starts a unit; `done` resolves to its job's result, `'done'` on success. */
  startTransientUnit(unit: string, properties: readonly UnitProperty[], wait: Wait): StartedJob {
    const values = properties.map(([name, signature, value]) => [
      name,
      this.#bus.variant(signature, value),
    ]);
    return this.#job(
      unit,
      'StartTransientUnit',
      'ssa(sv)a(sa(sv))',
      [unit, 'fail', values, []],
      wait,
    );
  }

  /** Stops a unit, and waits until the manager has done it. */
  stopUnit(unit: string, wait: Wait): Promise<string> {
    return this.#job(unit, 'StopUnit', 'ss', [unit, 'replace'], wait).done;
  }

  /** Signals all processes of a unit. */
  async killUnit(unit: string, signal: number, wait: Wait): Promise<void> {
    await this.#call('KillUnit', 'ssi', [unit, 'all', signal], wait);
  }

  /** Makes the manager abandon a scope, whose processes continue; it is forgotten when they end. */
  async abandonScope(unit: string, wait: Wait): Promise<void> {
    await this.#call('AbandonScope', 's', [unit], wait);
  }

  /** Drops the reference that `AddRef` took. */
  async unrefUnit(unit: string, wait: Wait): Promise<void> {
    await this.#call('UnrefUnit', 's', [unit], wait);
  }

  /** The pid of the manager itself, and the cgroup that contains all of its units, as the manager sees it. */
  async place(wait: Wait): Promise<{ readonly pid: number; readonly cgroup: string }> {
    const pid = await this.#within(wait, () => this.#bus.pidOf(DESTINATION));
    const cgroup = await this.#property(MANAGER_PATH, MANAGER, 'ControlGroup', wait);
    return { pid, cgroup: String(cgroup) };
  }

  /** One property of a loaded unit. `of` is its interface, such as `Unit` or `Scope`. */
  async unitProperty(unit: string, of: string, name: string, wait: Wait): Promise<unknown> {
    const [path] = await this.#call('GetUnit', 's', [unit], wait);
    return this.#property(String(path), `${DESTINATION}.${of}`, name, wait);
  }

  async #property(path: string, of: string, name: string, wait: Wait): Promise<unknown> {
    const [value] = await this.#within(wait, () =>
      this.#bus.call({
        destination: DESTINATION,
        path,
        interface: PROPERTIES,
        member: 'Get',
        signature: 'ss',
        body: [of, name],
      }),
    );
    return typeof value === 'object' && value !== null && 'value' in value ? value.value : value;
  }

  #job(unit: string, member: string, signature: string, body: unknown[], wait: Wait): StartedJob {
    // The job may end before we have read its name, so we listen for its end first.
    const waiter: JobWaiter = { results: new Map(), notify: () => {} };
    const waiters = this.#waiters.get(unit) ?? new Set();
    this.#waiters.set(unit, waiters.add(waiter));
    const reply = this.#send(member, signature, body);
    const end = async (): Promise<string> => {
      try {
        const [job] = await this.#within(wait, () => reply);
        return await this.#within(wait, () => resultOf(waiter, String(job)));
      } finally {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(unit);
      }
    };
    const accepted = reply.then(
      () => true,
      () => false,
    );
    return { accepted, done: end() };
  }

  #call(
    member: string,
    signature: string,
    body: unknown[],
    wait: Wait,
  ): Promise<readonly unknown[]> {
    return this.#within(wait, () => this.#send(member, signature, body));
  }

  #send(member: string, signature: string, body: unknown[]): Promise<readonly unknown[]> {
    return this.#bus.call({
      destination: DESTINATION,
      path: MANAGER_PATH,
      interface: MANAGER,
      member,
      signature,
      body,
    });
  }

  #within<T>(wait: Wait, act: () => Promise<T>): Promise<T> {
    return within(wait, act, () => new ManagerTimeout('systemd did not answer in time'));
  }
}

const connections = new Map<BusKind, Promise<SystemdManager>>();

function hearJob(
  { interface: from, member, body }: Signal,
  all: Map<string, Set<JobWaiter>>,
): void {
  if (from !== MANAGER || member !== 'JobRemoved') return;
  const [, job, unit, result] = body;
  for (const waiter of all.get(String(unit)) ?? []) {
    waiter.results.set(String(job), String(result));
    waiter.notify();
  }
}

function resultOf(waiter: JobWaiter, job: string): Promise<string> {
  return new Promise((resolve) => {
    waiter.notify = () => {
      const result = waiter.results.get(job);
      if (result !== undefined) resolve(result);
    };
    waiter.notify();
  });
}
