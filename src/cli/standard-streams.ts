/**
 * Keeps Node's hands off the descriptors that the command shares with us.
 *
 * The first look at `process.stdout` or `process.stderr` makes a stream of the descriptor, and of a pipe a
 * non-blocking one (`ioctl FIONBIO`): that flag is the pipe's, so that the command's own writes then fail with EAGAIN
 * when its reader is slow. Node looks by itself, whenever any socket is destroyed. So both are replaced, before
 * anything else runs, by streams that write synchronously and ask the descriptor nothing.
 */
import { Writable } from 'node:stream';
import { writeErr, writeOut } from './output.js';

function replace(name: 'stdout' | 'stderr', write: (text: string) => void): void {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      write(String(chunk));
      done();
    },
  });
  Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
}

replace('stdout', writeOut);
replace('stderr', writeErr);
