// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.TimestampExtractor;

/** What both forms in Kafka Streams share: one thread, at least once, event time from the record. */
final class StreamsApp {
    /** A record is parsed once, where it is read. */
    static final Deserializer<Call> CALL_READER = (topic, json) -> Call.parse(json);

    static final Serde<Call> CALL = Serdes.serdeFrom(
            (topic, call) -> {
                throw new UnsupportedOperationException("calls are not written");
            },
            CALL_READER);

    static final TimestampExtractor EVENT_TIME = (record, partitionTime) -> ((Call) record.value()).time;

    private StreamsApp() {}

    static void run(Job job, String name, Topology topology, Properties more) throws Exception {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, name + "-" + System.nanoTime());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.brokers());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, job.rows().toAbsolutePath() + "-state");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.putAll(more);
        KafkaStreams streams = new KafkaStreams(topology, settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        job.finish();
    }
}
