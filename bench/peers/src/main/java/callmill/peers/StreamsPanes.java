// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Kafka Streams by hand: records add to panes of one step; when a pane is complete it is added to the
 * sums of its seats, and the one that left the window is taken out. Only these seats have rows. No
 * store and no changelog: after a crash the topic is read again.
 */
public final class StreamsPanes {
    /** Of one seat and pane. */
    private static final class Entry {
        private final Seat seat;
        private final long pane;
        private Entry before;
        private int offered;
        private int answered;
        private long handle;

        private Entry(Seat seat, long pane) {
            this.seat = seat;
            this.pane = pane;
            this.before = seat.newest;
        }
    }

    /** The sums of the window, and the newest entry, from which the ones before it are found. */
    private static final class Seat {
        private final String name;
        private Entry newest;
        private long shownAt;
        private int offered;
        private int answered;
        private long handle;

        private Seat(String name) {
            this.name = name;
        }
    }

    /** The entries of all seats for one step. */
    private static final class Pane {
        private Entry[] entries = new Entry[64];
        private int size;

        private void add(Entry entry) {
            if (size == entries.length) {
                entries = Arrays.copyOf(entries, 2 * size);
            }
            entries[size++] = entry;
        }
    }

    /** A row as it goes to the sink. */
    private record Row(int offered, int answered, long handle) {}

    private static final class Panes implements Processor<String, Call, String, Row> {
        private static final long STEP = Job.STEP.toMillis();
        private static final long LATENESS = Job.LATENESS.toMillis();
        private static final int LENGTH = (int) (Job.WINDOW.toMillis() / STEP);

        private final Map<String, Seat> seats = new HashMap<>();
        private final Map<Long, Pane> panes = new HashMap<>();
        private ProcessorContext<String, Row> context;
        private long newest;

        /** Number of the first pane that is not in the sums yet. */
        private long open = -1;

        @Override
        public void init(ProcessorContext<String, Row> to) {
            context = to;
        }

        @Override
        public void process(Record<String, Call> record) {
            Call call = record.value();
            if (call.time > newest) {
                newest = call.time;
                long complete = (newest - LATENESS) / STEP;
                if (open < 0) {
                    open = complete;
                }
                while (open < complete) {
                    step(open++);
                }
            }
            long pane = call.time / STEP;
            if (call.seat == null || pane < open) {
                return;
            }
            Entry entry = entry(seats.computeIfAbsent(call.seat, Seat::new), pane);
            entry.offered++;
            entry.answered += call.answered ? 1 : 0;
            entry.handle += call.handle;
        }

        private Entry entry(Seat seat, long pane) {
            for (Entry entry = seat.newest; entry != null && entry.pane >= open; entry = entry.before) {
                if (entry.pane == pane) {
                    return entry;
                }
            }
            Entry entry = new Entry(seat, pane);
            seat.newest = entry;
            panes.computeIfAbsent(pane, unused -> new Pane()).add(entry);
            return entry;
        }

        private void step(long pane) {
            Pane entering = panes.get(pane);
            Pane leaving = panes.remove(pane - LENGTH);
            change(entering, 1);
            change(leaving, -1);
            long asof = (pane + 1) * STEP;
            show(entering, asof);
            show(leaving, asof);
        }

        private static void change(Pane pane, int sign) {
            for (int i = 0; pane != null && i < pane.size; i++) {
                Entry entry = pane.entries[i];
                entry.before = null;
                entry.seat.offered += sign * entry.offered;
                entry.seat.answered += sign * entry.answered;
                entry.seat.handle += sign * entry.handle;
            }
        }

        private void show(Pane pane, long asof) {
            for (int i = 0; pane != null && i < pane.size; i++) {
                Seat seat = pane.entries[i].seat;
                if (seat.shownAt != asof) {
                    seat.shownAt = asof;
                    Row row = new Row(seat.offered, seat.answered, seat.handle);
                    context.forward(new Record<>(seat.name, row, asof));
                }
            }
        }
    }

    private static final class Sink implements Processor<String, Row, Void, Void> {
        @Override
        public void process(Record<String, Row> record) {
            Row row = record.value();
            Rows.emit(record.key(), record.timestamp(), row.offered, row.answered, row.handle);
        }
    }

    private StreamsPanes() {}

    public static void main(String[] words) throws Exception {
        Job job = Job.of(words);
        Topology topology = new Topology()
                .addSource(
                        AutoOffsetReset.earliest(),
                        "records",
                        StreamsApp.EVENT_TIME,
                        new StringDeserializer(),
                        StreamsApp.CALL_READER,
                        job.topic())
                .addProcessor("panes", Panes::new, "records")
                .addProcessor("sink", Sink::new, "panes");
        StreamsApp.run(job, "streams-panes", topology, new Properties());
    }
}
