/**
 * What is done to an episode's processes when a limit is reached: the action, its repetition, and the weaker action
 * that replaces one that fails. The twin of `native/core/enforcer.h`.
 */
import { ENFORCE_LIMIT_NS, LINGER_FIRST_NS, LINGER_MAX_NS } from '../../schema/bounds.js';
import type { ExhaustAction } from '../../schema/enumerations.js';
import type { DrivenEpisode, EnforcedAction } from './driven-episode.js';
import type { ActionResult, Mailbox } from './mailbox.js';

/** State of an enforcement. `done`: all processes are frozen or dead. `givenUp`: the session ends without that. */
export type Enforced = 'pending' | 'done' | 'givenUp';

/** `asked`: an action is in progress. `paused`: it will be repeated. `told`: the freeze or kill was requested. */
type State = 'idle' | 'asked' | 'paused' | 'told';

export class Enforcer {
  readonly #episode: DrivenEpisode;
  readonly #mailbox: Mailbox;
  readonly #clock: () => bigint;
  readonly #onActionDone: (result: ActionResult) => void;
  /** The id of the last action. */
  #actionId = 0;
  #state: State = 'idle';
  #action: EnforcedAction = 'kill';
  /** The action is applied outside the cgroup, whose members have been killed. */
  #outside = false;
  /** Why the action is repeated. */
  #unfinishedErrno: string | null = null;
  #lookNs = 0n;
  #delayNs = 0n;
  #limitNs = 0n;

  /** Failures are noted in the mailbox. `onActionDone` is called when an action is done. */
  constructor(
    episode: DrivenEpisode,
    mailbox: Mailbox,
    clock: () => bigint,
    onActionDone: (result: ActionResult) => void,
  ) {
    this.#episode = episode;
    this.#mailbox = mailbox;
    this.#clock = clock;
    this.#onActionDone = onActionDone;
  }

  begin(action: ExhaustAction): Enforced {
    this.#state = 'idle';
    if (action === 'stop') return 'givenUp';
    this.#action = action;
    this.#outside = false;
    this.#limitNs = this.#clock() + ENFORCE_LIMIT_NS;
    if (action === 'freeze' && !this.#episode.hasCgroup) return this.#giveUp(null);
    return this.#act();
  }

  /** Takes the result of an action. The result of any but the last action is ignored. */
  actionDone({ id, errno }: ActionResult): Enforced {
    if (this.#state !== 'asked' || id !== this.#actionId) return 'pending';
    const nowNs = this.#clock();
    const unfinished = errno === 'EAGAIN' || errno === 'ETIMEDOUT';
    if (unfinished && nowNs < this.#limitNs) {
      this.#state = 'paused';
      this.#unfinishedErrno = errno;
      this.#lookNs = nowNs + LINGER_FIRST_NS;
      return 'pending';
    }
    if (errno !== null) return this.#giveUp(errno);
    // The process may not have been moved into the cgroup, but it belongs to the episode anyway.
    if (this.#action === 'kill' && !this.#outside && this.#episode.mayLiveOutside()) {
      this.#outside = true;
      return this.#act();
    }
    this.#state = 'told';
    this.#delayNs = LINGER_FIRST_NS;
    return this.look();
  }

  /** Must be called at `lookNs`, and at any hint after the freeze or kill was requested. */
  look(): Enforced {
    if (this.told && this.#episode.isEnforced(this.#action)) return 'done';
    const nowNs = this.#clock();
    if (nowNs >= this.#limitNs) {
      return this.#giveUp(this.#state === 'paused' ? this.#unfinishedErrno : 'ETIMEDOUT');
    }
    if (this.#state === 'paused') return this.#act();
    this.#lookNs = nowNs + this.#delayNs;
    const twice = 2n * this.#delayNs;
    this.#delayNs = twice < LINGER_MAX_NS ? twice : LINGER_MAX_NS;
    return 'pending';
  }

  get active(): boolean {
    return this.#state !== 'idle';
  }

  /** The kernel has accepted the freeze or kill, which can take a while to complete. */
  get told(): boolean {
    return this.#state === 'told';
  }

  get lookNs(): bigint | null {
    return this.active ? this.#lookNs : null;
  }

  #act(): Enforced {
    this.#state = 'asked';
    this.#lookNs = this.#limitNs;
    const id = ++this.#actionId;
    void this.#episode
      .enforce(this.#action, this.#outside)
      .then((errno) => this.#onActionDone({ id, errno }));
    return 'pending';
  }

  /** Replaces the failed action by the next weaker one. */
  #giveUp(errno: string | null): Enforced {
    const next = this.#action === 'kill' && this.#episode.hasCgroup ? 'freeze' : 'stop';
    this.#mailbox.noteFailed({ action: this.#action, errno, next });
    return this.begin(next);
  }
}
