// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/** What all engines have in common: the sizes of the job, and what the command line says. */
public record Job(String brokers, String topic, long records, long[] instants, Path rows) {
    public static final Duration WINDOW = Duration.ofMinutes(5);
    public static final Duration STEP = Duration.ofSeconds(5);

    /** How far event time may be out of order. */
    public static final Duration LATENESS = Duration.ofSeconds(10);

    private static final long GIVE_UP_MS = 60_000;

    /** BROKERS TOPIC RECORDS INSTANT,.. FILE */
    public static Job of(String[] words) {
        if (words.length != 5) {
            throw new IllegalArgumentException("BROKERS TOPIC RECORDS INSTANT,.. FILE");
        }
        long[] instants = Arrays.stream(words[3].split(",")).mapToLong(Long::parseLong).toArray();
        Rows.compareAt(instants);
        return new Job(words[0], words[1], Long.parseLong(words[2]), instants, Path.of(words[4]));
    }

    /** Waits for the end, prints the measures as one line and leaves without a farewell. */
    public void finish() throws Exception {
        Measure measure = new Measure(records);
        measure.await(GIVE_UP_MS);
        Rows.write(rows);
        System.out.println(measure.json());
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
