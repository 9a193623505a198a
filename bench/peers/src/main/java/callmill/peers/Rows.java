// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The sink of every engine: counts rows and keeps the newest row of each seat, once as of each instant
 * that will be compared. One thread calls it.
 */
public final class Rows {
    private record Row(long asof, long offered, long answered, long handle) {
        private boolean same(Row other) {
            return offered == other.offered && answered == other.answered && handle == other.handle;
        }
    }

    /** The newest rows up to each instant, where there is one since the instant before; then those after. */
    private static final class Seat {
        private final Row[] rows = new Row[instants.length + 1];
        private Row newest = NONE;
    }

    private static final Row NONE = new Row(-1, 0, 0, 0);
    private static final Map<String, Seat> SEATS = new HashMap<>();
    private static long[] instants = {};
    private static long end;
    private static int lastRows;
    private static volatile long count;
    private static volatile boolean complete;
    private static long changed;

    private Rows() {}

    /**
     * @param at ascending, ms
     * @param endsAt as of which the closing records have their last row, one a partition
     */
    public static void expect(long[] at, long endsAt, int partitions) {
        instants = at;
        end = endsAt;
        lastRows = partitions;
    }

    /** @param asof the end of the row's window */
    public static void emit(String name, long asof, long offered, long answered, long handle) {
        count = count + 1;
        Seat seat = SEATS.computeIfAbsent(name, unused -> new Seat());
        Row row = new Row(asof, offered, answered, handle);
        if (asof < seat.newest.asof) {
            throw new IllegalStateException("rows of " + name + " go back in time");
        }
        if (!row.same(seat.newest)) {
            changed++;
        }
        int span = 0;
        while (span < instants.length && asof > instants[span]) {
            span++;
        }
        seat.newest = row;
        seat.rows[span] = row;
        if (asof >= end && --lastRows == 0) {
            complete = true;
        }
    }

    /** The last row of each partition is here. */
    public static boolean complete() {
        return complete;
    }

    public static long count() {
        return count;
    }

    /** Rows with other figures than the one before of the same seat. */
    public static long changed() {
        return changed;
    }

    /** A line for each instant and seat: instant, seat, asof, offered, answered, handle. */
    public static void write(Path file) throws IOException {
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
            SEATS.forEach((name, seat) -> {
                Row row = NONE;
                for (int i = 0; i < instants.length; i++) {
                    row = seat.rows[i] == null ? row : seat.rows[i];
                    out.println(instants[i] + " " + name + " " + row.asof + " " + row.offered + " "
                            + row.answered + " " + row.handle);
                }
            });
        }
    }
}
