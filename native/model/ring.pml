/*
 * The ring protocol for spin: one writer, two readers, two slots, and every interleaving of their steps. One step is
 * one access to shared memory, in program order; machine/ covers weaker memory.
 *
 * Follows RingWriter::publish and RingReader::{read, latest, copy, check_written} of native/core, with two data
 * words a frame and indices and stamps modulo MODULUS instead of 2^32. Each macro that spin.mjs lists breaks one thing.
 */
#ifndef FRAMES
#define FRAMES 5
#endif
/* The first index. With 13 the stamps wrap during the run, with 29 the stamps and the head. */
#ifndef FIRST
#define FIRST 13
#endif
#ifndef MODULUS
#define MODULUS 32
#endif
#define SLOTS 2
#define CAPACITY 2
#define MAX_RESUMES 1
#define NOTHING 255

#define WRAPPED(n) ((n) & (MODULUS - 1))
#define STAMP_WRITING(index) WRAPPED(2 * (index) + 1)
#define STAMP_DONE(index) WRAPPED(2 * (index) + 2)
#define SLOT(index) slot[(index) & (SLOTS - 1)]
/* a > b, by the sign of their difference, which is correct while they are less than half the modulus apart. */
#define NEWER(a, b) (WRAPPED((a) - (b)) < MODULUS / 2)
#define SEQ_OF(index) WRAPPED((index) - FIRST)

typedef Slot {
  byte stamp;
  byte low;
  byte high
};
Slot slot[SLOTS];
byte head = FIRST;
bool ended;
#ifdef WRITER_WAITS
byte slowest = FIRST;
#endif

/* No guard waits: a blocked writer would be an invalid end state once the readers have gone. */
active proctype writer() {
  byte index = FIRST;
  byte seq;

  do
  :: seq < FRAMES ->
#ifdef WRITER_WAITS
    WRAPPED(index - slowest) < CAPACITY;
#endif
#ifdef END_BEFORE_LAST_FRAME
    if
    :: seq == FRAMES - 1 -> ended = true
    :: else
    fi;
#endif
#if !defined(NO_ODD_STAMP) && !defined(ODD_STAMP_AFTER_DATA)
    SLOT(index).stamp = STAMP_WRITING(index);
#endif
    SLOT(index).low = seq;
#ifdef ODD_STAMP_AFTER_DATA
    SLOT(index).stamp = STAMP_WRITING(index);
#endif
    SLOT(index).high = seq;
#ifdef HEAD_BEFORE_EVEN_STAMP
    head = WRAPPED(index + 1);
#endif
    SLOT(index).stamp = STAMP_DONE(index);
    d_step {
      index = WRAPPED(index + 1);
      seq++;
      head = index
    }
  :: else -> break
  od;
  ended = true
}

/* Locals that are no longer used are set to zero, because spin would otherwise distinguish states by them. */
active [2] proctype reader() {
  byte cursor = FIRST;
  byte returned;
  byte missed;
  byte end;
  byte index;
  byte low;
  byte high;
  byte stamp;
  byte resumes;
  bool last;
  bool latest;

  do
  :: true ->
    /* read(): copies the next frames, up to the head at the start of the call. */
    last = ended;
    d_step {
      end = head;
      if
      :: WRAPPED(end - cursor) > CAPACITY ->
#ifndef LAPPED_UNCOUNTED
        missed = missed + WRAPPED(end - CAPACITY - cursor);
#endif
        cursor = WRAPPED(end - CAPACITY)
      :: else
      fi;
      index = cursor
    }
    if
    :: last && cursor == end -> break
    :: cursor != end -> goto copy
    :: else -> goto done
    fi
  :: true ->
    /* latest(): does not move the cursor. */
    d_step {
      end = head;
      index = WRAPPED(end - 1);
      latest = true
    }
    if
    :: end == FIRST -> goto done
    :: else -> goto copy
    fi
  :: true ->
    /* The reader goes away early, so nothing may depend on it. */
    goto gone
  :: false ->
copy:
    stamp = SLOT(index).stamp;
#ifdef EVENNESS_ONLY
    if
    :: (stamp & 1) -> goto overtaken
    :: else
    fi;
#else
    if
    :: stamp != STAMP_DONE(index) ->
      /* check_written(): a valid ring is never called corrupt. */
      stamp = SLOT(index).stamp;
      assert(NEWER(stamp, STAMP_DONE(index)));
      assert(((WRAPPED(stamp - 1) / 2) & (SLOTS - 1)) == (index & (SLOTS - 1)));
      goto overtaken
    :: else
    fi;
#endif
    low = SLOT(index).low;
    high = SLOT(index).high;
#ifndef NO_SECOND_LOOK
    if
#if defined(EVENNESS_ONLY)
    :: SLOT(index).stamp != stamp -> goto overtaken
#elif defined(SECOND_LOOK_EVENNESS_ONLY)
    :: (SLOT(index).stamp & 1) -> goto overtaken
#else
    :: SLOT(index).stamp != STAMP_DONE(index) -> goto overtaken
#endif
    :: else
    fi;
#endif
    /* A delivered frame is not torn and is the expected one. Seqs therefore only rise, as cursor does. */
    assert(low == high);
    assert(low == SEQ_OF(index));
    if
    :: latest -> goto done
    :: else
    fi;
    d_step {
      returned++;
      cursor = WRAPPED(cursor + 1);
      index = cursor;
      low = 0;
      high = 0;
      stamp = 0
    }
    if
    :: cursor != end -> goto copy
    :: true -> goto done /* no more frames were requested */
    fi;
overtaken:
    resumes++;
    d_step {
      low = 0;
      high = 0;
      stamp = 0
    }
    if
    :: latest || resumes > MAX_RESUMES -> goto done
    :: else
    fi;
    d_step {
      end = head;
      /* The middle of the ring, or the next frame if that is further on. */
      index = WRAPPED(end - CAPACITY / 2);
      if
      :: index != cursor && NEWER(index, cursor)
      :: else -> index = WRAPPED(cursor + 1)
      fi;
#ifndef RESUME_UNCOUNTED
      missed = missed + WRAPPED(index - cursor);
#endif
      cursor = index
    }
    if
    :: cursor != end -> goto copy
    :: else
    fi;
done:
    assert(SEQ_OF(cursor) == returned + missed);
#ifdef WRITER_WAITS
    slowest = cursor;
#endif
    d_step {
      end = 0;
      index = 0;
      low = 0;
      high = 0;
      stamp = 0;
      resumes = 0;
      last = false;
      latest = false
    }
  od;
  assert(returned + missed == FRAMES);
gone:
  skip
}
