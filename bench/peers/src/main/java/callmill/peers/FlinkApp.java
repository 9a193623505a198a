// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** What both forms in Flink share: a cluster in this process, parallelism 1, state on the heap, no checkpoints. */
final class FlinkApp {
    private static final class CallReader extends AbstractDeserializationSchema<Call> {
        @Override
        public Call deserialize(byte[] json) {
            return Call.parse(json);
        }
    }

    /** Seat, end of the window, offered, answered, handle time. */
    static final class RowSink implements Sink<Tuple5<String, Long, Long, Long, Long>> {
        @Override
        public SinkWriter<Tuple5<String, Long, Long, Long, Long>> createWriter(WriterInitContext context) {
            return new SinkWriter<>() {
                @Override
                public void write(Tuple5<String, Long, Long, Long, Long> row, Context unused) {
                    Rows.emit(row.f0, row.f1, row.f2, row.f3, row.f4);
                }

                @Override
                public void flush(boolean endOfInput) {}

                @Override
                public void close() {}
            };
        }
    }

    private FlinkApp() {}

    static StreamExecutionEnvironment environment() {
        Configuration settings = new Configuration();
        settings.set(StateBackendOptions.STATE_BACKEND, "hashmap");
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        return StreamExecutionEnvironment.createLocalEnvironment(1, settings);
    }

    /** Records with a seat; event time follows each partition, and the slowest one counts. */
    static DataStream<Call> calls(Job job, StreamExecutionEnvironment environment) {
        KafkaSource<Call> source = KafkaSource.<Call>builder()
                .setBootstrapServers(job.brokers())
                .setTopics(job.topic())
                .setGroupId("flink")
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setValueOnlyDeserializer(new CallReader())
                .build();
        WatermarkStrategy<Call> time = WatermarkStrategy.<Call>forBoundedOutOfOrderness(Job.LATENESS)
                .withTimestampAssigner((call, unused) -> call.time);
        return environment.fromSource(source, time, "records").filter(call -> call.seat != null);
    }

    static void run(Job job, StreamExecutionEnvironment environment, String name) throws Exception {
        environment.executeAsync(name);
        job.finish();
    }
}
