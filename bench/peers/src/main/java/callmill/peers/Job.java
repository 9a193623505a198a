// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/** What all engines have in common: the sizes of the job, and what the command line says. */
public record Job(String brokers, String topic, long records, Path rows) {
    public static final Duration WINDOW = Duration.ofMinutes(5);
    public static final Duration STEP = Duration.ofSeconds(5);

    /** How far event time may be out of order. */
    public static final Duration LATENESS = Duration.ofSeconds(10);

    /** BROKERS TOPIC RECORDS PARTITIONS END INSTANT,.. FILE */
    public static Job of(String[] words) {
        if (words.length != 7) {
            throw new IllegalArgumentException("BROKERS TOPIC RECORDS PARTITIONS END INSTANT,.. FILE");
        }
        long[] instants = Arrays.stream(words[5].split(",")).mapToLong(Long::parseLong).toArray();
        Rows.expect(instants, Long.parseLong(words[4]), Integer.parseInt(words[3]));
        return new Job(words[0], words[1], Long.parseLong(words[2]), Path.of(words[6]));
    }

    /** Waits for the end, prints the measures as one line and leaves; the engine's threads would stay. */
    public void finish() {
        int status = 1;
        try {
            Measure measure = new Measure(records);
            measure.await();
            Rows.write(rows);
            System.out.println(measure.json());
            System.out.flush();
            status = 0;
        } catch (Exception error) {
            error.printStackTrace();
        }
        Runtime.getRuntime().halt(status);
    }
}
