// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * CPU time of this process from the first record read to the last row emitted, and the same for the
 * second half of the records. Somebody looks every 20 ms, so that is how exact the ends are.
 */
public final class Measure {
    private static final long LOOK_MS = 20;
    private static final int GIVE_UP_LOOKS = 3_000;
    private static final AtomicLong READ = new AtomicLong();

    private final long wanted;
    private final long[] firstRecord = new long[2];
    private final long[] half = new long[2];
    private final long[] last = new long[2];
    private long readAtHalf;

    /** @param wanted records, with those that close the topic */
    public Measure(long wanted) {
        this.wanted = wanted;
    }

    /** A record was parsed. */
    public static void read() {
        READ.lazySet(READ.getPlain() + 1);
    }

    /** User and system time of all threads, which the kernel counts in ticks of 10 ms. */
    private static long cpuMs() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * 10;
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void now(long[] into) {
        into[0] = System.nanoTime() / 1_000_000;
        into[1] = cpuMs();
    }

    /** Returns when the last row is there; fails when nothing moves any more. */
    public void await() throws InterruptedException {
        long readBefore = 0;
        long rowsBefore = 0;
        int still = 0;
        while (true) {
            boolean complete = Rows.complete();
            long read = READ.get();
            long rows = Rows.count();
            if (read == 0) {
                now(firstRecord);
            }
            if (readAtHalf == 0 && read >= wanted / 2) {
                readAtHalf = read;
                now(half);
            }
            if (complete) {
                now(last);
                return;
            }
            still = read == readBefore && rows == rowsBefore ? still + 1 : 0;
            if (still > GIVE_UP_LOOKS) {
                throw new IllegalStateException("read " + read + " of " + wanted + " records, then nothing");
            }
            readBefore = read;
            rowsBefore = rows;
            Thread.sleep(LOOK_MS);
        }
    }

    /** One line of JSON. */
    public String json() {
        return String.format(
                "{\"records\":%d,\"cpu_ms\":%d,\"wall_ms\":%d,\"half_records\":%d,\"half_cpu_ms\":%d,"
                        + "\"rows\":%d,\"rows_changed\":%d}",
                READ.get(),
                last[1] - firstRecord[1],
                last[0] - firstRecord[0],
                READ.get() - readAtHalf,
                last[1] - half[1],
                Rows.count(),
                Rows.changed());
    }
}
