// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The sink of every engine: counts rows and keeps the newest row of each seat, once as of each instant
 * that will be compared. One thread calls it.
 */
public final class Rows {
    /** A row; asof is the end of its window. */
    private static final class Row {
        private long asof = -1;
        private long offered;
        private long answered;
        private long handle;
    }

    private static long[] instants = {};
    private static List<Map<String, Row>> newest = List.of();
    private static volatile long count;
    private static long changed;

    private Rows() {}

    /** @param at ascending, ms */
    public static void compareAt(long[] at) {
        instants = at;
        newest = new ArrayList<>();
        for (int i = 0; i <= at.length; i++) {
            newest.add(new HashMap<>());
        }
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField")
    public static void emit(String seat, long asof, long offered, long answered, long handle) {
        count = count + 1;
        int span = 0;
        while (span < instants.length && asof > instants[span]) {
            span++;
        }
        Row row = newest.get(span).computeIfAbsent(seat, unused -> new Row());
        if (asof < row.asof) {
            throw new IllegalStateException("rows of " + seat + " go back in time");
        }
        if (offered != row.offered || answered != row.answered || handle != row.handle) {
            changed++;
        }
        row.asof = asof;
        row.offered = offered;
        row.answered = answered;
        row.handle = handle;
    }

    public static long count() {
        return count;
    }

    /** Rows that differ from the one before of the same seat. */
    public static long changed() {
        return changed;
    }

    /** A line for each instant and seat: instant, seat, asof, offered, answered, handle. */
    public static void write(Path file) throws IOException {
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
            Map<String, Row> rows = new HashMap<>();
            for (int i = 0; i < instants.length; i++) {
                long instant = instants[i];
                rows.putAll(newest.get(i));
                rows.forEach((seat, row) ->
                        out.printf("%d %s %d %d %d %d%n",
                                instant, seat, row.asof, row.offered, row.answered, row.handle));
            }
        }
    }
}
