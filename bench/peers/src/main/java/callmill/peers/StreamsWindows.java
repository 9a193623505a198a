// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams as it comes: hopping windows in an in-memory store, rows when a window closes. */
public final class StreamsWindows {
    /** Sums of a seat and window; a store holds them as bytes. */
    private record Sums(int offered, int answered, long handle) {
        private static final Serde<Sums> SERDE = Serdes.serdeFrom(
                (topic, sums) -> ByteBuffer.allocate(16)
                        .putInt(sums.offered)
                        .putInt(sums.answered)
                        .putLong(sums.handle)
                        .array(),
                (topic, bytes) -> {
                    ByteBuffer buffer = ByteBuffer.wrap(bytes);
                    return new Sums(buffer.getInt(), buffer.getInt(), buffer.getLong());
                });

        private Sums with(Call call) {
            return new Sums(offered + 1, answered + (call.answered ? 1 : 0), handle + call.handle);
        }
    }

    private static final Duration JUMP = Duration.ofMinutes(1);

    private StreamsWindows() {}

    public static void main(String[] words) throws Exception {
        Job job = Job.of(words);
        // Beyond window and grace a store keeps what it has not emitted when event time jumps.
        Duration kept = Job.WINDOW.plus(Job.LATENESS).plus(JUMP);
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(
                        job.topic(),
                        Consumed.with(Serdes.String(), StreamsApp.CALL)
                                .withTimestampExtractor(StreamsApp.EVENT_TIME))
                .filter((key, call) -> call.seat != null)
                .groupByKey(Grouped.with(Serdes.String(), StreamsApp.CALL))
                .windowedBy(TimeWindows.ofSizeAndGrace(Job.WINDOW, Job.LATENESS).advanceBy(Job.STEP))
                .emitStrategy(EmitStrategy.onWindowClose())
                .aggregate(
                        () -> new Sums(0, 0, 0),
                        (seat, call, sums) -> sums.with(call),
                        Materialized.<String, Sums>as(
                                        Stores.inMemoryWindowStore("windows", kept, Job.WINDOW, false))
                                .withKeySerde(Serdes.String())
                                .withValueSerde(Sums.SERDE)
                                .withLoggingDisabled()
                                .withCachingDisabled())
                .toStream()
                .foreach((window, sums) ->
                        Rows.emit(window.key(), window.window().end(), sums.offered, sums.answered, sums.handle));
        Properties more = new Properties();
        // By default windows are looked through once a second of the clock; here at every step.
        more.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        StreamsApp.run(job, "streams-windows", builder.build(), more);
    }
}
