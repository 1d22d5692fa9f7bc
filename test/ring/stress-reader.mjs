// A worker of stress.mjs: follows each ring it is sent with one kind of reader, to the end.
import { parentPort, workerData } from 'node:worker_threads';
import { nativeSlots } from '../../dist/readers/native-slots.js';
import { openAtomicSlots } from '../../dist/ring/slot-reader.js';
import { SLOT_HALVES, seqOf, whole } from './checked-frame.mjs';

const BATCH = 64;
const open = workerData.kind === 'native' ? nativeSlots() : openAtomicSlots;
if (open === null) throw new Error('the addon does not load');
const frames = new Uint32Array(BATCH * SLOT_HALVES);

function follow(slots) {
  const account = { returned: 0, missed: 0, torn: 0, disordered: 0, corrupt: false };
  let next = 0;
  for (let last = false; !last; ) {
    last = slots.ended;
    for (let copied = slots.copyNext(frames, BATCH); copied > 0; ) {
      for (let at = 0; at < copied * SLOT_HALVES; at += SLOT_HALVES) {
        const seq = seqOf(frames, at);
        if (!whole(frames, at)) account.torn++;
        if (seq < next) account.disordered++;
        next = seq + 1;
      }
      account.returned += copied;
      copied = slots.copyNext(frames, BATCH);
    }
  }
  account.missed = slots.missed;
  return account;
}

parentPort.on('message', (ring) => {
  const slots = open(ring);
  parentPort.postMessage('bound');
  parentPort.postMessage(follow(slots));
});
